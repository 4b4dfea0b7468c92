/** Addresses that clients name. Whether one may be fetched is decided where it is fetched. */
import { z } from 'zod'

/** Presigned links are long. */
const MAX_URL_CHARS = 8_192

export function isWebUrl(text: string): boolean {
  if (text.length > MAX_URL_CHARS || !URL.canParse(text)) return false
  return /^https?:$/.test(new URL(text).protocol)
}

/** An http or https address. */
export const webUrl = z.string().refine(isWebUrl, 'it must be an http or https address')
