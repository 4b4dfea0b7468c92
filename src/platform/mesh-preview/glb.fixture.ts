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
