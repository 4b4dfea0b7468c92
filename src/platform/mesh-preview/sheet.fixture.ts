/** A textured sheet that looks to the front, its picture, and what is to be seen at which of its places. */
import sharp from 'sharp'
import { drawMesh } from './draw.ts'
import { type Column, floats, type GltfJson, glbWith, SHEET, sheetCoordinates } from './glb.fixture.ts'
import { decodeImage } from './image-decoder.ts'
import type { DecodeImage } from './images.ts'
import { DRAWN_PX } from './view.ts'

export const RED = [255, 0, 0, 255] as const
export const GREEN = [0, 255, 0, 255] as const
export const BLUE = [0, 0, 255, 255] as const
export const WHITE = [255, 255, 255, 255] as const
export const BACKGROUND = [78, 78, 78] as const

/** Eight pixels for each of the cells, two in a row: upper left, upper right, lower left, lower right. */
export function quarters(...cells: readonly (readonly number[])[]) {
  const pixels = Array.from({ length: 256 }, (_, at) => {
    const [x, y] = [(at % 16) >> 3, at >> 7]
    return cells[y * 2 + x] ?? []
  })
  return sharp(Uint8Array.from(pixels.flat()), { raw: { width: 16, height: 16, channels: 4 } })
}

/** Red and green above blue and white. */
export const four = () => quarters(RED, GREEN, BLUE, WHITE).png().toBuffer()

export const decode: DecodeImage = image => decodeImage(image, 60)

export interface Sheet {
  /** Instead of the whole texture once. */
  readonly columns?: Readonly<Record<string, Column>>
  readonly images?: readonly Uint8Array[]
  /** On top of unlit, opaque and the first texture as base colour. */
  readonly material?: GltfJson
  /** Instead of the base colour's texture 0. */
  readonly texture?: GltfJson
  /** On top of the document. */
  readonly fields?: GltfJson
}

export function sheetGlb({
  columns,
  images = [],
  material,
  texture,
  fields,
}: Sheet): Uint8Array<ArrayBuffer> {
  const own = {
    pbrMetallicRoughness: { baseColorTexture: { index: 0, ...texture } },
    extensions: { KHR_materials_unlit: {} },
    ...material,
  }
  const shown = columns ?? { TEXCOORD_0: floats(sheetCoordinates()) }
  return glbWith(SHEET, shown, images, { materials: [own], ...fields })
}

/** The colour of the sheet's picture at a share of its width, and of its height from above. */
export type LookAt = (across: number, down: number) => readonly number[]

export async function lookAt(sheet: Sheet): Promise<LookAt> {
  return lookInto(await drawMesh(sheetGlb(sheet), decode))
}

const YAW = 0.6
const PITCH = 0.42

/** The sheet leans: how far its right side is above its left, and how high a side is. */
export function lookInto(pixels: Uint8ClampedArray | undefined): LookAt {
  if (pixels === undefined) throw new Error('nothing was drawn')
  const [width, rise, height] = [Math.cos(YAW), Math.sin(YAW) * Math.sin(PITCH), Math.cos(PITCH)]
  const scale = (0.84 * DRAWN_PX) / (height + rise)
  return (across, down) => {
    const x = Math.round(DRAWN_PX / 2 + (across - 0.5) * width * scale)
    const y = Math.round(DRAWN_PX / 2 + ((down - 0.5) * height - (across - 0.5) * rise) * scale)
    const at = (y * DRAWN_PX + x) * 3
    return [...pixels.subarray(at, at + 3)]
  }
}

export const rgb = (...colours: readonly (readonly number[])[]) => colours.map(one => one.slice(0, 3))
/** Of the four quarters that `four` has. */
export const SAME = rgb(RED, GREEN, BLUE, WHITE)

/** In the middles of the four quarters: upper left, upper right, lower left, lower right. */
export async function quartersOf(sheet: Sheet) {
  const look = await lookAt(sheet)
  return [look(0.25, 0.25), look(0.75, 0.25), look(0.25, 0.75), look(0.75, 0.75)]
}

/** Parts of materials. */
export const UNLIT = { extensions: { KHR_materials_unlit: {} } }
export const BASE = { baseColorTexture: { index: 0 } }
