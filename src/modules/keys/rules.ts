/**
 * What a secret looks like. A secret is, after the prefix of its mode, 48 base62 characters:
 *
 *   sk-aig-  00  u0mT…40 random…9  2xK4fQ
 *   prefix   cell hint             CRC-32 of everything before it
 *
 * The tail has a fixed length, so the prefix is exactly what stands before it. That is why a live prefix may be
 * the beginning of the test prefix (`sk-aig-` and `sk-aig-test-`) and no secret can ever be read as both.
 */
import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type RandomBytes, randomBase62, toBase62 } from '#lib/base62.ts'
import type { Mode } from '#spec/account.ts'

/** What a secret of each mode begins with. The two differ; each ends in a character outside base62. */
export interface KeyPrefixes {
  readonly live: string
  readonly test: string
}

export const DEFAULT_KEY_PREFIXES: KeyPrefixes = { live: 'sk-aig-', test: 'sk-aig-test-' }

/** Which cell of a larger installation a key lives in, for a router in front. One cell today; ignored on reading. */
const CELL = '00'
/** 238 bits: no list of guesses comes near. */
const RANDOM_LENGTH = 40
/** Base62 digits that hold any 32-bit number. */
const CHECKSUM_LENGTH = 6
const TAIL_LENGTH = CELL.length + RANDOM_LENGTH + CHECKSUM_LENGTH
const BASE62 = /^[0-9A-Za-z]+$/
const PREFIX = /^[0-9A-Za-z_-]{0,31}[_-]$/

/** A secret that we did not make: what an operator may import. */
const IMPORTED_SECRET = /^sk-[\x21-\x7e]{21,253}$/

/** Why a text is not a secret of ours, in the order of the checks: the cheapest first. */
export type SecretFault = 'length' | 'charset' | 'prefix' | 'checksum'

export type SecretInspection =
  | { readonly genuine: true; readonly mode: Mode }
  | { readonly genuine: false; readonly fault: SecretFault }

/** Throws a RangeError that says what is wrong with the prefixes of a configuration. */
export function assertKeyPrefixes(prefixes: KeyPrefixes): void {
  for (const prefix of [prefixes.live, prefixes.test]) {
    if (!PREFIX.test(prefix)) {
      throw new RangeError(
        `The key prefix "${prefix}" must have at most 32 letters, digits, "-" and "_", and end in "-" or "_".`,
      )
    }
  }
  if (prefixes.live === prefixes.test) {
    throw new RangeError(`Live and test keys must not share the prefix "${prefixes.live}".`)
  }
}

/** A fresh secret. `randomBytes` must be cryptographic. */
export function createSecret(randomBytes: RandomBytes, prefix: string): string {
  const body = prefix + CELL + randomBase62(RANDOM_LENGTH, randomBytes)
  return body + checksumOf(body)
}

/** Tells without a database whether a text can be a secret of ours, and of which mode. */
export function inspectSecret(secret: string, prefixes: KeyPrefixes): SecretInspection {
  const prefixLength = secret.length - TAIL_LENGTH
  if (prefixLength !== prefixes.live.length && prefixLength !== prefixes.test.length) return fault('length')
  if (!BASE62.test(secret.slice(prefixLength))) return fault('charset')
  const prefix = secret.slice(0, prefixLength)
  if (prefix !== prefixes.live && prefix !== prefixes.test) return fault('prefix')
  const body = secret.slice(0, -CHECKSUM_LENGTH)
  if (checksumOf(body) !== secret.slice(-CHECKSUM_LENGTH)) return fault('checksum')
  return { genuine: true, mode: prefix === prefixes.live ? 'live' : 'test' }
}

function fault(reason: SecretFault): SecretInspection {
  return { genuine: false, fault: reason }
}

function checksumOf(body: string): string {
  return toBase62(crc32(body), CHECKSUM_LENGTH)
}

/** Whether an operator may import this text as a key: 24 to 256 visible ASCII characters beginning `sk-`. */
export function isImportable(secret: string): boolean {
  return IMPORTED_SECRET.test(secret)
}

/** No secret is longer, ours or imported: a longer text is refused before it is hashed. */
export const MAX_SECRET_LENGTH = 256

/** SHA-256 of a secret: 32 bytes. A slow hash would add nothing, since no secret can be guessed. */
export function digestOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

/** How a key is told apart on a screen: `sk-aig-…x7Kd`. */
export function displayOf(secret: string, prefix: string): string {
  return `${prefix}…${secret.slice(-4)}`
}

const MODEL_PATTERN = /^[^\s*]{1,199}(?:\/\*)?$/

/** Whether a text may stand in a key's list of models: a canonical id, or `vendor/*`. */
export function isModelPattern(text: string): boolean {
  return MODEL_PATTERN.test(text)
}

/** Whether a key with this list may name the model; `undefined` allows every model. Give it the canonical id. */
export function allowsModel(
  allowedModels: readonly string[] | undefined,
  model: { readonly id: string; readonly vendor: string },
): boolean {
  if (allowedModels === undefined) return true
  return allowedModels.some(allowed =>
    allowed.endsWith('/*') ? allowed === `${model.vendor}/*` : allowed === model.id,
  )
}
