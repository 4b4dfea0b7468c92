/** Whatever was thrown, as the one error that clients meet. */
import { GatewayError } from '#spec/errors.ts'
import { ObjectStoreFailure } from '#spec/object-store.ts'

/** Fastify's own refusals, by their codes. Anything else of it would be a fault of ours. */
const FASTIFY_REFUSALS: Readonly<Record<string, () => GatewayError>> = {
  FST_ERR_BAD_URL: () =>
    new GatewayError('invalid_request', 'The path of the URL is not valid percent-encoded UTF-8.'),
  FST_ERR_MAX_PARAM_LENGTH: () => new GatewayError('not_found', 'A segment of the path is too long.'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => unsupportedContentType(),
}

/** `documented` is what the endpoint takes instead of JSON, where it does. */
export function unsupportedContentType(documented?: string | undefined): GatewayError {
  return new GatewayError(
    'unsupported_media_type',
    documented === undefined
      ? 'Send the body as JSON in UTF-8, with the header Content-Type: application/json.'
      : `Send the body as ${documented}, and say so in the header Content-Type.`,
  )
}

export function bodyTooLarge(limitBytes: number): GatewayError {
  return new GatewayError(
    'payload_too_large',
    `The body is larger than this endpoint takes: at most ${limitBytes} bytes (${inMegabytes(limitBytes)}).`,
  )
}

function inMegabytes(bytes: number): string {
  return `${Math.round((bytes / 1_048_576) * 100) / 100} MiB`
}

export function bodyTooSlow(): GatewayError {
  return new GatewayError('request_timeout', 'The body of the request did not arrive in time.')
}

export function bodyMalformed(): GatewayError {
  return new GatewayError('invalid_request', 'The body of the request is not framed as HTTP/1.1 asks.')
}

function storageUnavailable(cause: ObjectStoreFailure): GatewayError {
  const message = 'Files can be neither stored nor read right now. Try again shortly.'
  return new GatewayError('storage_unavailable', message, { cause })
}

/**
 * A GatewayError passes as it is, and storage that is away is said to be. Anything else becomes `internal_error`, whose message says nothing of the cause;
 * the cause is kept for the log.
 */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  if (thrown instanceof ObjectStoreFailure && thrown.reason === 'unavailable')
    return storageUnavailable(thrown)
  const refusal = FASTIFY_REFUSALS[codeOf(thrown)]
  if (refusal) return refusal()
  return new GatewayError(
    'internal_error',
    'Something went wrong on our side. Please quote the request id when you report it.',
    { cause: thrown },
  )
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : ''
}
