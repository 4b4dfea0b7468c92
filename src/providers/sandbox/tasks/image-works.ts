/** Pictures: drawn, or derived from what was sent in. */
import type { ImageRequest } from '#spec/image.ts'
import type { PixelSize } from '#spec/media.ts'
import type { ProviderOutput } from '#spec/task-provider.ts'
import type { ImageFile } from '../media/index.ts'
import { enlargementOf, type TaskOrder } from './order.ts'
import { imageSize, isLarger, scaled } from './sizes.ts'
import {
  factsOf,
  madeFile,
  PICTURE_ROLES,
  readInput,
  seedOf,
  sizeOf,
  subjectOf,
  type Work,
  type Workshop,
  withSource,
} from './workshop.ts'

/** Edits that leave the picture's own size as it is. */
const KEEPING: ReadonlySet<string> = new Set([
  ...[
    'img2img',
    'inpaint',
    'remove_background',
    'replace_background',
    'relight',
    'restyle',
    'erase',
    'colorize',
  ],
  ...['restore', 'vectorize', 'segment', 'layer_decompose', 'controlnet', 'virtual_try_on'],
])
/** What is not redrawn. */
const TREATMENTS: Readonly<Record<string, 'keep' | 'cut-out'>> = {
  upscale: 'keep',
  reframe: 'keep',
  outpaint: 'keep',
  vectorize: 'keep',
  restore: 'keep',
  remove_background: 'cut-out',
  transparent: 'cut-out',
}
/** What becomes of a picture that is kept, whatever its own size: more than this costs seconds. */
const LARGEST_KEPT_PX = 4_096

export function imageWork(order: TaskOrder<ImageRequest>, shop: Workshop): Work {
  const outputs = Array.from(
    { length: order.count },
    (_, index): ProviderOutput => ({
      kind: 'image',
      role: 'result',
      index,
      source: madeFile(() => drawPicture(order, index, shop)),
      metadata: {},
    }),
  )
  return { outputs }
}

async function drawPicture(
  order: TaskOrder<ImageRequest>,
  index: number,
  shop: Workshop,
): Promise<ImageFile> {
  const { request } = order
  const given = await readInput(order, shop, PICTURE_ROLES)
  const givenSize = given && sizeOf(await factsOf(given))
  const size = sizeFor(order, givenSize)
  return withSource(givenSize && given, source =>
    shop.studio.drawImage(
      {
        prompt: subjectOf(order),
        seed: seedOf(order, index, order.action),
        ...size,
        format: request.format ?? 'png',
        source,
        treatment: TREATMENTS[order.action],
      },
      shop.context.signal,
    ),
  )
}

function sizeFor(order: TaskOrder<ImageRequest>, source: PixelSize | undefined): PixelSize {
  const { request, action } = order
  if (action === 'upscale') return enlarged(order, source)
  const isKept =
    KEEPING.has(action) &&
    source !== undefined &&
    Math.max(source.widthPx, source.heightPx) <= LARGEST_KEPT_PX
  return imageSize(request, source, isKept)
}

/**
 * As large as was asked for, or so many times as large as the source, which where it cannot be read is taken to be an
 * ordinary picture. A size class below the source's own, which may be the model's default, makes nothing smaller.
 */
function enlarged(order: TaskOrder<ImageRequest>, source: PixelSize | undefined): PixelSize {
  const { request } = order
  const before = source ?? imageSize({ aspectRatio: request.aspectRatio }, undefined, false)
  const named = imageSize(request, before, true)
  if (request.size !== undefined || isLarger(named, before)) return named
  return imageSize({ size: scaled(before, enlargementOf(order)) }, undefined, false)
}
