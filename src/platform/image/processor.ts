/** Thumbnails and transcoding on libvips' own threads: nothing here holds up the event loop (README). */
import sharp, { type Sharp } from 'sharp'
import { readerOfBytes } from '#lib/byte-reader.ts'
import { imageSizeOf } from '#lib/image-size.ts'
import { type MediaTypeName, mediaTypeOf } from '#lib/media-type.ts'
import { Slots } from '#lib/slots.ts'
import {
  ImageFailure,
  type ImageProcessor,
  type Picture,
  type PictureFormat,
} from '#spec/image-processing.ts'

export interface ImageProcessorOptions {
  /** How many images are worked on at once; 2 where nothing is said. Each holds one of the process' four I/O threads. */
  readonly concurrency?: number | undefined
  /** How many may wait for that; 64 where nothing is said. */
  readonly mostWaiting?: number | undefined
  /** From the opening of one image to its last byte, in whole seconds; 15 where nothing is said. */
  readonly timeoutSeconds?: number | undefined
}

/** A 600 kB PNG can hold 14,000 × 14,000. Decoded, a pixel takes up to 10 bytes (PNG of 16 bits, interlaced). */
const MOST_PIXELS = 50_000_000
/** An AVIF is decoded whole, and copied on the way: 18 bytes a pixel. */
const MOST_PIXELS_OF_AVIF = 2 ** 24
const LONGEST_SIDE = 16_384
const MOST_BYTES = 64 * 1024 ** 2
const THUMBNAIL_SIDE = 512

const READABLE: ReadonlySet<MediaTypeName> = new Set(['png', 'jpeg', 'webp', 'gif', 'avif'])
/** Nothing else that libvips could read (SVG, PDF, TIFF …) is ever opened in this process. */
const LOADERS = ['Png', 'Jpeg', 'Webp', 'Nsgif', 'Heif'].map(name => `VipsForeignLoad${name}`)

const EXTENSIONS = { png: 'png', jpeg: 'jpg', webp: 'webp' } as const

/** Makes the processor. It sets libvips up for the whole process: no cache, and no loaders but those of five formats. */
export function createImageProcessor(options: ImageProcessorOptions = {}): ImageProcessor {
  const { concurrency = 2, mostWaiting = 64, timeoutSeconds = 15 } = options
  sharp.cache(false)
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: LOADERS })
  const slots = new Slots(concurrency, mostWaiting)

  async function render(
    image: Uint8Array,
    format: PictureFormat,
    steps: (picture: Sharp) => Sharp,
    signal: AbortSignal | undefined,
  ): Promise<Picture> {
    if (slots.isFull) throw new ImageFailure('busy')
    const release = await slots.take(signal).catch(() => {
      throw new ImageFailure('aborted')
    })
    try {
      return await encode(steps(open(image, timeoutSeconds)), format)
    } finally {
      release()
    }
  }

  return {
    async thumbnail(image, signal) {
      await inspect(image)
      const shrink = (picture: Sharp) =>
        picture
          .resize(THUMBNAIL_SIDE, THUMBNAIL_SIDE, { fit: 'inside', withoutEnlargement: true })
          .webp({ quality: 80 })
      return await render(image, 'webp', shrink, signal)
    },
    async transcode(image, format, signal) {
      const { name, width, height } = await inspect(image)
      if (name === format) return pictureOf(image, format, width, height)
      return await render(image, format, picture => ENCODERS[format](picture), signal)
    },
  }
}

const ENCODERS: Readonly<Record<PictureFormat, (picture: Sharp) => Sharp>> = {
  png: picture => picture.png(),
  jpeg: picture => picture.flatten({ background: 'white' }).jpeg({ quality: 92, chromaSubsampling: '4:4:4' }),
  webp: picture => picture.webp({ quality: 90 }),
}

interface Inspected {
  readonly name: MediaTypeName
  readonly width: number
  readonly height: number
}

/** Refuses, from the headers alone, what is not to be decoded. */
async function inspect(image: Uint8Array): Promise<Inspected> {
  const { name } = mediaTypeOf(image, image.length)
  if (!READABLE.has(name)) throw new ImageFailure('unsupported')
  const size = await imageSizeOf(readerOfBytes(image))
  if (size === undefined) throw new ImageFailure('broken')
  const { width, height } = size
  const mostPixels = name === 'avif' ? MOST_PIXELS_OF_AVIF : MOST_PIXELS
  const isTooLarge = width * height > mostPixels || Math.max(width, height) > LONGEST_SIDE
  if (isTooLarge || image.length > MOST_BYTES) throw new ImageFailure('too-large')
  return { name, width, height }
}

function open(image: Uint8Array, timeoutSeconds: number): Sharp {
  return sharp(image, { limitInputPixels: MOST_PIXELS, failOn: 'error', sequentialRead: true, pages: 1 })
    .timeout({ seconds: timeoutSeconds })
    .autoOrient()
}

async function encode(picture: Sharp, format: PictureFormat): Promise<Picture> {
  try {
    const { data, info } = await picture.toBuffer({ resolveWithObject: true })
    return pictureOf(data, format, info.width, info.height)
  } catch (error) {
    throw new ImageFailure(reasonOf(error))
  }
}

/** libvips says what happened in words only. */
function reasonOf(error: unknown): 'timeout' | 'too-large' | 'broken' {
  const message = error instanceof Error ? error.message : ''
  if (message.startsWith('timeout:')) return 'timeout'
  return message.includes('exceeds pixel limit') ? 'too-large' : 'broken'
}

function pictureOf(bytes: Uint8Array, format: PictureFormat, width: number, height: number): Picture {
  return { bytes, contentType: `image/${format}`, extension: EXTENSIONS[format], width, height }
}
