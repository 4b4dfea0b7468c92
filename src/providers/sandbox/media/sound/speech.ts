/**
 * Speech-like sound: every letter is a sound of its kind, through the resonances of a throat. Not to be understood,
 * but with the pace, pauses and melody of reading, and a length that follows the text.
 */
import { type Random, randomOf } from '../../random.ts'
import type { SoundSink } from './sink.ts'

/** One sound of speech. */
interface Phone {
  readonly seconds: number
  /** 0 is a whisper or a hiss, 1 is sung. */
  readonly voiced: number
  readonly noise: number
  /** The three resonances. */
  readonly formants: readonly [number, number, number]
  /** Height of the voice against its mean. */
  readonly pitch: number
}

export interface SpeechScore {
  readonly phones: readonly Phone[]
  readonly sampleCount: number
}

/** Peterson and Barney's averages for men (JASA 24, 1952). */
const VOWELS: Readonly<Record<string, readonly [number, number, number]>> = {
  a: [730, 1_090, 2_440],
  e: [530, 1_840, 2_480],
  i: [270, 2_290, 3_010],
  o: [570, 840, 2_410],
  u: [300, 870, 2_240],
  y: [390, 1_990, 2_550],
}
const NEUTRAL: readonly [number, number, number] = [490, 1_350, 1_690]

/** About 14 characters a second, pauses included: a page of English at 150 to 170 words a minute. */
const LETTER_SECONDS = 0.068
const SYLLABLE_SECONDS = 0.2
const WORD_PAUSE_SECONDS = 0.06
const CLAUSE_PAUSE_SECONDS = 0.22
const SENTENCE_PAUSE_SECONDS = 0.42
const EDGE_SECONDS = 0.12

/** What will be said, and how long it takes. */
export function scoreOf(text: string, speed: number, sampleRateHz: number): SpeechScore {
  const phones = [pause(EDGE_SECONDS)]
  for (const sentence of text.split(/(?<=[.!?。！？\n])/u)) {
    const letters = [...sentence.toLowerCase()]
    for (const [nth, letter] of letters.entries()) {
      phones.push(...phonesOf(letter, melodyAt(nth / letters.length, sentence)))
    }
  }
  phones.push(pause(EDGE_SECONDS))
  const paced = phones.map(phone => ({ ...phone, seconds: phone.seconds / speed }))
  const seconds = paced.reduce((sum, phone) => sum + phone.seconds, 0)
  return { phones: paced, sampleCount: Math.ceil(seconds * sampleRateHz) }
}

/** Down through a statement, up at the end of a question. */
function melodyAt(share: number, sentence: string): number {
  const isQuestion = /[?？]\s*$/u.test(sentence)
  return 1.12 - 0.24 * share + (isQuestion && share > 0.75 ? (share - 0.75) * 1.6 : 0)
}

function phonesOf(letter: string, pitch: number): Phone[] {
  if (/[.!?…。！？\n]/u.test(letter)) return [pause(SENTENCE_PAUSE_SECONDS)]
  if (/[,;:—–、，；：]/u.test(letter)) return [pause(CLAUSE_PAUSE_SECONDS)]
  if (/\s/u.test(letter)) return [pause(WORD_PAUSE_SECONDS)]
  if (/\p{Nd}/u.test(letter)) return syllable(letter, pitch)
  const [base = ''] = letter.normalize('NFD')
  const formants = VOWELS[base]
  if (formants !== undefined) {
    return [{ seconds: LETTER_SECONDS * 1.25, voiced: 1, noise: 0.01, formants, pitch }]
  }
  if (/[a-z]/.test(base)) return [consonant(base, LETTER_SECONDS * 0.85, pitch)]
  if (/\p{L}/u.test(letter)) return isSyllabic(letter) ? syllable(letter, pitch) : [anyLetter(letter, pitch)]
  return []
}

function pause(seconds: number): Phone {
  return { seconds, voiced: 0, noise: 0, formants: NEUTRAL, pitch: 1 }
}

function consonant(letter: string, seconds: number, pitch: number): Phone {
  if ('sfxzc'.includes(letter)) {
    return { seconds, voiced: letter === 'z' ? 0.3 : 0, noise: 0.3, formants: [2_600, 4_200, 5_600], pitch }
  }
  if ('ptkqh'.includes(letter)) {
    return { seconds, voiced: 0, noise: 0.12, formants: [900, 1_900, 3_200], pitch }
  }
  const offset = letter.charCodeAt(0) * 13
  const formants = [260 + (offset % 120), 1_000 + (offset % 700), 2_200 + (offset % 400)] as const
  return { seconds, voiced: 0.55, noise: 0.03, formants, pitch }
}

/** Scripts whose signs are whole syllables or words. */
function isSyllabic(letter: string): boolean {
  return /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u.test(letter)
}

function syllable(sign: string, pitch: number): Phone[] {
  const code = sign.codePointAt(0) ?? 0
  const vowels = Object.values(VOWELS)
  const formants = vowels[code % vowels.length] ?? NEUTRAL
  const begin = String.fromCharCode(97 + (code % 26))
  return [
    consonant(begin, SYLLABLE_SECONDS * 0.3, pitch),
    { seconds: SYLLABLE_SECONDS * 0.7, voiced: 1, noise: 0.01, formants, pitch },
  ]
}

/** A letter of another alphabet: every second one is taken for a vowel. */
function anyLetter(letter: string, pitch: number): Phone {
  const code = letter.codePointAt(0) ?? 0
  const vowels = Object.values(VOWELS)
  if (code % 2 === 0) return consonant(String.fromCharCode(97 + (code % 26)), LETTER_SECONDS, pitch)
  return {
    seconds: LETTER_SECONDS,
    voiced: 1,
    noise: 0.01,
    formants: vowels[code % vowels.length] ?? NEUTRAL,
    pitch,
  }
}

const BLOCK_SAMPLES = 8_192
/** How fast the mouth moves from one sound to the next. */
const GLIDE_SECONDS = 0.02
/** Leaves the loudest vowels of any voice below the clipping level. */
const LOUDNESS = 0.18

/** Says it, in blocks. */
export function speakScore(score: SpeechScore, voice: string, sampleRateHz: number, sink: SoundSink): void {
  const throat = createThroat(randomOf('voice', voice), sampleRateHz)
  let block = new Float32Array(Math.min(BLOCK_SAMPLES, score.sampleCount))
  let at = 0
  let written = 0
  let end = 0
  for (const phone of score.phones) {
    end += phone.seconds * sampleRateHz
    while (written + at < Math.min(Math.round(end), score.sampleCount)) {
      block[at++] = throat(phone)
      if (at < block.length) continue
      sink.write([block])
      written += at
      at = 0
      block = new Float32Array(Math.min(BLOCK_SAMPLES, Math.max(1, score.sampleCount - written)))
    }
  }
  if (at > 0) sink.write([block.subarray(0, at)])
}

/** One sample after the other of whatever sound is asked for, gliding there. */
function createThroat(random: Random, sampleRateHz: number): (phone: Phone) => number {
  const meanHz = 85 * 2 ** (random.next() * 1.4)
  const size = 0.92 + 0.14 * ((meanHz - 85) / 140) + random.next() * 0.08
  const breath = 0.5 + random.next()
  const wobbleHz = 4 + random.next() * 2
  const glide = 1 - Math.exp(-1 / (GLIDE_SECONDS * sampleRateHz))
  const resonators = [70, 100, 140].map(bandwidthHz => createResonator(bandwidthHz, sampleRateHz))
  const formants = Float64Array.from(NEUTRAL)
  let voiced = 0
  let noise = 0
  let pitch = 1
  let cycle = 0
  let time = 0
  return phone => {
    voiced += (phone.voiced - voiced) * glide
    noise += (phone.noise - noise) * glide
    pitch += (phone.pitch - pitch) * glide * 0.3
    time += 1 / sampleRateHz
    cycle += (meanHz * pitch * (1 + 0.015 * Math.sin(2 * Math.PI * wobbleHz * time))) / sampleRateHz
    if (cycle >= 1) cycle -= 1
    // Rosenberg's pulse: the glottis opens slowly and closes fast.
    const pulse = cycle < 0.6 ? cycle * cycle * (0.6 - cycle) * 18 - 0.25 : -0.25
    const source = pulse * voiced + (random.next() - 0.5) * noise * breath
    let sound = 0
    for (const [nth, resonate] of resonators.entries()) {
      const formant = (formants[nth] ?? 0) + ((phone.formants[nth] ?? 0) - (formants[nth] ?? 0)) * glide
      formants[nth] = formant
      sound += resonate(source, formant * size) * (1 - nth * 0.28)
    }
    return Math.max(-1, Math.min(1, sound * LOUDNESS))
  }
}

/** A resonance of two poles, its loudness at the peak about one. */
function createResonator(bandwidthHz: number, sampleRateHz: number) {
  const radius = Math.exp((-Math.PI * bandwidthHz) / sampleRateHz)
  let before = 0
  let earlier = 0
  return (input: number, hz: number): number => {
    const angle = (2 * Math.PI * Math.min(hz, sampleRateHz * 0.45)) / sampleRateHz
    const output =
      (1 - radius) * 4 * input + 2 * radius * Math.cos(angle) * before - radius * radius * earlier
    earlier = before
    before = output
    return output
  }
}
