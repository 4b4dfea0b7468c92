/** Pixels as a PNG, JPEG or WebP of any size. */
import sharp, { type Sharp } from 'sharp'
import type { ImageFormat } from '../job.ts'
import type { Canvas } from './canvas.ts'

/** One picture at a time on one thread: the process has other work. */
sharp.concurrency(1)
sharp.cache(false)

/** Scaled to exactly the size. The bytes own their whole buffer, so that they can be handed to another thread. */
export async function encodeImage(
  canvas: Canvas,
  size: { readonly widthPx: number; readonly heightPx: number },
  format: ImageFormat,
): Promise<Uint8Array<ArrayBuffer>> {
  const image = sharp(canvas.pixels, {
    raw: { width: canvas.widthPx, height: canvas.heightPx, channels: 3 },
  }).resize(size.widthPx, size.heightPx, { fit: 'fill' })
  const { data } = await encoded(image, format).toUint8Array()
  const owned = data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength
  return owned ? (data as Uint8Array<ArrayBuffer>) : new Uint8Array(data)
}

function encoded(image: Sharp, format: ImageFormat): Sharp {
  switch (format) {
    case 'png':
      // Adaptive filters make smooth pictures a seventh of the size in the same time.
      return image.png({ compressionLevel: 3, adaptiveFiltering: true })
    case 'jpeg':
      return image.jpeg({ quality: 88 })
    case 'webp':
      return image.webp({ quality: 85, effort: 1 })
  }
}
