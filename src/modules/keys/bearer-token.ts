/** Reads an `Authorization` header (RFC 6750 §2.1). */
import { GatewayError } from '#spec/errors.ts'
import { MAX_SECRET_LENGTH } from './rules.ts'

const BEARER = /^bearer +([\x21-\x7e]+) *$/i
const BEARER_WITHOUT_TOKEN = /^ *(?:bearer *)?$/i

/**
 * The one token of a `Bearer` header; the scheme's case does not matter. Throws `missing_api_key` where there is no
 * token at all and `invalid_api_key` where there is something else.
 */
export function readBearerToken(authorization: string | undefined): string {
  const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]
  if (token !== undefined && token.length <= MAX_SECRET_LENGTH) return token
  if (authorization === undefined || BEARER_WITHOUT_TOKEN.test(authorization)) {
    throw new GatewayError(
      'missing_api_key',
      'No API key was given. Send it in the header "Authorization: Bearer <your key>".',
    )
  }
  throw invalidApiKey()
}

/** One message for a malformed, an unknown and a revoked key: a stranger learns nothing from it. */
export function invalidApiKey(): GatewayError {
  return new GatewayError('invalid_api_key', 'The API key is not valid. Check it, or create a new one.')
}
