/** Decodes a model's images on libvips' own threads, as large as they are needed. */
import sharp, { type Sharp } from 'sharp'
import type { WantedImage } from './images.ts'
import type { DecodedImage } from './mipmaps.ts'

/** One that is decoded whole before any of it can be made smaller. */
const MOST_PIXELS_WHOLE = 2 ** 24

/** `undefined` where the image is broken, larger than its header says, or not done in time. It never rejects. */
export async function decodeImage(wanted: WantedImage, seconds: number): Promise<DecodedImage | undefined> {
  try {
    const open = () =>
      sharp(wanted.bytes, {
        limitInputPixels: wanted.pixels,
        failOn: 'error',
        sequentialRead: true,
        pages: 1,
        // A texture's colours are what its material says, whatever profile the file brings (§3.8.3).
        ignoreIcc: true,
      }).timeout({ seconds })
    const { format, hasAlpha, isProgressive } = await open().metadata()
    const isWhole = isProgressive || format === 'webp' || (hasAlpha && !wanted.keepsAlpha)
    if (isWhole && wanted.pixels > MOST_PIXELS_WHOLE) return undefined
    const source = hasAlpha && !wanted.keepsAlpha ? await withoutAlpha(open(), seconds) : open()
    return await pixelsOf(source, wanted.sidePx)
  } catch {
    return undefined
  }
}

/** In a step of its own: what has no alpha is black once it was made smaller by way of it. */
async function withoutAlpha(picture: Sharp, seconds: number): Promise<Sharp> {
  const { data, info } = await picture
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  return sharp(data, { raw: { width, height, channels } }).timeout({ seconds })
}

async function pixelsOf(picture: Sharp, sidePx: number): Promise<DecodedImage | undefined> {
  const { data, info } = await picture
    .resize(sidePx, sidePx, { fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const isWhole = (channels === 3 || channels === 4) && data.length === width * height * channels
  // Bytes of one's own, to be given away.
  return isWhole ? { width, height, channels, pixels: new Uint8Array(data) } : undefined
}
