/** A mesh as a binary glTF 2.0 file (Khronos, "glTF 2.0 Specification", §4.4 and §5). */
import type { MeshFile, MeshOrder } from '../job.ts'
import { type Mesh, sculpt } from './sculpt.ts'
import { boundsOf } from './surface.ts'

const FLOAT = 5126
const UNSIGNED_INT = 5125
const VERTEX_DATA = 34962
const INDEX_DATA = 34963

export function modelMesh(order: MeshOrder): MeshFile {
  const mesh = sculpt(order.prompt, order.seed)
  return { bytes: writeGlb(mesh), contentType: 'model/gltf-binary', triangles: mesh.indices.length / 3 }
}

function writeGlb(mesh: Mesh): Uint8Array<ArrayBuffer> {
  const parts = [mesh.positions, mesh.normals, mesh.colours, mesh.indices]
  const json = Buffer.from(JSON.stringify(describe(mesh, parts)))
  const jsonBytes = Math.ceil(json.length / 4) * 4
  const dataBytes = parts.reduce((sum, part) => sum + part.byteLength, 0)
  const file = Buffer.alloc(12 + 8 + jsonBytes + 8 + dataBytes, ' ')
  file.write('glTF', 0, 'latin1')
  file.writeUInt32LE(2, 4)
  file.writeUInt32LE(file.length, 8)
  file.writeUInt32LE(jsonBytes, 12)
  file.write('JSON', 16, 'latin1')
  json.copy(file, 20)
  file.writeUInt32LE(dataBytes, 20 + jsonBytes)
  file.write('BIN\0', 24 + jsonBytes, 'latin1')
  let at = 28 + jsonBytes
  for (const part of parts) {
    file.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at)
    at += part.byteLength
  }
  return new Uint8Array(file)
}

/** All parts are of four-byte numbers, so each begins where the one before it ends. */
function describe(mesh: Mesh, parts: readonly ArrayBufferView[]) {
  const vertices = mesh.positions.length / 3
  const { min, max } = boundsOf(mesh.positions)
  let byteOffset = 0
  const bufferViews = parts.map((part, nth) => {
    const view = {
      buffer: 0,
      byteOffset,
      byteLength: part.byteLength,
      target: nth === parts.length - 1 ? INDEX_DATA : VERTEX_DATA,
    }
    byteOffset += part.byteLength
    return view
  })
  const vector = (bufferView: number, bounds = {}) => ({
    bufferView,
    componentType: FLOAT,
    count: vertices,
    type: 'VEC3',
    ...bounds,
  })
  const attributes = { POSITION: 0, NORMAL: 1, COLOR_0: 2 }
  const material = {
    name: 'surface',
    pbrMetallicRoughness: {
      baseColorFactor: [1, 1, 1, 1],
      metallicFactor: mesh.material.metallic,
      roughnessFactor: mesh.material.roughness,
    },
  }
  return {
    asset: { version: '2.0', generator: 'Tollgate sandbox' },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ name: 'model', mesh: 0 }],
    meshes: [{ name: 'model', primitives: [{ attributes, indices: 3, material: 0, mode: 4 }] }],
    materials: [material],
    accessors: [
      vector(0, { min, max }),
      vector(1),
      vector(2),
      { bufferView: 3, componentType: UNSIGNED_INT, count: mesh.indices.length, type: 'SCALAR' },
    ],
    bufferViews,
    buffers: [{ byteLength: byteOffset }],
  }
}
