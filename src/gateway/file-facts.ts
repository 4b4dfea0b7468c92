/** What files are, by their own bytes, and which addresses may be named at all. */
import { type MediaFacts, mediaFactsOf } from '#lib/media-facts.ts'
import { type MediaType, mediaTypeOf } from '#lib/media-type.ts'
import { checkUrl } from '#lib/public-url.ts'
import { objectReader } from '#spec/object-store.ts'
import type { GatewayParts } from './parts.ts'

/** From the beginning alone. */
export function typeOf(start: Uint8Array): MediaType {
  return mediaTypeOf(start)
}

export function factsOfObject(
  parts: GatewayParts,
  objectKey: string,
  sizeBytes: number,
): Promise<MediaFacts> {
  return mediaFactsOf(objectReader(parts.media.objects, objectKey, sizeBytes))
}

/** What is wrong with the text of a URL that a client named, to follow its field's name; `undefined`: it may be fetched. */
export function refusalOfUrl(parts: GatewayParts, url: string): string | undefined {
  const { allowedPrivateHosts } = parts.media.settings
  return checkUrl(url, { allowedPrivateHosts, plainHttp: true }).refusal?.complaint
}
