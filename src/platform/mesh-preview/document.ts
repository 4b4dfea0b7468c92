/** The two halves of a binary glTF file, and its JSON read without trust (Khronos, "glTF 2.0 Specification", §4.4). */
import { lettersAt, uint32le } from '#lib/bytes.ts'
import { need, UnreadableMesh } from './unreadable.ts'

/** A value of the file's JSON, of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>

export interface GltfDocument {
  readonly json: Fields
  /** The bytes that buffer 0 is made of. */
  readonly data: DataView
}

/** The largest file that is looked into. */
export const MOST_GLB_BYTES = 64 * 1024 ** 2
/** Parsed JSON takes many times the room of its text. */
const MOST_JSON_BYTES = 8 * 1024 ** 2
const HEADER_BYTES = 12
const CHUNK_HEADER_BYTES = 8

/** Whether the first bytes say that the file is binary glTF 2. */
export function isGlb(file: Uint8Array): boolean {
  return lettersAt(file, 0, 4) === 'glTF' && uint32le(file, 4) === 2 && file.length <= MOST_GLB_BYTES
}

/** Opens the file; throws UnreadableMesh. */
export function openDocument(file: Uint8Array): GltfDocument {
  if (!isGlb(file)) throw new UnreadableMesh('no binary glTF 2')
  const jsonChunk = chunkAt(file, HEADER_BYTES, 'JSON')
  const dataChunk = chunkAt(file, HEADER_BYTES + CHUNK_HEADER_BYTES + jsonChunk.length, 'BIN\0')
  if (jsonChunk.length > MOST_JSON_BYTES) throw new UnreadableMesh('the JSON is too large')
  return {
    json: parse(jsonChunk),
    data: new DataView(dataChunk.buffer, dataChunk.byteOffset, dataChunk.byteLength),
  }
}

function chunkAt(file: Uint8Array, at: number, type: string): Uint8Array {
  const start = at + CHUNK_HEADER_BYTES
  const chunk = file.subarray(start, start + uint32le(file, at))
  const isWhole = lettersAt(file, at + 4, 4) === type && chunk.length === uint32le(file, at)
  if (!isWhole) throw new UnreadableMesh('a chunk is missing or cut off')
  return chunk
}

function parse(chunk: Uint8Array): Fields {
  try {
    return fieldsOf(JSON.parse(new TextDecoder().decode(chunk)))
  } catch {
    throw new UnreadableMesh('the JSON is broken')
  }
}

/** An object's fields; none where it is no object. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

/** A list's items; none where it is no list. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** What stands at the index of one of the document's lists. */
export function itemOf(document: GltfDocument, list: string, index: unknown): Fields {
  return fieldsOf(need(listOf(document.json[list])[whole(index)] ?? undefined, list))
}

/** A count, index or offset; the fallback where the file says nothing. */
export function whole(value: unknown, fallback?: number): number {
  const number = value ?? fallback
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw new UnreadableMesh('a count that is none')
}

/** Exactly so many finite numbers; `undefined` where the file says nothing. */
export function numbersOf(value: unknown, count: number): readonly number[] | undefined {
  if (value === undefined) return undefined
  const numbers = listOf(value)
  if (numbers.length === count && numbers.every(Number.isFinite)) return numbers as readonly number[]
  throw new UnreadableMesh('numbers that are none')
}
