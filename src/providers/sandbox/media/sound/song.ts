/** Plays a composition, bar by bar, into a sink. */
import { randomOf } from '../../random.ts'
import { type Composition, compose, type Note } from './composition.ts'
import { drumOf, noteOf } from './instruments.ts'
import type { SoundShape, SoundSink } from './sink.ts'

/** What a note may sound on into the next bars. */
const TAIL_SECONDS = 8
const FADE_IN_SECONDS = 0.03
const FADE_OUT_SECONDS = 2.5

export function playSong(prompt: string, seed: number | string, shape: SoundShape, sink: SoundSink): void {
  const composition = compose(prompt, seed)
  const barSamples = (240 / composition.beatsPerMinute) * shape.sampleRateHz
  const sounds = createSounds(composition, shape.sampleRateHz)
  const mix = createMix(Math.ceil(barSamples + TAIL_SECONDS * shape.sampleRateHz))
  const echo = createEcho(Math.round(barSamples * (3 / 16)))
  for (let nth = 0; nth * barSamples < shape.sampleCount; nth++) {
    const from = Math.round(nth * barSamples)
    const count = Math.min(shape.sampleCount, Math.round((nth + 1) * barSamples)) - from
    for (const note of composition.bar(nth)) {
      mix.add(sounds.of(note), Math.round((note.at / 4) * barSamples), note.gain, note.pan)
    }
    const [left, right] = mix.take(count)
    echo(left, right)
    for (const channel of [left, right]) master(channel, from, shape)
    sink.write(shape.channels === 2 ? [left, right] : [middleOf(left, right)])
  }
}

/** Every note is made once and then played from memory. */
function createSounds(composition: Composition, sampleRateHz: number) {
  const made = new Map<string, Float32Array>()
  return {
    of({ sound }: Note): Float32Array {
      const name = 'drum' in sound ? sound.drum : `${sound.voice} ${sound.key} ${sound.beats}`
      const known = made.get(name)
      if (known !== undefined) return known
      const random = randomOf('instrument', name)
      const samples =
        'drum' in sound
          ? drumOf(sound.drum, sampleRateHz, random)
          : noteOf(
              sound.voice,
              {
                hz: 440 * 2 ** ((sound.key - 69) / 12),
                seconds: (sound.beats * 60) / composition.beatsPerMinute,
                sampleRateHz,
              },
              random,
            )
      made.set(name, samples)
      return samples
    },
  }
}

/** Two channels of which the beginning is taken and the rest moves up. */
function createMix(length: number) {
  const left = new Float32Array(length)
  const right = new Float32Array(length)
  return {
    add(samples: Float32Array, at: number, gain: number, pan: number): void {
      const toLeft = gain * Math.min(1, 1 - pan)
      const toRight = gain * Math.min(1, 1 + pan)
      const count = Math.min(samples.length, length - at)
      for (let nth = 0; nth < count; nth++) {
        const level = samples[nth] ?? 0
        left[at + nth] = (left[at + nth] ?? 0) + level * toLeft
        right[at + nth] = (right[at + nth] ?? 0) + level * toRight
      }
    },
    take(count: number): [Float32Array, Float32Array] {
      const taken: [Float32Array, Float32Array] = [left.slice(0, count), right.slice(0, count)]
      for (const channel of [left, right]) {
        channel.copyWithin(0, count)
        channel.fill(0, length - count)
      }
      return taken
    },
  }
}

/** Each side answers the other, softer and softer. */
function createEcho(delaySamples: number) {
  const left = new Float32Array(delaySamples)
  const right = new Float32Array(delaySamples)
  let at = 0
  return (leftSamples: Float32Array, rightSamples: Float32Array): void => {
    for (let nth = 0; nth < leftSamples.length; nth++) {
      const toLeft = (leftSamples[nth] ?? 0) + 0.28 * (right[at] ?? 0)
      const toRight = (rightSamples[nth] ?? 0) + 0.28 * (left[at] ?? 0)
      left[at] = toLeft
      right[at] = toRight
      leftSamples[nth] = toLeft
      rightSamples[nth] = toRight
      at = at + 1 === delaySamples ? 0 : at + 1
    }
  }
}

/** Bends what is too loud, and fades the piece in and out. `from` is where the samples are in it. */
function master(samples: Float32Array, from: number, { sampleCount, sampleRateHz }: SoundShape): void {
  const fadeIn = FADE_IN_SECONDS * sampleRateHz
  const fadeOut = Math.min(FADE_OUT_SECONDS * sampleRateHz, sampleCount / 4)
  for (let nth = 0; nth < samples.length; nth++) {
    const place = from + nth
    const fade = Math.min(1, place / fadeIn, (sampleCount - place) / fadeOut)
    const level = Math.max(-3, Math.min(3, (samples[nth] ?? 0) * 1.1))
    // A Padé approximant of tanh, which is exactly 1 at 3.
    samples[nth] = (fade * level * (27 + level * level)) / (27 + 9 * level * level)
  }
}

function middleOf(left: Float32Array, right: Float32Array): Float32Array {
  return Float32Array.from(left, (level, nth) => (level + (right[nth] ?? 0)) / 2)
}
