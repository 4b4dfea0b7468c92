/** Typed columns of a glTF buffer (§3.6.2). One that does not lie whole within its bytes is refused before any is read. */
import { type Fields, type GltfDocument, itemOf, whole } from './document.ts'
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

/** Opens the accessor at an index. Throws UnreadableMesh, also where its bytes are compressed, sparse or elsewhere. */
export function openAccessor(document: GltfDocument, index: unknown): Accessor {
  const accessor = itemOf(document, 'accessors', index)
  const type = need(COMPONENT_TYPES.get(accessor.componentType), 'component type')
  const components = need(COMPONENTS.get(accessor.type), 'type')
  // Draco leaves out the view: its numbers are in the extension alone.
  if (accessor.sparse !== undefined) throw new UnreadableMesh('sparse')
  const view = itemOf(document, 'bufferViews', accessor.bufferView)
  const count = whole(accessor.count)
  const { start, stride } = placeOf(document, accessor, view, count, type.bytes * components)
  const { data } = document
  const { bytes, get } = type
  const raw = (element: number, component: number) => get(data, start + element * stride + component * bytes)
  const { one } = type
  const isShare = accessor.normalized === true && one !== undefined
  const share = (element: number, component: number) => Math.max(-1, raw(element, component) / (one ?? 1))
  return { count, components, read: isShare ? share : raw }
}

function placeOf(
  document: GltfDocument,
  accessor: Fields,
  view: Fields,
  count: number,
  elementBytes: number,
): { readonly start: number; readonly stride: number } {
  const buffer = itemOf(document, 'buffers', view.buffer)
  const isOurs = view.buffer === 0 && buffer.uri === undefined && view.extensions === undefined
  if (!isOurs) throw new UnreadableMesh('the bytes are compressed or not in the file')
  const viewStart = whole(view.byteOffset, 0)
  const viewEnd = viewStart + whole(view.byteLength)
  const start = viewStart + whole(accessor.byteOffset, 0)
  const stride = whole(view.byteStride, elementBytes)
  const end = start + stride * Math.max(0, count - 1) + elementBytes
  const isWithin = viewEnd <= document.data.byteLength && end <= viewEnd
  if (!isWithin || stride < elementBytes) throw new UnreadableMesh('numbers beyond their bytes')
  return { start, stride }
}
