/** The images that surfaces use, found in the file, weighed by their headers, and decoded by somebody else. */
import { readerOfBytes } from '#lib/byte-reader.ts'
import { imageSizeOf } from '#lib/image-size.ts'
import { type MediaTypeName, mediaTypeOf } from '#lib/media-type.ts'
import { bytesOfView } from './accessor.ts'
import { type GltfDocument, itemOf, MOST_GLB_BYTES } from './document.ts'
import type { TextureUse } from './material.ts'
import { type DecodedImage, Mipmaps } from './mipmaps.ts'
import { ifReadable, UnreadableMesh } from './unreadable.ts'

/** An image to decode: a PNG, JPEG or WebP by its first bytes. */
export interface WantedImage {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** What its header says. One that turns out to be larger is not to be decoded. */
  readonly pixels: number
  /** No side is to be longer. */
  readonly sidePx: number
  /** Whether its alpha counts; without, its colours count everywhere. */
  readonly keepsAlpha: boolean
}

/** `undefined` for an image that cannot be had. It never rejects. */
export type DecodeImage = (wanted: WantedImage) => Promise<DecodedImage | undefined>

/** The images of a model, by what is asked of them. */
export type ModelImages = ReadonlyMap<string, Mipmaps>

/** More than these are left out, in the order in which surfaces use them. */
const MOST_IMAGES = 128
/** Of the model's images together, as decoded; each pixel takes 11 bytes while it is drawn with. */
const MOST_DECODED_PIXELS = 2 ** 23
const LONGEST_SIDE_PX = 2_048
/** Of one image, and of all together, as their headers say: what decoding costs. */
const MOST_PIXELS = 2 ** 26
const MOST_PIXELS_OF_ALL = 2 ** 27

const READABLE: ReadonlySet<MediaTypeName> = new Set(['png', 'jpeg', 'webp'])

/** What tells an image apart: the same one may be used with its alpha and without. */
export function keyOf({ image, keepsAlpha }: TextureUse): string {
  return `${image}${keepsAlpha ? ' with alpha' : ''}`
}

/** Those that can be had. They are asked for one after the other, and do not depend on how long that takes. */
export async function imagesOf(
  document: GltfDocument,
  uses: readonly TextureUse[],
  decode: DecodeImage,
): Promise<ModelImages> {
  const wanted = new Map<string, TextureUse>()
  for (const use of uses) if (wanted.size < MOST_IMAGES) wanted.set(keyOf(use), use)
  const sidePx = sideFor(wanted.size)
  const images = new Map<string, Mipmaps>()
  let pixelsLeft = MOST_PIXELS_OF_ALL
  let bytesLeft = MOST_GLB_BYTES
  for (const [key, { image, keepsAlpha }] of wanted) {
    const bytes = ifReadable(() => bytesOfImage(document, image))
    const pixels = bytes && (await pixelsOf(bytes))
    if (pixels === undefined || pixels > pixelsLeft || bytes === undefined || bytes.length > bytesLeft)
      continue
    pixelsLeft -= pixels
    bytesLeft -= bytes.length
    const decoded = await decode({ bytes: new Uint8Array(bytes), pixels, sidePx, keepsAlpha })
    if (decoded !== undefined) images.set(key, new Mipmaps(decoded))
  }
  return images
}

/** A power of two, so that all images together stay within their bound. */
function sideFor(images: number): number {
  const fitting = Math.sqrt(MOST_DECODED_PIXELS / Math.max(1, images))
  return Math.min(LONGEST_SIDE_PX, 2 ** Math.floor(Math.log2(fitting)))
}

async function pixelsOf(bytes: Uint8Array): Promise<number | undefined> {
  if (!READABLE.has(mediaTypeOf(bytes, bytes.length).name)) return undefined
  const size = await imageSizeOf(readerOfBytes(bytes))
  const pixels = size && size.width * size.height
  return pixels !== undefined && pixels <= MOST_PIXELS ? pixels : undefined
}

/** Only what is in the file: an address is never followed. */
function bytesOfImage(document: GltfDocument, index: number): Uint8Array {
  const { uri, bufferView } = itemOf(document, 'images', index)
  if (uri === undefined) return bytesOfView(document, bufferView)
  const written = typeof uri === 'string' ? BASE64_URI.exec(uri.slice(0, LONGEST_URI_HEAD)) : null
  if (typeof uri !== 'string' || written === null) throw new UnreadableMesh('an image elsewhere')
  return Buffer.from(uri.slice(written[0].length), 'base64')
}

const BASE64_URI = /^data:[^,]*;base64,/i
const LONGEST_URI_HEAD = 100
