/**
 * Reads `multipart/form-data` (RFC 7578) out of a body that is already whole and bounded. Parts are views into the body:
 * nothing is copied. A browser, curl, Python's requests and Node's FormData all write what this reads.
 */
import { isUtf8 } from 'node:buffer'
import { GatewayError } from '#spec/errors.ts'

/** One file of a form. */
export interface FormFile {
  /** The name of its field. */
  readonly name: string
  /** As the client named it, without folders; `undefined` where it gave none. */
  readonly fileName: string | undefined
  readonly bytes: Buffer
}

export interface Form {
  /** The text of each field; of a repeated one, the last. */
  readonly fields: ReadonlyMap<string, string>
  readonly files: readonly FormFile[]
}

export interface FormBounds {
  /** How many parts there may be; 32 where nothing is said. */
  readonly maxParts?: number
  /** How long the text of a field may be; 64 KiB where nothing is said. */
  readonly maxFieldBytes?: number
}

const MAX_PARTS = 32
const MAX_FIELD_BYTES = 64 * 1024
const MAX_HEADER_BYTES = 8 * 1024
const CRLF = '\r\n'
const BLANK_LINE = '\r\n\r\n'

/**
 * Reads a form. Throws `unsupported_media_type` where the content type is no form, `invalid_request` where the body is none
 * or holds a field that is not valid UTF-8, and `payload_too_large` beyond a bound.
 */
export function parseForm(
  body: Buffer | undefined,
  contentType: string | undefined,
  { maxParts = MAX_PARTS, maxFieldBytes = MAX_FIELD_BYTES }: FormBounds = {},
): Form {
  const fields = new Map<string, string>()
  const files: FormFile[] = []
  const parts = partsOf(body ?? Buffer.alloc(0), boundaryOf(contentType), maxParts)
  for (const { header, bytes } of parts) {
    const { name, fileName } = dispositionOf(header)
    if (fileName !== undefined) files.push({ name, fileName: baseName(fileName), bytes })
    else fields.set(name, textOf(name, bytes, maxFieldBytes))
  }
  return { fields, files }
}

/** The boundary of 1 to 70 characters that the header names (RFC 2046 §5.1.1). */
function boundaryOf(contentType: string | undefined): string {
  const match = /^\s*multipart\/form-data\s*;(.*)$/is.exec(contentType ?? '')
  const named = /(?:^|;)\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(match?.[1] ?? '')
  const boundary = named?.[1] ?? named?.[2]
  if (boundary !== undefined) return boundary
  throw new GatewayError(
    'unsupported_media_type',
    "Send the file as a form: content-type 'multipart/form-data' with its boundary.",
  )
}

interface Part {
  readonly header: string
  readonly bytes: Buffer
}

function partsOf(body: Buffer, boundary: string, maxParts: number): Part[] {
  const delimiter = Buffer.from(`${CRLF}--${boundary}`)
  const parts: Part[] = []
  let at = body.indexOf(delimiter.subarray(CRLF.length)) === 0 ? delimiter.length - CRLF.length : -1
  if (at === -1) {
    const first = body.indexOf(delimiter)
    if (first === -1) throw malformed('its boundary is nowhere in it')
    at = first + delimiter.length
  }
  while (!isEnd(body, at)) {
    if (parts.length === maxParts) throw tooLarge(`The form has more than ${maxParts} parts.`)
    const start = afterPadding(body, at)
    const end = body.indexOf(delimiter, start - CRLF.length)
    if (end === -1) throw malformed('it ends before its last boundary')
    parts.push(partBetween(body, start, end))
    at = end + delimiter.length
  }
  return parts
}

function isEnd(body: Buffer, at: number): boolean {
  return body[at] === 0x2d && body[at + 1] === 0x2d
}

/** Where a part's headers begin: after the boundary's spaces and its line break. */
function afterPadding(body: Buffer, from: number): number {
  let at = from
  while (body[at] === 0x20 || body[at] === 0x09) at++
  if (body[at] === 0x0d && body[at + 1] === 0x0a) return at + CRLF.length
  throw malformed('a boundary is not followed by a line break')
}

function partBetween(body: Buffer, start: number, end: number): Part {
  const blank = body.indexOf(BLANK_LINE, start)
  if (blank === -1 || blank > end) throw malformed('a part has no headers')
  if (blank - start > MAX_HEADER_BYTES) throw tooLarge('The headers of a part are too long.')
  const header = body.toString('utf8', start, blank)
  return { header, bytes: body.subarray(blank + BLANK_LINE.length, Math.max(end, blank + BLANK_LINE.length)) }
}

function dispositionOf(header: string): { name: string; fileName: string | undefined } {
  const line = header.split(CRLF).find(text => /^content-disposition\s*:/i.test(text)) ?? ''
  if (!/:\s*form-data\s*(;|$)/i.test(line)) throw malformed('a part does not say which field it is')
  const name = parameterOf(line, 'name')
  if (name === undefined) throw malformed('a part does not say which field it is')
  return { name, fileName: encodedParameterOf(line) ?? parameterOf(line, 'filename') }
}

/** Browsers write a quote as `%22`, others as `\"`. */
function parameterOf(line: string, parameter: string): string | undefined {
  const match = new RegExp(`;\\s*${parameter}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`, 'i').exec(line)
  return (match?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? match?.[2])?.replaceAll('%22', '"')
}

/** `filename*=UTF-8''…` (RFC 5987), which some libraries write for names that are not ASCII. */
function encodedParameterOf(line: string): string | undefined {
  const match = /;\s*filename\*=utf-8'[^']*'([^\s;]+)/i.exec(line)
  if (!match) return undefined
  try {
    return decodeURIComponent(match[1] ?? '')
  } catch {
    throw malformed('the name of a file is not valid UTF-8')
  }
}

/** Some clients send a whole path; which folder it was in is nobody's business. */
function baseName(path: string): string | undefined {
  const name = path.split(/[/\\]/).at(-1) ?? ''
  return name === '' || name.includes('\0') ? undefined : name
}

function textOf(name: string, bytes: Buffer, maxBytes: number): string {
  if (bytes.length > maxBytes) throw tooLarge(`The field '${name}' is longer than ${maxBytes} bytes.`)
  const text = bytes.toString('utf8')
  if (isUtf8(bytes) && !text.includes('\0')) return text
  throw new GatewayError('invalid_request', `The field '${name}' is not valid UTF-8 text.`, { param: name })
}

function malformed(why: string): GatewayError {
  return new GatewayError('invalid_request', `The body is not a valid multipart form: ${why}.`)
}

function tooLarge(message: string): GatewayError {
  return new GatewayError('payload_too_large', message)
}
