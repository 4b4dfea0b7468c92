/** Buffer views that are compressed (EXT_meshopt_compression and its successor), unpacked when they are first read. */
import { type Fields, fieldsOf, listOf, whole } from './fields.ts'
import { need, UnreadableMesh } from './unreadable.ts'

/** The bytes of a view, of which the packed ones are given; throws UnreadableMesh. */
export type Unpack = (packing: Fields, packed: Uint8Array) => Uint8Array<ArrayBuffer>

/** Of all views of a file together; the unpacker itself holds the largest once more. */
const MOST_UNPACKED_BYTES = 128 * 1024 ** 2

/** How a view says that it is compressed; `undefined` where it is not. */
export function packingOf({ extensions }: Fields): Fields | undefined {
  const { EXT_meshopt_compression, KHR_meshopt_compression } = fieldsOf(extensions)
  const packing = KHR_meshopt_compression ?? EXT_meshopt_compression
  return packing === undefined ? undefined : fieldsOf(packing)
}

/** For a file that has such views; `undefined` for any other, which needs none of it. */
export async function unpackerFor(json: Fields): Promise<Unpack | undefined> {
  const isPacked = listOf(json.bufferViews).some(view => packingOf(fieldsOf(view)) !== undefined)
  if (!isPacked) return undefined
  const { MeshoptDecoder: decoder } = await import('meshoptimizer/decoder')
  await decoder.ready
  let bytesLeft = MOST_UNPACKED_BYTES
  return (packing, packed) => {
    const { count, stride, mode, filter } = layoutOf(packing)
    bytesLeft -= count * stride
    if (bytesLeft < 0) throw new UnreadableMesh('too much to unpack')
    const unpacked = new Uint8Array(count * stride)
    try {
      decoder.decodeGltfBuffer(unpacked, count, stride, packed, mode, filter)
    } catch {
      throw new UnreadableMesh('packed bytes that are none')
    }
    return unpacked
  }
}

/** What each mode and filter may be used on: whether numbers of so many bytes each are such. */
const MODES: ReadonlyMap<unknown, (stride: number) => boolean> = new Map([
  ['ATTRIBUTES', stride => stride > 0 && stride <= 256 && stride % 4 === 0],
  ['TRIANGLES', stride => stride === 2 || stride === 4],
  ['INDICES', stride => stride === 2 || stride === 4],
])
const FILTERS: ReadonlyMap<unknown, (stride: number) => boolean> = new Map([
  ['OCTAHEDRAL', stride => stride === 4 || stride === 8],
  ['QUATERNION', stride => stride === 8],
  ['EXPONENTIAL', stride => stride % 4 === 0],
  ['COLOR', stride => stride === 4 || stride === 8],
])

function layoutOf({ count, byteStride, mode, filter = 'NONE' }: Fields) {
  const [elements, stride] = [whole(count), whole(byteStride)]
  const isLaidOut = need(MODES.get(mode), 'mode')(stride)
  const isTriangles = mode !== 'TRIANGLES' || elements % 3 === 0
  const isFiltered =
    filter === 'NONE' || (mode === 'ATTRIBUTES' && need(FILTERS.get(filter), 'filter')(stride))
  if (!isLaidOut || !isTriangles || !isFiltered) throw new UnreadableMesh('packed in no known way')
  return { count: elements, stride, mode: String(mode), filter: String(filter) }
}
