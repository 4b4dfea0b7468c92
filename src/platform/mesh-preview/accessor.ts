/** Typed columns of a glTF buffer (§3.6.2). One that does not lie whole within its bytes is refused before any is read. */
import { type GltfDocument, itemOf } from './document.ts'
import { type Fields, whole } from './fields.ts'
import { packingOf } from './unpack.ts'
import { need, UnreadableMesh } from './unreadable.ts'

export interface Accessor {
  /** Elements. */
  readonly count: number
  /** Numbers in each. */
  readonly components: number
  /** The number at a place that is within both bounds. */
  read(element: number, component: number): number
}

interface ComponentType {
  readonly bytes: number
  /** What stands for 1 where the numbers are shares; `undefined`: they never are. */
  readonly one: number | undefined
  readonly get: (data: DataView, at: number) => number
}

const COMPONENT_TYPES: ReadonlyMap<unknown, ComponentType> = new Map([
  [5120, { bytes: 1, one: 127, get: (data, at) => data.getInt8(at) }],
  [5121, { bytes: 1, one: 255, get: (data, at) => data.getUint8(at) }],
  [5122, { bytes: 2, one: 32_767, get: (data, at) => data.getInt16(at, true) }],
  [5123, { bytes: 2, one: 65_535, get: (data, at) => data.getUint16(at, true) }],
  [5125, { bytes: 4, one: undefined, get: (data, at) => data.getUint32(at, true) }],
  [5126, { bytes: 4, one: undefined, get: (data, at) => data.getFloat32(at, true) }],
] satisfies [number, ComponentType][])

const COMPONENTS: ReadonlyMap<unknown, number> = new Map([
  ['SCALAR', 1],
  ['VEC2', 2],
  ['VEC3', 3],
  ['VEC4', 4],
])

/** Opens the accessor at an index. Throws UnreadableMesh, also where its bytes are sparse, elsewhere or not unpacked here. */
export function openAccessor(document: GltfDocument, index: unknown): Accessor {
  const accessor = itemOf(document, 'accessors', index)
  const type = need(COMPONENT_TYPES.get(accessor.componentType), 'component type')
  const components = need(COMPONENTS.get(accessor.type), 'type')
  // Draco leaves out the view: its numbers are in the extension alone.
  if (accessor.sparse !== undefined) throw new UnreadableMesh('sparse')
  const view = itemOf(document, 'bufferViews', accessor.bufferView)
  const bytes = bytesOfView(document, accessor.bufferView)
  const count = whole(accessor.count)
  const elementBytes = type.bytes * components
  const start = whole(accessor.byteOffset, 0)
  const stride = whole(view.byteStride, elementBytes)
  const end = start + stride * Math.max(0, count - 1) + elementBytes
  if (end > bytes.length || stride < elementBytes) throw new UnreadableMesh('numbers beyond their bytes')
  const data = new DataView(bytes.buffer, bytes.byteOffset + start)
  const { get } = type
  const raw = (element: number, component: number) => get(data, element * stride + component * type.bytes)
  const { one } = type
  const isShare = accessor.normalized === true && one !== undefined
  const share = (element: number, component: number) => Math.max(-1, raw(element, component) / (one ?? 1))
  return { count, components, read: isShare ? share : raw }
}

/** The bytes of a buffer view. Throws UnreadableMesh, also where they are elsewhere or cannot be unpacked. */
export function bytesOfView(document: GltfDocument, index: unknown): Uint8Array {
  const known = document.unpacked.get(index)
  if (known !== undefined) return known
  const view = itemOf(document, 'bufferViews', index)
  const packing = packingOf(view)
  if (packing === undefined) return bytesIn(document, view)
  const unpack = need(document.unpack, 'unpacker')
  const unpacked = unpack(packing, bytesIn(document, packing))
  document.unpacked.set(index, unpacked)
  return unpacked
}

function bytesIn(document: GltfDocument, { buffer: index, byteOffset, byteLength }: Fields): Uint8Array {
  const buffer = itemOf(document, 'buffers', index)
  if (index !== 0 || buffer.uri !== undefined) throw new UnreadableMesh('the bytes are not in the file')
  const { data } = document
  const start = whole(byteOffset, 0)
  const length = whole(byteLength)
  if (start + length > data.byteLength) throw new UnreadableMesh('a view beyond the bytes')
  return new Uint8Array(data.buffer, data.byteOffset + start, length)
}
