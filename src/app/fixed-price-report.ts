/** Which configured providers cost more than a fixed price takes: told at boot, so that nobody loses money unawares. */
import { type Catalog, completeMedia } from '#modules/catalog/index.ts'
import { dearerThanFixed, fixedPrices } from '#modules/pricing/index.ts'
import type { ImageRequest } from '#spec/image.ts'
import { dollarsFromNanoUsd } from '#spec/money.ts'

export interface DearOffering {
  readonly dialect: string
  readonly model: string
  readonly offering: string
  readonly fixedUsd: string
}

/** By an ordinary call: one square picture from words. */
export function dearOfferings(catalog: Catalog, configured: ReadonlySet<string>): DearOffering[] {
  return fixedPrices().flatMap(({ dialect, model: name, nanoUsdPerImage }) => {
    const model = catalog.find(name, 'live')
    if (!model?.media) return []
    const request = completeMedia(model, ordinary(name))
    return model.offerings.flatMap(offering => {
      const { mediaPrice } = offering
      if (!mediaPrice || !configured.has(offering.provider)) return []
      if (!dearerThanFixed({ request, model, offering: { ...offering, mediaPrice } }, nanoUsdPerImage))
        return []
      return [{ dialect, model: name, offering: offering.id, fixedUsd: dollarsFromNanoUsd(nanoUsdPerImage) }]
    })
  })
}

function ordinary(model: string): ImageRequest {
  return {
    operation: 'image',
    model,
    action: 'text2img',
    prompt: 'a cat',
    negativePrompt: undefined,
    inputs: [],
    count: 1,
    seed: undefined,
    options: {},
    aspectRatio: undefined,
    resolution: undefined,
    size: undefined,
    format: undefined,
  }
}
