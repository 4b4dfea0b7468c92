/** What a call asks for, as a digest: for who repeats an `Idempotency-Key` with something else. */
import { createHash } from 'node:crypto'

/** SHA-256 over the parts in their order, hex; where one ends and the next begins counts too. */
export function callDigest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part)
  return hash.digest('hex')
}
