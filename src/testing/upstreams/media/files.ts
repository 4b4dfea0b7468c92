/** Small real files, as a simulated vendor serves them. */
import { readFileSync } from 'node:fs'
import { crc32, deflateSync } from 'node:zlib'

export type FileKind = 'image' | 'video' | 'audio' | 'mesh'

export interface SampleFile {
  readonly extension: string
  readonly contentType: string
  readonly bytes: Buffer
}

const sample = (name: string) => readFileSync(new URL(name, import.meta.url))

const MAKERS: Readonly<Record<FileKind, (seed: number) => SampleFile>> = {
  image: seed => ({ extension: 'png', contentType: 'image/png', bytes: png(seed) }),
  video: () => ({ extension: 'mp4', contentType: 'video/mp4', bytes: sample('./sample.mp4') }),
  audio: () => ({ extension: 'mp3', contentType: 'audio/mpeg', bytes: sample('./sample.mp3') }),
  mesh: () => ({ extension: 'glb', contentType: 'model/gltf-binary', bytes: glb() }),
}

/** Images differ by seed; the other kinds are one file each: a second of video, a second of sound, a triangle. */
export function sampleFile(kind: FileKind, seed: number): SampleFile {
  return MAKERS[kind](seed)
}

/** 32 × 32 pixels of one colour. */
function png(seed: number): Buffer {
  const side = 32
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const row = Buffer.concat([
    Buffer.from([0]),
    Buffer.alloc(side * 3, Buffer.from([(seed * 67) % 256, (seed * 131) % 256, 128])),
  ])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: side }, () => row)))
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', pixels),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

function pngChunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const frame = Buffer.alloc(8 + body.length)
  frame.writeUInt32BE(data.length, 0)
  body.copy(frame, 4)
  frame.writeUInt32BE(crc32(body), 4 + body.length)
  return frame
}

/** glTF 2.0, binary: one triangle. */
function glb(): Buffer {
  const corners = Buffer.from(new Float32Array([0, 0, 0, 1, 0, 0, 0, 1, 0]).buffer)
  const scene = {
    asset: { version: '2.0' },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }],
    buffers: [{ byteLength: corners.length }],
    bufferViews: [{ buffer: 0, byteLength: corners.length }],
    accessors: [
      { bufferView: 0, componentType: 5126, count: 3, type: 'VEC3', min: [0, 0, 0], max: [1, 1, 0] },
    ],
  }
  const text = JSON.stringify(scene)
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 4) * 4))
  const head = Buffer.alloc(12)
  head.write('glTF', 0, 'latin1')
  head.writeUInt32LE(2, 4)
  head.writeUInt32LE(12 + 8 + json.length + 8 + corners.length, 8)
  return Buffer.concat([head, glbChunk('JSON', json), glbChunk('BIN\0', corners)])
}

function glbChunk(name: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(data.length, 0)
  head.write(name, 4, 'latin1')
  return Buffer.concat([head, data])
}
