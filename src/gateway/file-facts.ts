/** What files are, by their own bytes, and which addresses may be named at all. */
import { readerOfBytes } from '#lib/byte-reader.ts'
import { type MediaFacts, mediaFactsOf } from '#lib/media-facts.ts'
import { checkUrl } from '#lib/public-url.ts'
import type { InputRole } from '#spec/media.ts'
import { objectReader } from '#spec/object-store.ts'
import type { GatewayParts } from './parts.ts'

/** From the beginning alone. */
export function factsOfStart(start: Uint8Array): Promise<MediaFacts> {
  return mediaFactsOf(readerOfBytes(start))
}

export function factsOfObject(
  parts: GatewayParts,
  objectKey: string,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<MediaFacts> {
  return mediaFactsOf(objectReader(parts.media.objects, objectKey, sizeBytes, signal))
}

/** Vendors take less; larger ones are traps for whoever decodes them. */
const MAX_SIDE_PX = 16_384
const MAX_PICTURE_PX = 100_000_000

/** What is wrong with the size of a picture or film that goes in, to follow its field's name; `undefined`: nothing. */
export function refusalOfSize({ width, height }: Pick<MediaFacts, 'width' | 'height'>): string | undefined {
  if (width === undefined || height === undefined) return undefined
  if (width <= MAX_SIDE_PX && height <= MAX_SIDE_PX && width * height <= MAX_PICTURE_PX) return undefined
  return `has ${width} × ${height} pixels; at most ${MAX_SIDE_PX} a side and ${MAX_PICTURE_PX / 1e6} million in all are taken`
}

/** What is wrong with the text of a URL that a client named, to follow its field's name; `undefined`: it may be fetched. */
export function refusalOfUrl(parts: GatewayParts, url: string): string | undefined {
  const { allowedPrivateHosts } = parts.media.settings
  return checkUrl(url, { allowedPrivateHosts, plainHttp: true }).refusal?.complaint
}

/** What may stand where a request names a file. */
export type InputKind = 'image' | 'video' | 'audio'

export function kindOfRole(role: InputRole): InputKind {
  if (role === 'video' || role === 'reference_video') return 'video'
  return role === 'audio' || role === 'reference_audio' ? 'audio' : 'image'
}

/** `an image file` */
export function article(kind: string): string {
  return /^[aeio]/.test(kind) ? `an ${kind} file` : `a ${kind} file`
}
