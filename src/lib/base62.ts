/** Digits, upper-case and lower-case letters: text that a double click selects whole and a URL never escapes. */

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** The largest multiple of 62 that fits in a byte: bytes from here on are thrown away, so that no digit is favoured. */
const UNBIASED_BELOW = 248

/** Gives so many random bytes. */
export type RandomBytes = (count: number) => Uint8Array

/** So many base62 digits, each equally likely where the bytes are. */
export function randomBase62(length: number, randomBytes: RandomBytes): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length)) {
      if (byte < UNBIASED_BELOW) text += ALPHABET.charAt(byte % 62)
    }
  }
  return text
}

/** A non-negative safe integer in base62, padded with `0` to the width. Throws a RangeError where it does not fit. */
export function toBase62(value: number, width: number): string {
  let text = ''
  for (let left = value; text.length < width; left = Math.floor(left / 62)) {
    text = ALPHABET.charAt(left % 62) + text
  }
  if (value >= 62 ** width || value < 0)
    throw new RangeError(`${value} does not fit in ${width} base62 digits`)
  return text
}
