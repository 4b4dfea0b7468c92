/** A sound effect: layers of coloured noise and gliding tones, each with a course of its own. */
import { type Random, randomOf } from '../../random.ts'
import type { SoundShape, SoundSink } from './sink.ts'

interface Layer {
  readonly kind: 'noise' | 'tone'
  /** Where in the effect it begins and how long it is, as shares. */
  readonly from: number
  readonly length: number
  readonly startHz: number
  readonly endHz: number
  /** Share of its length until it is loudest. */
  readonly attack: number
  /** How steeply it fades. */
  readonly fade: number
  readonly gain: number
  readonly pan: number
}

const BLOCK_SAMPLES = 8_192

export function playEffect(prompt: string, seed: number | string, shape: SoundShape, sink: SoundSink): void {
  const random = randomOf('effect', prompt, String(seed))
  const layers = Array.from({ length: 2 + random.below(3) }, (_, nth) => layerOf(random, nth))
  const players = layers.map(layer => createPlayer(layer, shape, random))
  for (let from = 0; from < shape.sampleCount; from += BLOCK_SAMPLES) {
    const count = Math.min(BLOCK_SAMPLES, shape.sampleCount - from)
    const left = new Float32Array(count)
    const right = new Float32Array(count)
    for (const play of players) play(from, left, right)
    sink.write(shape.channels === 2 ? [left, right] : [left])
  }
}

/** The first one fills the whole effect, so that no length of it is silent. */
function layerOf(random: Random, nth: number): Layer {
  const from = nth === 0 ? 0 : random.next() * 0.6
  const startHz = 80 * 2 ** (random.next() * 5)
  return {
    kind: random.chance(0.6) ? 'noise' : 'tone',
    from,
    length: nth === 0 ? 1 : (1 - from) * (0.3 + 0.7 * random.next()),
    startHz,
    endHz: startHz * 2 ** (random.next() * 4 - 2),
    attack: random.chance(0.5) ? 0.02 : 0.2 + random.next() * 0.6,
    fade: 0.6 + random.next() * 2,
    gain: 0.25 + random.next() * 0.25,
    pan: random.next() - 0.5,
  }
}

/** Adds the layer's part of a block that begins at a place of the effect. Blocks come in order. */
function createPlayer(layer: Layer, { sampleCount, sampleRateHz }: SoundShape, random: Random) {
  const begin = layer.from * sampleCount
  const length = layer.length * sampleCount
  let angle = 0
  let low = 0
  let band = 0
  return (from: number, left: Float32Array, right: Float32Array): void => {
    for (let nth = 0; nth < left.length; nth++) {
      const share = (from + nth - begin) / length
      if (share < 0 || share >= 1) continue
      const hz = layer.startHz * (layer.endHz / layer.startHz) ** share
      const rise = Math.min(1, share / layer.attack)
      const loudness = layer.gain * rise * (1 - share) ** layer.fade
      angle += (2 * Math.PI * hz) / sampleRateHz
      // A state-variable filter (Hal Chamberlin): what is near the frequency passes.
      const tuning = 2 * Math.sin(Math.min(0.5, (Math.PI * hz) / sampleRateHz))
      low += tuning * band
      band += tuning * (random.next() * 2 - 1 - low - 0.4 * band)
      const level = loudness * (layer.kind === 'tone' ? Math.sin(angle + 2 * Math.sin(angle * 1.41)) : band)
      left[nth] = (left[nth] ?? 0) + level * Math.min(1, 1 - layer.pan)
      right[nth] = (right[nth] ?? 0) + level * Math.min(1, 1 + layer.pan)
    }
  }
}
