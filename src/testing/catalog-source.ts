/** A catalogue for a test, written as its files are. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { z } from 'zod'
import { type Catalog, loadCatalog } from '#modules/catalog/index.ts'
import type { modelSchema } from '#spec/offering.ts'

/** As a catalogue file writes it. */
export type ModelSource = z.input<typeof modelSchema>

/** A chat model at `alpha` for $1 and $4 a million tokens, unless the fields say otherwise. */
export function chatModel(id: string, fields: Partial<ModelSource> = {}): ModelSource {
  return {
    id,
    name: id,
    vendor: 'acme',
    operation: 'chat',
    context_tokens: 100_000,
    max_output_tokens: 8_192,
    offerings: [offering('alpha', id)],
    ...fields,
  }
}

/** An offering at a price in dollars for a million tokens of input and output; `undefined`: no price is known. */
export function offering(
  provider: string,
  upstreamModel: string,
  price: { input: string; output: string } | undefined = { input: '1', output: '4' },
): NonNullable<ModelSource['offerings']>[number] {
  return {
    provider,
    upstream_model: upstreamModel,
    ...(price && { price_usd_per_million_tokens: price }),
  }
}

/** An image model at `alpha` for $0.01 a picture, unless the fields say otherwise. */
export function imageModel(id: string, fields: Partial<ModelSource> = {}): ModelSource {
  return {
    id,
    name: id,
    vendor: 'acme',
    operation: 'image',
    media: { actions: ['text2img', 'img2img'] },
    offerings: [imageOffering('alpha', '0.01')],
    ...fields,
  }
}

/** A price in dollars for one picture. */
export function imageOffering(provider: string, usd: string): NonNullable<ModelSource['offerings']>[number] {
  return { provider, upstream_model: `${provider}-image`, price: { unit: 'image', usd } }
}

/** Loads the models as an operator's folder. */
export function catalogOf(models: readonly ModelSource[]): Catalog {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-catalog-'))
  try {
    writeFileSync(join(folder, 'models.json'), JSON.stringify({ models }))
    return loadCatalog({ folders: [folder] })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
