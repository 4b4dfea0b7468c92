/** Which model turns an image into a shape where the client names none. */
import type { MediaPrice, Model, Offering } from '#spec/offering.ts'

const ACTION = 'image2_3d'

/**
 * The cheapest: of the models that make shapes of one image for a price per shape, the one whose cheapest offering takes
 * least, at the most that it can take; of equals, the first by its id. `undefined` where there is none.
 */
export function cheapestMeshModel(models: readonly Model[]): string | undefined {
  let best: { readonly id: string; readonly nanoUsd: bigint } | undefined
  for (const model of models) {
    if (model.operation !== 'mesh' || model.media?.actions.includes(ACTION) !== true) continue
    const nanoUsd = lowestPrice(model.offerings)
    if (nanoUsd === undefined) continue
    const isBetter =
      best === undefined || nanoUsd < best.nanoUsd || (nanoUsd === best.nanoUsd && model.id < best.id)
    if (isBetter) best = { id: model.id, nanoUsd }
  }
  return best?.id
}

function lowestPrice(offerings: readonly Offering[]): bigint | undefined {
  const prices = offerings.flatMap(({ mediaPrice }) => priceOf(mediaPrice) ?? [])
  return prices.reduce<bigint | undefined>(
    (lowest, price) => (lowest === undefined || price < lowest ? price : lowest),
    undefined,
  )
}

/** A price per shape; other units cannot be compared with one. */
function priceOf(price: MediaPrice | undefined): bigint | undefined {
  const rate = price?.byAction[ACTION] ?? price
  return rate?.unit === 'generations' ? rate.nanoUsdPerMillion : undefined
}
