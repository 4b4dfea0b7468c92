/**
 * Bytes that only who knows a text can read again: AES-256-GCM under a key drawn from the text by HKDF-SHA-256. As strong as
 * the text is hard to guess. Sealed twice, the same bytes look different.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16

export function seal(bytes: Uint8Array, text: string): Buffer {
  const salt = randomBytes(SALT_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyOf(text, salt), nonce)
  const hidden = Buffer.concat([cipher.update(bytes), cipher.final()])
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), hidden])
}

/** Throws for another text, and for bytes that are not as they were sealed. */
export function unseal(sealed: Uint8Array, text: string): Buffer {
  const at = (from: number, length?: number) =>
    sealed.subarray(from, length === undefined ? undefined : from + length)
  const nonceAt = SALT_BYTES
  const tagAt = nonceAt + NONCE_BYTES
  const decipher = createDecipheriv('aes-256-gcm', keyOf(text, at(0, SALT_BYTES)), at(nonceAt, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(at(tagAt, TAG_BYTES))
  return Buffer.concat([decipher.update(at(tagAt + TAG_BYTES)), decipher.final()])
}

function keyOf(text: string, salt: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', text, salt, 'seal', 32))
}
