/** Titles, styles and lyrics about a prompt's own topics: the same prompt and seed, the same words. */
import { topicsOf } from '../conversation.ts'
import { digestOf, randomOf } from '../random.ts'

const TITLES = [
  '{A} and {B}',
  'The {A} Song',
  '{A} Tonight',
  'Where the {A} Goes',
  'Back to {A}',
  'All My {A}',
]
const LINES = [
  'I saw the {a} before the morning came',
  'Nobody told me {a} would have a name',
  'Carry me over where the {a} begins',
  'Even the {b} is humming in the wind',
  'Hold on to the {a}, let the rest go by',
  'There is a little {b} in every goodbye',
  'Turn up the {a} and let the evening stay',
  'Half of the {b} was always on its way',
  'Count every {a} on the long road home',
  'With you and the {b} I am never alone',
  'Keep the {a} burning in the window light',
  'We were the {b} in the middle of the night',
]
const HOOKS = [
  'Oh, {a}, {a}, stay with me',
  'Sing it for the {a}, sing it for the {b}',
  'This is the {a} and this is the way',
]
const PARTS = ['[Verse 1]', '[Chorus]', '[Verse 2]', '[Chorus]', '[Outro]']
const MOODS = ['warm', 'driving', 'dreamy', 'bright', 'wistful', 'uplifting', 'restless', 'tender']
const INSTRUMENTS = [
  'electric piano',
  'clean guitar',
  'soft pads',
  'upright bass',
  'brushed drums',
  'analogue synth',
]
const GENRES = ['indie pop', 'synthwave', 'folk', 'soul', 'house', 'ambient']
const VOICES = ['intimate vocals', 'airy harmonies', 'a husky lead voice', 'layered backing vocals']
const PHRASES = [
  'The quiet harbour wakes before the gulls do.',
  'Seven yellow lanterns hang above the old bridge.',
  'My neighbour bakes bread on every rainy Sunday.',
  'A slow train crosses the valley at half past six.',
]
const LONGEST_TITLE = 80
const LINES_A_PART = 4

export function songTitle(about: string, ...seed: readonly string[]): string {
  const random = randomOf('title', about, ...seed)
  return filled(random.pick(TITLES), topics(about), 0).slice(0, LONGEST_TITLE)
}

/** A style as songs are tagged with it: the words that were asked for, else a genre and its sound. */
export function songTags(about: string, ...seed: readonly string[]): string {
  const random = randomOf('tags', about, ...seed)
  return [random.pick(GENRES), random.pick(MOODS), random.pick(INSTRUMENTS)].join(', ')
}

export function songLyrics(about: string, ...seed: readonly string[]): string {
  const random = randomOf('lyrics', about, ...seed)
  const words = topics(about)
  const hook = filled(random.pick(HOOKS), words, 0)
  const lines = random.shuffle(LINES)
  return PARTS.map((part, at) => {
    const own = Array.from(
      { length: LINES_A_PART },
      (_, nth) => lines[(at * LINES_A_PART + nth) % lines.length],
    )
    const text = own.map((line = '', nth) => filled(line, words, at + nth))
    return [part, ...(part === '[Chorus]' ? [hook, text[0], hook, text[1]] : text)].join('\n')
  }).join('\n\n')
}

/** A style written out in a few sentences. */
export function writtenStyle(content: string): string {
  const random = randomOf('style', content)
  const moods = random.shuffle(MOODS)
  const [lead, other] = random.shuffle(INSTRUMENTS)
  return [
    `${content.trim() || random.pick(GENRES)}, ${moods[0]} and ${moods[1]}, led by ${lead} over ${other}.`,
    `The verses are ${moods[2]} and close; the chorus opens up with ${random.pick(VOICES)}.`,
    `Around ${80 + 4 * random.below(16)} beats a minute, mixed wide, with a ${moods[3]} ending.`,
  ].join(' ')
}

/** What is to be read aloud to prove a voice. */
export function phraseFor(...seed: readonly string[]): string {
  return randomOf('phrase', ...seed).pick(PHRASES)
}

/** An id as vendors make them, which follows from the texts. */
export function identifier(kind: string, ...seed: readonly string[]): string {
  const hex = digestOf(kind, ...seed).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  )
}

function topics(about: string): readonly string[] {
  const { words } = topicsOf(about)
  return words.length > 0 ? words : ['night', 'river']
}

function filled(frame: string, words: readonly string[], at: number): string {
  const a = words[at % words.length] ?? 'night'
  const b = words[(at + 1) % words.length] ?? 'river'
  const other = a === b ? 'river' : b
  return frame
    .replaceAll('{a}', () => a)
    .replaceAll('{b}', () => other)
    .replaceAll('{A}', () => capital(a))
    .replaceAll('{B}', () => capital(other))
}

function capital(word: string): string {
  const [first = '', ...rest] = word
  return first.toLocaleUpperCase('en') + rest.join('')
}
