/** Bodies of `multipart/form-data` (RFC 7578), whole. */
import { randomBytes } from 'node:crypto'
import type { Json } from '#spec/json.ts'

export interface FilePart {
  readonly bytes: Uint8Array
  readonly contentType: string
  readonly fileName: string
}

export type PartValue = Json | FilePart | readonly (Json | FilePart)[]

export interface EncodedBody {
  readonly contentType: string
  readonly body: string | Uint8Array
}

/** Lists are fields of one name, `brackets` after it where asked; objects are JSON. The order is the fields'. */
export function encodeMultipart(
  fields: Readonly<Record<string, PartValue>>,
  listFields: 'repeat' | 'brackets' = 'repeat',
): EncodedBody {
  const boundary = `part-${randomBytes(18).toString('base64url')}`
  const pieces: Uint8Array[] = []
  for (const [name, value] of Object.entries(fields)) {
    const isList = Array.isArray(value)
    const fieldName = isList && listFields === 'brackets' ? `${name}[]` : name
    for (const one of isList ? value : [value]) pieces.push(...partOf(boundary, fieldName, one))
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`))
  return { contentType: `multipart/form-data; boundary=${boundary}`, body: Buffer.concat(pieces) }
}

function partOf(boundary: string, name: string, value: Json | FilePart): Uint8Array[] {
  const start = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"`
  if (isFilePart(value)) {
    const head = `${start}; filename="${escaped(value.fileName)}"\r\nContent-Type: ${typeText(value.contentType)}\r\n\r\n`
    return [Buffer.from(head), value.bytes, Buffer.from('\r\n')]
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return [Buffer.from(`${start}\r\n\r\n${text}\r\n`)]
}

export function isFilePart(value: unknown): value is FilePart {
  return typeof value === 'object' && value !== null && 'bytes' in value && value.bytes instanceof Uint8Array
}

/** As browsers write names: a name can end neither its quotes nor its line. */
function escaped(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function typeText(contentType: string): string {
  return /^[\w.+-]+\/[\w.+-]+$/.test(contentType) ? contentType : 'application/octet-stream'
}
