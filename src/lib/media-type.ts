/**
 * What a file is, by its own first bytes and never by what anybody says of it. Whatever is not in this table is
 * `application/octet-stream`: HTML, SVG and XML are not, so nothing stored can ever be served as a page.
 */
import { lettersAt, uint32, uint32le } from './bytes.ts'

export type MediaKind = 'image' | 'video' | 'audio' | 'mesh' | 'other'

export interface MediaType {
  readonly contentType: string
  readonly kind: MediaKind
  /** Without a dot. The one to store and serve under. */
  readonly extension: string
}

const TYPES = {
  png: { contentType: 'image/png', kind: 'image', extension: 'png' },
  jpeg: { contentType: 'image/jpeg', kind: 'image', extension: 'jpg' },
  webp: { contentType: 'image/webp', kind: 'image', extension: 'webp' },
  gif: { contentType: 'image/gif', kind: 'image', extension: 'gif' },
  avif: { contentType: 'image/avif', kind: 'image', extension: 'avif' },
  heic: { contentType: 'image/heic', kind: 'image', extension: 'heic' },
  mp4: { contentType: 'video/mp4', kind: 'video', extension: 'mp4' },
  mov: { contentType: 'video/quicktime', kind: 'video', extension: 'mov' },
  webm: { contentType: 'video/webm', kind: 'video', extension: 'webm' },
  weba: { contentType: 'audio/webm', kind: 'audio', extension: 'webm' },
  mp3: { contentType: 'audio/mpeg', kind: 'audio', extension: 'mp3' },
  wav: { contentType: 'audio/wav', kind: 'audio', extension: 'wav' },
  ogg: { contentType: 'audio/ogg', kind: 'audio', extension: 'ogg' },
  flac: { contentType: 'audio/flac', kind: 'audio', extension: 'flac' },
  m4a: { contentType: 'audio/mp4', kind: 'audio', extension: 'm4a' },
  aac: { contentType: 'audio/aac', kind: 'audio', extension: 'aac' },
  glb: { contentType: 'model/gltf-binary', kind: 'mesh', extension: 'glb' },
  gltf: { contentType: 'model/gltf+json', kind: 'mesh', extension: 'gltf' },
  obj: { contentType: 'model/obj', kind: 'mesh', extension: 'obj' },
  stl: { contentType: 'model/stl', kind: 'mesh', extension: 'stl' },
  usdz: { contentType: 'model/vnd.usdz+zip', kind: 'mesh', extension: 'usdz' },
  // Its owner registered no type for it.
  fbx: { contentType: 'application/octet-stream', kind: 'mesh', extension: 'fbx' },
  pdf: { contentType: 'application/pdf', kind: 'other', extension: 'pdf' },
  zip: { contentType: 'application/zip', kind: 'other', extension: 'zip' },
  text: { contentType: 'text/plain', kind: 'other', extension: 'txt' },
  unknown: { contentType: 'application/octet-stream', kind: 'other', extension: 'bin' },
} as const satisfies Record<string, MediaType>

export type MediaTypeName = keyof typeof TYPES

/** So many first bytes decide. Of a file that is shorter: all of it. */
export const MEDIA_HEAD_BYTES = 4_100

/** Every type that is known, by its name here. */
export const MEDIA_TYPES: Readonly<Record<MediaTypeName, MediaType>> = TYPES

/** The type of a file from its first bytes. With its whole size, a binary STL, which has no mark, is known too. */
export function mediaTypeOf(
  head: Uint8Array,
  sizeBytes?: number,
): MediaType & { readonly name: MediaTypeName } {
  const bytes = head.subarray(0, MEDIA_HEAD_BYTES)
  const name =
    byMark(bytes) ?? byBoxes(bytes) ?? byText(bytes, sizeBytes) ?? byShape(bytes, sizeBytes) ?? 'unknown'
  return { name, ...TYPES[name] }
}

/** Bytes at a place; `.` stands for any. */
interface Mark {
  readonly name: MediaTypeName
  readonly at: number
  readonly letters: string
}

const MARKS: readonly Mark[] = [
  { name: 'png', at: 0, letters: '\x89PNG\r\n\x1a\n' },
  { name: 'jpeg', at: 0, letters: '\xff\xd8\xff' },
  { name: 'gif', at: 0, letters: 'GIF87a' },
  { name: 'gif', at: 0, letters: 'GIF89a' },
  { name: 'flac', at: 0, letters: 'fLaC' },
  { name: 'glb', at: 0, letters: 'glTF' },
  { name: 'pdf', at: 0, letters: '%PDF-' },
  { name: 'fbx', at: 0, letters: 'Kaydara FBX Binary  \0' },
]

function byMark(bytes: Uint8Array): MediaTypeName | undefined {
  const mark = MARKS.find(({ at, letters }) => lettersAt(bytes, at, letters.length) === letters)
  return mark?.name ?? byContainer(bytes) ?? byMpegFrame(bytes)
}

function byContainer(bytes: Uint8Array): MediaTypeName | undefined {
  const start = lettersAt(bytes, 0, 4)
  const form = lettersAt(bytes, 8, 4)
  if (start === 'RIFF' && form === 'WEBP') return 'webp'
  if (start === 'RIFF' && form === 'WAVE') return 'wav'
  if (start === 'PK\x03\x04') return isUsdz(bytes) ? 'usdz' : 'zip'
  // Matroska and WebM are one format with two names in its head.
  if (start === '\x1aE\xdf\xa3') return lettersAt(bytes, 0, 64).includes('webm') ? 'webm' : undefined
  if (start === 'OggS') return holdsOggSound(bytes) ? 'ogg' : undefined
  return undefined
}

const OGG_SOUNDS = ['OpusHead', '\x01vorbis', '\x7fFLAC', 'Speex   ']

/** An Ogg file's first page names what is in it; films are not among what is known. */
function holdsOggSound(bytes: Uint8Array): boolean {
  const page = lettersAt(bytes, 0, 128)
  return OGG_SOUNDS.some(mark => page.includes(mark))
}

/** Its first file is a scene, kept without compression. */
function isUsdz(bytes: Uint8Array): boolean {
  return /^[^\0]{1,255}\.usd[ac]?$/.test(lettersAt(bytes, 30, bytes[26] ?? 0))
}

/** The sync word of MPEG audio: layer 3 is MP3, layer 0 is AAC. A tag may stand before it. */
function byMpegFrame(bytes: Uint8Array): MediaTypeName | undefined {
  if (lettersAt(bytes, 0, 3) === 'ID3') return 'mp3'
  const [first = 0, second = 0, third = 0] = bytes
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return undefined
  const layer = (second >> 1) & 3
  if (layer === 0 && (second & 0xf0) === 0xf0) return 'aac'
  const isFrame = (second & 0x18) !== 0x08 && third >> 4 !== 0 && third >> 4 !== 15 && (third & 0x0c) !== 0x0c
  return layer === 1 && isFrame ? 'mp3' : undefined
}

/** ISO base media (MP4 and its kin): the first box names the brands the file keeps to. */
function byBoxes(bytes: Uint8Array): MediaTypeName | undefined {
  if (lettersAt(bytes, 4, 4) !== 'ftyp') return oldQuickTime(bytes)
  const end = Math.min(uint32(bytes, 0), bytes.length, 256)
  const brands = [lettersAt(bytes, 8, 4)]
  for (let at = 16; at + 4 <= end; at += 4) brands.push(lettersAt(bytes, at, 4))
  const [major = ''] = brands
  if (major === 'qt  ') return 'mov'
  if (/^M4[AB] $/.test(major)) return 'm4a'
  if (brands.some(brand => brand === 'avif' || brand === 'avis')) return 'avif'
  if (brands.some(brand => /^he(?:i[cxms]|v[cxms])$/.test(brand))) return 'heic'
  if (brands.some(brand => /^(?:mp4[12]|iso[m2-9]|avc1|M4V |dash|mmp4|3gp.|MSNV|av01)$/.test(brand)))
    return 'mp4'
  return undefined
}

/** QuickTime files from before brands begin with one of these boxes, and no text begins with a zero. */
function oldQuickTime(bytes: Uint8Array): MediaTypeName | undefined {
  const isBox = /^(?:moov|mdat|wide|free|skip)$/.test(lettersAt(bytes, 4, 4)) && uint32(bytes, 0) >= 8
  return isBox && bytes[0] === 0 ? 'mov' : undefined
}

/** Text is known as a mesh, or is text unless it could be taken for markup. */
function byText(bytes: Uint8Array, sizeBytes: number | undefined): MediaTypeName | undefined {
  const text = asText(bytes, sizeBytes)
  if (text === undefined || text === '') return undefined
  if (/^\s*\{/.test(text)) return /"asset"\s*:\s*\{[^{}]*"version"/.test(text) ? 'gltf' : 'text'
  if (/^\s*solid\b/.test(text) && /\n\s*facet\s+normal\s/.test(text)) return 'stl'
  if (/^v\s+-?[\d.]+(?:e[-+]?\d+)?\s+-?[\d.]/m.test(text) && /^(?:\s*#|\s*(?:mtllib|o|g|v)\s)/.test(text))
    return 'obj'
  return text.includes('<') ? undefined : 'text'
}

/** The bytes as UTF-8 without control characters, or `undefined`. A character may be cut at the end of the head. */
function asText(bytes: Uint8Array, sizeBytes: number | undefined): string | undefined {
  const isCut = bytes.length === MEDIA_HEAD_BYTES || (sizeBytes ?? 0) > bytes.length
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isCut })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    return /[\0-\x08\x0b\x0c\x0e-\x1f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** A binary STL is 80 bytes, a count, and 50 bytes for each triangle. */
function byShape(bytes: Uint8Array, sizeBytes: number | undefined): MediaTypeName | undefined {
  const triangles = uint32le(bytes, 80)
  return triangles > 0 && sizeBytes === 84 + 50 * triangles ? 'stl' : undefined
}
