/** Bytes that stand in a request as a data URI (RFC 2397), in time that grows with their number alone. */
import { GatewayError } from '#spec/errors.ts'
import type { MediaInput } from '#spec/media.ts'

/** What stands before the comma: a type and its parameters. Longer is no such thing. */
const LONGEST_HEAD = 1_000
/** Nothing in it can be matched in two ways. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

/** Throws input_rejected where the URI is not whole, or its base64 is none. */
export function bytesOfDataUri({ url, param }: MediaInput): Buffer {
  const comma = url.slice(0, LONGEST_HEAD).indexOf(',')
  if (comma < 0) throw new GatewayError('input_rejected', `${param} is not a whole data URI.`, { param })
  const text = url.slice(comma + 1)
  if (!url.slice(0, comma).includes(';base64')) return percentDecoded(text)
  const digits = text.replaceAll(/\s+/g, '')
  if (BASE64.test(digits)) return Buffer.from(digits, 'base64')
  throw new GatewayError('input_rejected', `${param} is not valid base64.`, { param })
}

/** Of any bytes: those of a picture are no UTF-8. A percent sign before no two digits stands for itself. */
function percentDecoded(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const [high, low] = [digitOf(bytes[at + 1]), digitOf(bytes[at + 2])]
    const isEncoded = bytes[at] === PERCENT && high >= 0 && low >= 0
    bytes[length++] = isEncoded ? high * 16 + low : (bytes[at] ?? 0)
    if (isEncoded) at += 2
  }
  return bytes.subarray(0, length)
}

const PERCENT = 0x25

/** Of a letter's code; -1 where it is no hexadecimal digit. */
function digitOf(code = 0): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
