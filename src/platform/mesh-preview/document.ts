/** The two halves of a binary glTF file, and its JSON read without trust (Khronos, "glTF 2.0 Specification", §4.4). */
import { lettersAt, uint32le } from '#lib/bytes.ts'
import { type Fields, fieldsOf, listOf, whole } from './fields.ts'
import { type Unpack, unpackerFor } from './unpack.ts'
import { need, UnreadableMesh } from './unreadable.ts'

export interface GltfDocument {
  readonly json: Fields
  /** The bytes that buffer 0 is made of. */
  readonly data: DataView
  /** For views that are compressed; `undefined` where none is. */
  readonly unpack: Unpack | undefined
  /** Views that were unpacked, by their place. */
  readonly unpacked: Map<unknown, Uint8Array>
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

/** Opens the file; rejects with UnreadableMesh. */
export async function openDocument(file: Uint8Array): Promise<GltfDocument> {
  if (!isGlb(file)) throw new UnreadableMesh('no binary glTF 2')
  const jsonChunk = chunkAt(file, HEADER_BYTES, 'JSON')
  const dataChunk = chunkAt(file, HEADER_BYTES + CHUNK_HEADER_BYTES + jsonChunk.length, 'BIN\0')
  if (jsonChunk.length > MOST_JSON_BYTES) throw new UnreadableMesh('the JSON is too large')
  const json = parse(jsonChunk)
  const data = new DataView(dataChunk.buffer, dataChunk.byteOffset, dataChunk.byteLength)
  return { json, data, unpack: await unpackerFor(json), unpacked: new Map() }
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

/** What stands at the index of one of the document's lists. */
export function itemOf(document: GltfDocument, list: string, index: unknown): Fields {
  return fieldsOf(need(listOf(document.json[list])[whole(index)] ?? undefined, list))
}
