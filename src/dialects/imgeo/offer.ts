/** The API's own table of models: which there are, what they can be asked for. Prices are the gateway's. */
import type { Gateway } from '#spec/gateway.ts'

export const MODES = ['text2img', 'img2img'] as const
export type Mode = (typeof MODES)[number]

export const ASPECT_RATIOS = [
  ...['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4'],
  ...['9:16', '16:9', '9:21', '21:9'],
] as const

/** Images in one call, where the catalogue says nothing else. */
const MAX_COUNT = 4

/** A row of the API's page. */
interface Row {
  readonly id: string
  readonly name: string
  readonly modes: readonly Mode[]
  readonly negativePrompt: boolean
}

const WORDS = ['text2img'] as const
const WORDS_AND_PICTURES = MODES

const row = (id: string, name: string, modes: readonly Mode[], negativePrompt: boolean): Row => ({
  id,
  name,
  modes,
  negativePrompt,
})

const ROWS: readonly Row[] = [
  row('stability-ai/sdxl', 'SDXL', WORDS_AND_PICTURES, true),
  row('black-forest-labs/flux-kontext-max', 'Flux Kontext Max', WORDS_AND_PICTURES, false),
  row('google/nano-banana', 'Nano Banana', WORDS_AND_PICTURES, true),
  row('google/nano-banana-pro', 'Nano Banana Pro', WORDS_AND_PICTURES, true),
  row('bytedance/seedream-4', 'Seedream 4', WORDS_AND_PICTURES, true),
  row('black-forest-labs/flux-schnell', 'Flux Schnell', WORDS, false),
  row('prunaai/flux-fast', 'Flux Fast', WORDS, false),
  row('black-forest-labs/flux-dev', 'Flux Dev', WORDS, false),
  row('qwen/qwen-image', 'Qwen Image', WORDS, true),
  row('bytedance/seedream-4.5', 'Seedream 4.5', WORDS, true),
  row('google/imagen-4', 'Imagen 4', WORDS, true),
  row('google/imagen-3', 'Imagen 3', WORDS, true),
  row('black-forest-labs/flux-pro', 'Flux Pro', WORDS, false),
  row('stability-ai/stable-diffusion-3.5-large', 'SD 3.5 Large', WORDS, true),
]

/** A model as it is offered here. */
export interface OfferedModel extends Row {
  readonly aspectRatios: readonly string[]
  readonly maxCount: number
  /** For one image. */
  readonly priceNanoUsd: bigint
}

/**
 * Every model of the API's page, in its order: its ratios are those of the API that the model of the catalogue can draw. Throws where
 * one has no fixed price: that is a fault of the installation's data.
 */
export function offeredModels(
  gateway: Pick<Gateway, 'publicModels' | 'fixedPrice'>,
): readonly OfferedModel[] {
  const catalogue = new Map(
    gateway.publicModels().flatMap(model => [model.id, ...model.aliases].map(name => [name, model.media])),
  )
  return ROWS.map(offered => {
    const priceNanoUsd = gateway.fixedPrice('imgeo', offered.id)
    if (priceNanoUsd === undefined) throw new Error(`no fixed price for ${offered.id}`)
    const facts = catalogue.get(offered.id)
    const drawn = facts?.aspectRatios
    return {
      ...offered,
      aspectRatios: ASPECT_RATIOS.filter(ratio => drawn === undefined || drawn.includes(ratio)),
      maxCount: facts?.maxCount ?? MAX_COUNT,
      priceNanoUsd,
    }
  })
}
