/** Binary glTF files for tests: whole ones, and the parts to spoil. */

/** The JSON that a test may change before the file is written. */
export interface GltfJson {
  [name: string]: unknown
}

export interface Surface {
  /** Three numbers a vertex. */
  readonly positions: readonly number[]
  /** Three a triangle. */
  readonly indices: readonly number[]
}

/** One metre a side, on the ground. */
export const CUBE: Surface = {
  positions: [0, 1, 2, 3, 4, 5, 6, 7].flatMap(n => [(n & 1) - 0.5, (n >> 1) & 1, (n >> 2) - 0.5]),
  indices: [
    ...[0, 2, 3, 0, 3, 1, 4, 5, 7, 4, 7, 6, 0, 1, 5, 0, 5, 4],
    ...[2, 6, 7, 2, 7, 3, 0, 4, 6, 0, 6, 2, 1, 3, 7, 1, 7, 5],
  ],
}

/** A ball with bumps, of `2 × steps²` triangles. */
export function bumpyBall(steps: number): Surface {
  const positions: number[] = []
  const indices: number[] = []
  for (let row = 0; row <= steps; row++) {
    for (let column = 0; column <= steps; column++) {
      const [across, down] = [(column / steps) * 2 * Math.PI, (row / steps) * Math.PI]
      const radius = 1 + 0.12 * Math.sin(5 * across) * Math.sin(down) ** 2 * Math.sin(4 * down)
      const [x, z] = [Math.sin(down) * Math.cos(across), Math.sin(down) * Math.sin(across)]
      positions.push(radius * x, radius * Math.cos(down), radius * z)
      const at = row * (steps + 1) + column
      if (row < steps && column < steps) {
        indices.push(at, at + 1, at + steps + 2, at, at + steps + 2, at + steps + 1)
      }
    }
  }
  return { positions, indices }
}

/** The document of a file whose accessor 0 is POSITION and accessor 1 the indices, and its bytes. */
export function documentOf({ positions, indices }: Surface): { json: GltfJson; data: Buffer } {
  const data = Buffer.concat([
    Buffer.from(Float32Array.from(positions).buffer),
    Buffer.from(Uint32Array.from(indices).buffer),
  ])
  const split = positions.length * 4
  const json = {
    asset: { version: '2.0' },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1 }] }],
    accessors: [
      { bufferView: 0, componentType: 5126, count: positions.length / 3, type: 'VEC3' },
      { bufferView: 1, componentType: 5125, count: indices.length, type: 'SCALAR' },
    ],
    bufferViews: [
      { buffer: 0, byteLength: split },
      { buffer: 0, byteOffset: split, byteLength: data.length - split },
    ],
    buffers: [{ byteLength: data.length }],
  }
  return { json, data }
}

/** A file of its own buffer. */
export function writeGlb(json: GltfJson, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = Buffer.from(JSON.stringify(json))
  const jsonBytes = Math.ceil(text.length / 4) * 4
  const dataBytes = Math.ceil(data.length / 4) * 4
  const file = Buffer.from(new ArrayBuffer(28 + jsonBytes + dataBytes))
  file.write('glTF', 0, 'latin1')
  for (const [at, value] of [2, file.length, jsonBytes].entries()) file.writeUInt32LE(value, 4 + at * 4)
  file.write('JSON', 16, 'latin1')
  file.fill(' ', 20, 20 + jsonBytes).set(text, 20)
  file.writeUInt32LE(dataBytes, 20 + jsonBytes)
  file.write('BIN\0', 24 + jsonBytes, 'latin1')
  file.set(data, 28 + jsonBytes)
  return new Uint8Array(file.buffer)
}

/** The surface as a file, with these fields instead of its document's own. */
export function glbOf(surface: Surface, fields: GltfJson = {}): Uint8Array<ArrayBuffer> {
  const { json, data } = documentOf(surface)
  return writeGlb({ ...json, ...fields }, data)
}

/** Numbers of one vertex attribute: its accessor without the view, and its bytes. */
export interface Column {
  readonly accessor: GltfJson
  readonly data: Uint8Array
}

/**
 * The surface with more columns by their attributes' names, images in views of their own, a texture for each, and fields
 * instead of the document's own. Material 0 is the surface's where there is one.
 */
export function glbWith(
  surface: Surface,
  columns: Readonly<Record<string, Column>>,
  images: readonly Uint8Array[] = [],
  fields: GltfJson = {},
): Uint8Array<ArrayBuffer> {
  const { json, data } = documentWith(surface, columns, images)
  const primitive = { ...primitiveOf(json), ...(fields.materials !== undefined && { material: 0 }) }
  return writeGlb({ ...json, meshes: [{ primitives: [primitive] }], ...fields }, data)
}

function primitiveOf(json: GltfJson): GltfJson {
  const [mesh] = json.meshes as { primitives: GltfJson[] }[]
  return mesh?.primitives[0] ?? {}
}

/** The same before it is written. */
export function documentWith(
  surface: Surface,
  columns: Readonly<Record<string, Column>>,
  images: readonly Uint8Array[] = [],
): { json: GltfJson; data: Buffer } {
  const { json, data } = documentOf(surface)
  const accessors = [...(json.accessors as unknown[])]
  const bufferViews = [...(json.bufferViews as unknown[])]
  const attributes: GltfJson = { POSITION: 0 }
  const bytes: Buffer[] = [data]
  let length = data.length
  const append = (added: Uint8Array) => {
    bufferViews.push({ buffer: 0, byteOffset: length, byteLength: added.length })
    bytes.push(Buffer.from(added), Buffer.alloc(-added.length & 3))
    length += added.length + (-added.length & 3)
    return bufferViews.length - 1
  }
  for (const [name, column] of Object.entries(columns)) {
    attributes[name] = accessors.length
    accessors.push({ ...column.accessor, bufferView: append(column.data) })
  }
  const imageList = images.map(image => ({ bufferView: append(image), mimeType: 'image/png' }))
  const more = images.length > 0 && { images: imageList, textures: images.map((_, source) => ({ source })) }
  const meshes = [{ primitives: [{ attributes, indices: 1 }] }]
  const buffers = [{ byteLength: length }]
  return { json: { ...json, meshes, accessors, bufferViews, buffers, ...more }, data: Buffer.concat(bytes) }
}

export function floats(numbers: readonly number[], type = 'VEC2'): Column {
  const components = Number(type.at(-1))
  return {
    accessor: { componentType: 5126, count: numbers.length / components, type },
    data: new Uint8Array(Float32Array.from(numbers).buffer),
  }
}

/** A square metre that looks to the front. Its corners, from the upper left one counter-clockwise. */
export const SHEET: Surface = {
  positions: [0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0],
  indices: [0, 1, 2, 0, 2, 3],
}

/** Where its corners are in a texture that fills it once; `times` over. */
export function sheetCoordinates(times = 1): number[] {
  return [0, 0, 0, times, times, times, times, 0]
}
