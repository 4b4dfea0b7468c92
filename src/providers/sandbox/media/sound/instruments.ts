/** Single notes and beats as samples of their own, from which a piece is put together. */
import type { Random } from '../../random.ts'

export type Voice = 'pad' | 'keys' | 'pluck' | 'bass' | 'lead'
export type Drum = 'kick' | 'snare' | 'hat'

const TABLE_LENGTH = 2_048

/** One period of a tone with the given overtones, the first one louder than the rest. */
function tableOf(overtones: readonly number[]): Float32Array {
  const table = new Float32Array(TABLE_LENGTH + 1)
  for (let at = 0; at <= TABLE_LENGTH; at++) {
    const angle = (2 * Math.PI * at) / TABLE_LENGTH
    table[at] = overtones.reduce((sum, weight, nth) => sum + weight * Math.sin(angle * (nth + 1)), 0)
  }
  return table
}

const SOFT = tableOf([0.6, 0.26, 0.14, 0.08, 0.05])
const ROUND = tableOf([0.75, 0.3, 0.08])
const BRIGHT = tableOf([0.5, 0.1, 0.3, 0.06, 0.18, 0.04, 0.1])

interface Tone {
  readonly hz: number
  readonly seconds: number
  readonly sampleRateHz: number
}

/** A note of about unit loudness, its release included. */
export function noteOf(voice: Voice, tone: Tone, random: Random): Float32Array {
  switch (voice) {
    case 'pad':
      return bowed(SOFT, tone, { attack: 0.35, release: 0.9, detune: 0.004 })
    case 'lead':
      return bowed(BRIGHT, tone, { attack: 0.02, release: 0.15, detune: 0.002 })
    case 'bass':
      return struck(ROUND, tone, 2.2)
    case 'keys':
      return struck(SOFT, tone, 3.2)
    case 'pluck':
      return plucked(tone, random)
  }
}

interface Bow {
  readonly attack: number
  readonly release: number
  /** How far two of its three strings are off, as a share of the frequency. */
  readonly detune: number
}

function bowed(table: Float32Array, tone: Tone, { attack, release, detune }: Bow): Float32Array {
  const held = tone.seconds
  const samples = new Float32Array(Math.ceil((held + release) * tone.sampleRateHz))
  for (const string of [-1, 0, 1]) {
    const step = (tone.hz * (1 + string * detune) * TABLE_LENGTH) / tone.sampleRateHz
    let place = (string + 1) * 700
    for (let at = 0; at < samples.length; at++) {
      const seconds = at / tone.sampleRateHz
      const rise = Math.min(1, seconds / attack)
      const fall = Math.min(1, Math.max(0, (held + release - seconds) / release))
      samples[at] = (samples[at] ?? 0) + (table[place | 0] ?? 0) * rise * fall * fall * 0.33
      place += step
      while (place >= TABLE_LENGTH) place -= TABLE_LENGTH
    }
  }
  return samples
}

function struck(table: Float32Array, tone: Tone, decay: number): Float32Array {
  const release = 0.08
  const samples = new Float32Array(Math.ceil((tone.seconds + release) * tone.sampleRateHz))
  const step = (tone.hz * TABLE_LENGTH) / tone.sampleRateHz
  const fade = Math.exp(-decay / tone.sampleRateHz)
  let place = 0
  let level = 1
  for (let at = 0; at < samples.length; at++) {
    const seconds = at / tone.sampleRateHz
    const edge = Math.min(1, seconds / 0.004, (tone.seconds + release - seconds) / release)
    samples[at] = (table[place | 0] ?? 0) * level * edge
    level *= fade
    place += step
    while (place >= TABLE_LENGTH) place -= TABLE_LENGTH
  }
  return samples
}

/** A string by Kevin Karplus and Alex Strong (Computer Music Journal 7:2, 1983). */
function plucked(tone: Tone, random: Random): Float32Array {
  const period = Math.max(2, Math.round(tone.sampleRateHz / tone.hz))
  const samples = new Float32Array(Math.ceil((tone.seconds + 0.6) * tone.sampleRateHz))
  for (let at = 0; at < Math.min(period, samples.length); at++) samples[at] = random.next() * 2 - 1
  for (let at = period; at < samples.length; at++) {
    samples[at] = 0.498 * ((samples[at - period] ?? 0) + (samples[at - period + 1] ?? 0))
  }
  fadeOut(samples, Math.round(0.2 * tone.sampleRateHz))
  return samples
}

function fadeOut(samples: Float32Array, length: number): void {
  const from = Math.max(0, samples.length - length)
  for (let at = from; at < samples.length; at++) {
    samples[at] = ((samples[at] ?? 0) * (samples.length - at)) / length
  }
}

/** A beat of about unit loudness. */
export function drumOf(drum: Drum, sampleRateHz: number, random: Random): Float32Array {
  const seconds = { kick: 0.35, snare: 0.22, hat: 0.07 }[drum]
  const samples = new Float32Array(Math.round(seconds * sampleRateHz))
  let angle = 0
  let before = 0
  for (let at = 0; at < samples.length; at++) {
    const time = at / sampleRateHz
    const noise = random.next() * 2 - 1
    if (drum === 'kick') {
      angle += (2 * Math.PI * (45 + 110 * Math.exp(-time * 28))) / sampleRateHz
      samples[at] = Math.sin(angle) * Math.exp(-time * 9)
    } else if (drum === 'snare') {
      samples[at] = (0.6 * noise + 0.4 * Math.sin(2 * Math.PI * 185 * time)) * Math.exp(-time * 18)
    } else {
      samples[at] = 0.7 * (noise - before) * Math.exp(-time * 60)
      before = noise
    }
  }
  fadeOut(samples, Math.round(samples.length / 8))
  return samples
}
