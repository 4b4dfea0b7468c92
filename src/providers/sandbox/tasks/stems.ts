/** A track taken apart: each part is a tune of its own, as long as the track. */
import type { ProviderOutput } from '#spec/task-provider.ts'
import type { SoundFile } from '../media/index.ts'
import { textOption } from './order.ts'
import { bounded, parentTune, play, type SongOrder, sourceMs, trackId, tuneOf } from './songs.ts'
import { madeFile, seedOf, type Work, type Workshop } from './workshop.ts'

const PARTS: Readonly<Record<string, readonly string[]>> = {
  separate_vocal: ['vocal', 'instrumental'],
  split_stem: [
    ...['vocal', 'backing_vocals', 'drums', 'bass', 'guitar', 'keyboard'],
    ...['percussion', 'strings', 'synth', 'fx', 'brass', 'woodwinds'],
  ],
}
const STANDARD = ['vocal', 'drums', 'bass', 'other']

/** The part that an instrument belongs to; the first line that fits. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/backing/i, 'backing_vocals'],
  [/synth|pad|arpegg|theremin/i, 'synth'],
  [/vocal|choir|voice/i, 'vocal'],
  [
    /steel drums|congas|bongos|tamb|shaker|percussion|tabla|djembe|taiko|timpani|clap|bell|phone$/i,
    'percussion',
  ],
  [/drum|kick|snare|hat|cymbal|808/i, 'drums'],
  [/bassoon|flute|sax|clarinet|oboe|piccolo|wood|whistle|recorder|bagpipes|didgeridoo/i, 'woodwinds'],
  [/bass/i, 'bass'],
  [/guitar|banjo|mandolin|ukulele|sitar|koto/i, 'guitar'],
  [/piano|rhodes/i, 'piano'],
  [/organ|key|harpsichord|celesta|accordion|melodica|harmonica|music box/i, 'keyboard'],
  [/string|violin|viola|cello|harp|fiddle|orchestra/i, 'strings'],
  [/brass|trumpet|horn|trombone|tuba/i, 'brass'],
]

export interface Stem {
  /** A word of the clients' formats. */
  readonly stem: string
  /** As the client called it. */
  readonly name?: string | undefined
}

/** The parts, in order; one that was asked for by name comes with the rest of the track. */
export function stemsOf(order: SongOrder): readonly Stem[] {
  const type = textOption(order, 'type')
  const name = textOption(order, 'stemName', 'stem_name')
  if (type === 'split_stem_advanced' && name !== undefined) {
    const stem = FAMILIES.find(([words]) => words.test(name))?.[1] ?? 'fx'
    return [{ stem, name }, { stem: 'instrumental' }]
  }
  return ((type === undefined ? undefined : PARTS[type]) ?? STANDARD).map(stem => ({ stem }))
}

/** Every part, and after them the whole track again (`origin`). */
export function stemWork(order: SongOrder, shop: Workshop): Work {
  const outputs = [...stemsOf(order), { stem: 'origin' }].map(
    ({ stem, name }: Stem, index): ProviderOutput => ({
      kind: 'audio',
      role: 'result',
      index,
      source: madeFile(() => playStem(order, name ?? stem, shop)),
      metadata: { id: trackId(order, index), stem, ...(name !== undefined && { name }) },
    }),
  )
  return { outputs }
}

async function playStem(order: SongOrder, stem: string, shop: Workshop): Promise<SoundFile> {
  const whole = (await parentTune(order, shop)) ?? (await tuneOf(order, 0, shop))
  if (stem === 'origin') return play(whole, shop)
  const durationMs = bounded((await sourceMs(order, shop)) ?? whole.durationMs)
  return play({ ...whole, prompt: stem, seed: `${whole.seed}/${seedOf(order, 0)}/${stem}`, durationMs }, shop)
}
