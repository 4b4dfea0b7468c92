/** What is played: key, chords, tempo, instruments and rhythm of a piece, and the notes of each of its bars. */
import { type Random, randomOf } from '../../random.ts'
import type { Drum, Voice } from './instruments.ts'

export interface Composition {
  readonly beatsPerMinute: number
  /** The notes of a bar of four beats, the same whenever it is asked for. */
  bar(nth: number): readonly Note[]
}

/** A note or a beat in a bar. */
export interface Note {
  readonly sound:
    | { readonly voice: Voice; readonly key: number; readonly beats: number }
    | { readonly drum: Drum }
  /** Beats from the beginning of the bar. */
  readonly at: number
  /** 0 to 1. */
  readonly gain: number
  /** -1 is left. */
  readonly pan: number
}

/** Semitones above the key note. */
const SCALES = {
  bright: [0, 2, 4, 5, 7, 9, 11],
  dark: [0, 2, 3, 5, 7, 8, 10],
  open: [0, 2, 3, 5, 7, 9, 10],
} as const
type Mood = keyof typeof SCALES

/** Steps of the scale on which the chords of four bars stand. */
const PROGRESSIONS = [
  [0, 4, 5, 3],
  [0, 5, 3, 4],
  [5, 3, 0, 4],
  [0, 3, 4, 3],
  [0, 2, 5, 4],
  [0, 6, 5, 4],
]

interface Plan {
  readonly prompt: string
  readonly seed: string
  readonly keyNote: number
  readonly scale: readonly number[]
  readonly progression: readonly number[]
  readonly melodyVoice: Voice
  readonly hasDrums: boolean
  /** Chance that a half beat has a note of the melody. */
  readonly density: number
}

const CALM = /\b(calm|ambient|relax\w*|sleep|slow|piano|meditat\w*|lullaby|soft|sad|peaceful)\b/i
const LIVELY = /\b(fast|rock|dance|techno|electronic|energetic|metal|punk|edm|upbeat|epic|drums?)\b/i
const DARK = /\b(sad|dark|minor|night|horror|melanchol\w*|metal|rain)\b/i
const BRIGHT = /\b(happy|major|bright|joy\w*|summer|upbeat|fun|pop|children)\b/i

export function compose(prompt: string, seed: number | string): Composition {
  const random = randomOf('song', prompt, String(seed))
  const isCalm = CALM.test(prompt)
  const isLively = !isCalm && LIVELY.test(prompt)
  const tempo = isCalm ? 58 : isLively ? 118 : 84
  const mood: Mood = DARK.test(prompt)
    ? 'dark'
    : BRIGHT.test(prompt)
      ? 'bright'
      : random.pick(['bright', 'dark', 'open'])
  const plan: Plan = {
    prompt,
    seed: String(seed),
    keyNote: 45 + random.below(12),
    scale: SCALES[mood],
    progression: random.pick(PROGRESSIONS),
    melodyVoice: random.pick(isLively ? ['lead', 'pluck'] : ['keys', 'pluck', 'keys', 'lead']),
    hasDrums: isLively || (!isCalm && random.chance(0.7)),
    density: (isCalm ? 0.3 : 0.45) + random.next() * 0.2,
  }
  return { beatsPerMinute: tempo + random.below(24), bar: nth => barOf(plan, nth) }
}

/** Eight bars a section; the melody of a section comes back in the one after next. */
function barOf(plan: Plan, nth: number): Note[] {
  const section = Math.floor(nth / 8)
  const isIntro = nth < 4
  const chord = plan.progression[nth % plan.progression.length] ?? 0
  const melody = randomOf('melody', plan.prompt, plan.seed, String(section % 2), String(nth % 4))
  return [
    ...chordNotes(plan, chord),
    ...(isIntro ? [] : bassNotes(plan, chord)),
    ...(isIntro && section > 0 ? [] : melodyNotes(plan, chord, melody)),
    ...(plan.hasDrums && nth >= 2 ? drumNotes(nth % 8 === 7) : []),
  ]
}

/** The key of a step of the scale, any number of octaves up or down. */
function keyOf(plan: Plan, step: number): number {
  const octave = Math.floor(step / plan.scale.length)
  return plan.keyNote + 12 * octave + (plan.scale[step - octave * plan.scale.length] ?? 0)
}

function chordNotes(plan: Plan, chord: number): Note[] {
  return [0, 2, 4].map((third, nth) => ({
    sound: { voice: 'pad', key: keyOf(plan, chord + third), beats: 4 },
    at: 0,
    gain: 0.24,
    pan: (nth - 1) * 0.6,
  }))
}

function bassNotes(plan: Plan, chord: number): Note[] {
  return [0, 1.5, 2, 3].map(at => ({
    sound: { voice: 'bass', key: keyOf(plan, chord) - 12, beats: 1 },
    at,
    gain: 0.42,
    pan: 0,
  }))
}

function melodyNotes(plan: Plan, chord: number, random: Random): Note[] {
  const notes: Note[] = []
  let step = chord + 7 + random.pick([0, 2, 4])
  for (let half = 0; half < 8; half++) {
    if (half > 0 && !random.chance(plan.density)) continue
    const beats = random.pick([0.5, 1, 1])
    const pan = random.next() * 0.5 - 0.25
    notes.push({
      sound: { voice: plan.melodyVoice, key: keyOf(plan, step), beats },
      at: half / 2,
      gain: 0.34,
      pan,
    })
    step += random.pick([-2, -1, -1, 1, 1, 2])
  }
  return notes
}

function drumNotes(isFill: boolean): Note[] {
  const beat = (drum: Drum, at: number, gain: number, pan = 0): Note => ({ sound: { drum }, at, gain, pan })
  const hats = Array.from({ length: 8 }, (_, nth) => beat('hat', nth / 2, nth % 2 === 0 ? 0.14 : 0.09, 0.3))
  const fill = isFill ? [3.25, 3.5, 3.75].map(at => beat('snare', at, 0.3, -0.2)) : []
  return [
    beat('kick', 0, 0.6),
    beat('kick', 2, 0.55),
    beat('snare', 1, 0.32),
    beat('snare', 3, 0.34),
    ...hats,
    ...fill,
  ]
}
