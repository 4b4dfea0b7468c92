import fc from 'fast-check'
import { fileTypeFromBuffer } from 'file-type'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { SAMPLE_NAMES, type SampleName, sample } from './media-samples.fixture.ts'
import { MEDIA_HEAD_BYTES, MEDIA_TYPES, type MediaTypeName, mediaTypeOf } from './media-type.ts'

const SAMPLE_TYPES: Record<SampleName, MediaTypeName> = {
  'cbr.mp3': 'mp3',
  'faststart.mp4': 'mp4',
  'film.mov': 'mov',
  'film.webm': 'webm',
  'fragmented.mp4': 'mp4',
  'live.webm': 'webm',
  'opus.ogg': 'ogg',
  'rotated.mp4': 'mp4',
  'sound-only.mp4': 'mp4',
  'sound.aac': 'aac',
  'sound.flac': 'flac',
  'sound.m4a': 'm4a',
  'sound.wav': 'wav',
  'sound.webm': 'webm',
  'streamed.wav': 'wav',
  'vbr.mp3': 'mp3',
  'vorbis.ogg': 'ogg',
}

test.each(SAMPLE_NAMES)('a real file is known by its bytes: %s', name => {
  expect(mediaTypeOf(sample(name)).name).toBe(SAMPLE_TYPES[name])
  expect(mediaTypeOf(sample(name).subarray(0, MEDIA_HEAD_BYTES)).name).toBe(SAMPLE_TYPES[name])
})

test.each(['png', 'jpeg', 'webp', 'gif', 'avif'] as const)(
  'a real %s is known by its bytes',
  async format => {
    const image = await sharp({ create: { width: 20, height: 10, channels: 3, background: 'teal' } })
      .toFormat(format)
      .toBuffer()
    expect(mediaTypeOf(image).name).toBe(format)
  },
)

const words = (text: string) => Buffer.from(text, 'latin1')
const glb = Buffer.alloc(24)
glb.write('glTF\x02\0\0\0', 'latin1')
const stl = Buffer.alloc(84 + 50)
stl.writeUInt32LE(1, 80)
const usdz = Buffer.concat([words('PK\x03\x04'), Buffer.alloc(22), words('\x0a\0\0\0scene.usdc')])

test.each<[MediaTypeName, Buffer]>([
  ['glb', glb],
  ['gltf', words('{\n  "scene": 0, "asset": { "generator": "x", "version": "2.0" }, "nodes": []}')],
  ['obj', words('# made by a modeller\nmtllib cube.mtl\no Cube\nv 1.000 -1.0e-3 2\nv 1 2 3\nf 1 2 3\n')],
  ['stl', stl],
  ['stl', words('solid cube\n  facet normal 0 0 1\n    outer loop\n')],
  ['usdz', usdz],
  ['zip', words('PK\x03\x04\x14\0\0\0\b\0and so on')],
  ['fbx', words('Kaydara FBX Binary  \0\x1a\0')],
  ['pdf', words('%PDF-1.7\n%\xe2\xe3')],
  ['heic', words('\0\0\0\x18ftypheic\0\0\0\0mif1heic')],
  ['heic', words('\0\0\0\x18ftypmif1\0\0\0\0mif1heix')],
  ['mov', words('\0\0\0\x08wide\0\0\x10\0mdat')],
  ['mp3', words('ID3\x04\0\0\0\0\0\0')],
  ['text', Buffer.from('The free world: ünïcode, too.\n')],
  ['text', words('{"prompt": "a cat"}')],
])('%s is known by its bytes', (name, bytes) => {
  expect(mediaTypeOf(bytes, bytes.length).name).toBe(name)
})

describe('what could be taken for a page', () => {
  test.each([
    '<!DOCTYPE html><html><script>alert(1)</script>',
    '\ufeff  <html>',
    '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    '<?xml version="1.0"?><svg/>',
    'hello <script>alert(1)</script>',
    '<!-- --><body>',
    '+ADw-script+AD4-\0',
  ])('is bytes and nothing else: %s', text => {
    for (const bytes of [Buffer.from(text), Buffer.from(text, 'utf16le')]) {
      expect(mediaTypeOf(bytes, bytes.length).contentType).toBe('application/octet-stream')
    }
  })

  test('has no type that a browser runs', () => {
    for (const { contentType } of Object.values(MEDIA_TYPES)) {
      expect(contentType).not.toMatch(/html|svg|xml(?!\+)|javascript/)
      expect(contentType).toMatch(/^[a-z]+\/[a-z0-9.+-]+$/)
    }
  })
})

test('nothing makes it throw, and bytes without a mark are nothing it could name', () => {
  expect(mediaTypeOf(new Uint8Array(0)).name).toBe('unknown')
  expect(mediaTypeOf(Buffer.alloc(5_000), 5_000).name).toBe('unknown')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(10_000), (bytes, size) => {
      const { name, ...type } = mediaTypeOf(bytes, size)
      expect(MEDIA_TYPES[name]).toEqual(type)
    }),
    { numRuns: 500 },
  )
})

test('wherever both name a type, another library names the same', async () => {
  const same: Record<string, string> = { 'audio/x-m4a': 'audio/mp4', 'audio/ogg; codecs=opus': 'audio/ogg' }
  for (const name of SAMPLE_NAMES) {
    const theirs = (await fileTypeFromBuffer(sample(name)))?.mime ?? ''
    expect(mediaTypeOf(sample(name)).contentType, name).toBe(same[theirs] ?? theirs)
  }
})
