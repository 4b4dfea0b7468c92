/** One image: a scene, or an edit of a given picture, at the asked size. */
import type { ImageFile, ImageOrder } from '../job.ts'
import { createCanvas, sizeWithin } from './canvas.ts'
import { encodeImage } from './encode-image.ts'
import { readPhotograph, tintWith } from './photograph.ts'
import { sceneOf } from './subject.ts'

/** Drawn at most this large and enlarged from there: 8192 × 8192 pixels would be 200 MB in memory. */
const DRAWN_PX = 1_024
/** What a photograph may keep of its detail. */
const PHOTOGRAPH_PX = 2_048

export async function drawImage(order: ImageOrder): Promise<ImageFile> {
  const { widthPx, heightPx, format } = order
  const scene = sceneOf(order.prompt, order.seed)
  const canvas = order.source === undefined ? undefined : await edited(order.source, order, scene)
  const { treatment } = order
  const bytes = await encodeImage(canvas ?? painted(order, scene), order, format, treatment === 'cut-out')
  return { bytes, contentType: `image/${format}`, widthPx, heightPx }
}

function painted(order: ImageOrder, scene: ReturnType<typeof sceneOf>) {
  const size = sizeWithin(order.widthPx, order.heightPx, DRAWN_PX)
  const canvas = createCanvas(size.widthPx, size.heightPx)
  scene.paint(canvas, 0)
  return canvas
}

async function edited(source: Uint8Array, order: ImageOrder, scene: ReturnType<typeof sceneOf>) {
  const size = sizeWithin(order.widthPx, order.heightPx, PHOTOGRAPH_PX)
  const photograph = await readPhotograph(source, size.widthPx, size.heightPx)
  if (order.treatment === undefined || order.treatment === 'edit') tintWith(photograph, scene)
  return photograph
}
