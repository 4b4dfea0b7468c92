/** What the head of a request must be, before a byte of its body is read. */
import type { IncomingMessage } from 'node:http'
import type { Endpoint } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { bodyTooLarge, unsupportedContentType } from './failure.ts'

const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/
/** `application/json`, `application/vnd.x+json`, `text/json`. */
const JSON_TYPE = /^(?:application\/(?:[\w.-]+\+)?json|text\/json)$/
const UTF_8 = /^(?:utf-?8|us-ascii)$/

/** Checked before anybody is asked who they are: without these there is no request to speak of. Throws. */
export function checkHttp(request: IncomingMessage, maxHeaders: number): void {
  if (request.headers.host === undefined && request.httpVersion === '1.1') {
    throw new GatewayError('invalid_request', 'The Host header is missing.')
  }
  if (request.rawHeaders.length > 2 * maxHeaders) {
    throw new GatewayError('invalid_request', `The request has more than ${maxHeaders} header fields.`)
  }
}

/** Checked when it is known who asks, in the order of the error table: type, size, then the rest. Throws. */
export function checkBodyHead(
  request: IncomingMessage,
  { bodyLimitBytes: limitBytes, reference }: Endpoint,
): void {
  const { headers } = request
  if (hasBody(request)) {
    checkEncoding(headers['content-encoding'])
    // A missing type is taken for JSON: the parser will say whether it is.
    const type = headers['content-type']
    const isTaken = type === undefined || type === 'application/json' || isJson(type)
    const documented = reference?.body?.contentType
    if (!isTaken && !isType(type, documented)) throw unsupportedContentType(documented)
    if (Number(headers['content-length'] ?? 0) > limitBytes) throw bodyTooLarge(limitBytes)
  }
  const key = headers['idempotency-key']
  if (key !== undefined && !(typeof key === 'string' && IDEMPOTENCY_KEY.test(key))) {
    throw new GatewayError('invalid_request', 'An Idempotency-Key is 1 to 255 printable ASCII characters.', {
      param: 'Idempotency-Key',
    })
  }
}

/** Whether it is the one type that the endpoint documents instead of JSON, whatever its parameters. */
function isType(contentType: string, documented: string | undefined): boolean {
  return documented !== undefined && contentType.toLowerCase().split(';')[0]?.trim() === documented
}

function isJson(contentType: string): boolean {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';')
  if (!JSON_TYPE.test(type.trim())) return false
  return parameters.every(parameter => {
    const [name = '', value = ''] = parameter.split('=')
    return name.trim() !== 'charset' || UTF_8.test(value.trim().replaceAll('"', ''))
  })
}

/** A compressed body could be small on the wire and unbounded in memory. */
function checkEncoding(encoding: string | undefined): void {
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return
  throw new GatewayError(
    'unsupported_media_type',
    'Compressed request bodies are not accepted. Send the body without Content-Encoding.',
  )
}

/** Whether the head announced a body. Node calls back before it knows that a request without one is complete. */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}
