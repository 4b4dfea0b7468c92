/** Pixels as a PNG, JPEG or WebP of any size. */
import sharp, { type Sharp } from 'sharp'
import type { ImageFormat } from '../job.ts'
import type { Canvas } from './canvas.ts'

/** One picture at a time on one thread: the process has other work. */
sharp.concurrency(1)
sharp.cache(false)

/** Scaled to exactly the size; `isCutOut`: nothing is seen outside an oval in its middle. The bytes own their whole buffer, so that they can be handed to another thread. */
export async function encodeImage(
  canvas: Canvas,
  size: { readonly widthPx: number; readonly heightPx: number },
  format: ImageFormat,
  isCutOut = false,
): Promise<Uint8Array<ArrayBuffer>> {
  const { widthPx: width, heightPx: height } = canvas
  const raw = isCutOut
    ? sharp(cutOut(canvas), { raw: { width, height, channels: 4 } })
    : sharp(canvas.pixels, { raw: { width, height, channels: 3 } })
  const image = (isCutOut && format === 'jpeg' ? raw.flatten({ background: '#ffffff' }) : raw).resize(
    size.widthPx,
    size.heightPx,
    { fit: 'fill' },
  )
  const { data } = await encoded(image, format).toUint8Array()
  const owned = data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength
  return owned ? (data as Uint8Array<ArrayBuffer>) : new Uint8Array(data)
}

/** Of half the picture's sides and more; its edge is soft over a hundredth of them. */
const OVAL = 0.85
const EDGE = 0.02

/** The pixels with an opacity each. */
function cutOut({ widthPx, heightPx, pixels }: Canvas): Uint8ClampedArray {
  const cut = new Uint8ClampedArray(widthPx * heightPx * 4)
  for (let row = 0; row < heightPx; row++) {
    const y = (2 * (row + 0.5)) / heightPx - 1
    for (let column = 0; column < widthPx; column++) {
      const x = (2 * (column + 0.5)) / widthPx - 1
      const at = row * widthPx + column
      for (let channel = 0; channel < 3; channel++) cut[at * 4 + channel] = pixels[at * 3 + channel] ?? 0
      cut[at * 4 + 3] = (255 * (OVAL - Math.hypot(x, y))) / EDGE
    }
  }
  return cut
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
