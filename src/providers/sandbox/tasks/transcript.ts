/** What is said in a recording that nobody listens to: words with times, which follow from a text. */
import { randomOf } from '../random.ts'

export interface SpokenWord {
  readonly text: string
  /** Seconds. */
  readonly start: number
  readonly end: number
}

const SENTENCES = [
  'Good morning and thank you for calling.',
  'Let me read that back to you once more.',
  'The train leaves at a quarter past nine from the second platform.',
  'We walked along the river until the lamps were lit.',
  'Please leave your name and number after the tone.',
  'It rained in the night, and the garden looks better for it.',
  'First we measure, then we cut, and only then we glue.',
  'Nobody had opened that door in years.',
  'That is all for today, and we will speak again next week.',
  'The kettle is on, so sit down and tell me everything.',
]
const SECONDS_A_WORD = 0.4
/** Said of each word; the rest is a pause. */
const SPOKEN_SHARE = 0.8
const MOST_WORDS = 5_000

/** As many words as fit into the time at an ordinary pace, one at least. */
export function spokenWords(seed: string, durationMs: number): readonly SpokenWord[] {
  const random = randomOf('transcript', seed)
  const seconds = durationMs / 1_000
  const count = Math.min(MOST_WORDS, Math.max(1, Math.floor(seconds / SECONDS_A_WORD)))
  const texts: string[] = []
  while (texts.length < count) texts.push(...random.pick(SENTENCES).split(' '))
  const pace = seconds / count
  return texts.slice(0, count).map((text, at) => ({
    text,
    start: milliseconds(at * pace),
    end: milliseconds((at + SPOKEN_SHARE) * pace),
  }))
}

export function milliseconds(seconds: number): number {
  return Math.round(seconds * 1_000) / 1_000
}
