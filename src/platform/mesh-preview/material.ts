/** What a surface is made of (§3.9), as far as a preview shows it: colour, textures, holes, glow. */
import { type GltfDocument, itemOf } from './document.ts'
import { type Fields, fieldsOf, numbersOf, whole } from './fields.ts'
import { ifReadable, UnreadableMesh } from './unreadable.ts'

export interface Material {
  /** Linear red, green and blue, and how much of the surface there is. */
  readonly colour: Colour
  readonly colourTexture: TextureUse | undefined
  /** Linear red, green and blue that need no light. */
  readonly glow: readonly number[]
  readonly glowTexture: TextureUse | undefined
  /** Shown as bright as it is (KHR_materials_unlit). */
  readonly isUnlit: boolean
  readonly alpha: AlphaMode
  /** Under `mask`: less than this is a hole. */
  readonly cutoff: number
}

export type AlphaMode = 'opaque' | 'mask' | 'blend'
export type Colour = readonly [number, number, number, number]
/** Beyond the edges of a texture: over again, its edge drawn out, or over again in turns. */
export type Wrap = 'repeat' | 'clamp' | 'mirror'

export interface TextureUse {
  /** Place in the file's list of images. */
  readonly image: number
  /** Whether the image's own alpha counts; where it does not, its colours do also where it is 0. */
  readonly keepsAlpha: boolean
  /** Which of the vertices' coordinates lead into it. */
  readonly texCoord: number
  readonly wrapU: Wrap
  readonly wrapV: Wrap
  /** Enlarged as squares, never smoothed. */
  readonly isBlocky: boolean
  /** From the vertices' u and v to the image's: u' = a u + c v + e, v' = b u + d v + f. */
  readonly transform: UvTransform
}

export type UvTransform = readonly [number, number, number, number, number, number]

const WHITE: Colour = [1, 1, 1, 1]
const BLACK = [0, 0, 0] as const

/** What is white and whole: of a surface that names no material. */
export const PLAIN: Material = {
  colour: WHITE,
  colourTexture: undefined,
  glow: BLACK,
  glowTexture: undefined,
  isUnlit: false,
  alpha: 'opaque',
  cutoff: 0,
}

const ALPHA_MODES: ReadonlyMap<unknown, AlphaMode> = new Map([
  ['MASK', 'mask'],
  ['BLEND', 'blend'],
])

/** Throws UnreadableMesh where the material or one of its numbers is none; a texture that is none is left out. */
export function materialOf(document: GltfDocument, index: unknown): Material {
  if (index === undefined) return PLAIN
  const material = itemOf(document, 'materials', index)
  const extensions = fieldsOf(material.extensions)
  const alpha = ALPHA_MODES.get(material.alphaMode) ?? 'opaque'
  const { factor, texture } = baseOf(material, extensions)
  const glow = numbersOf(material.emissiveFactor, 3) ?? BLACK
  const isDark = glow.every(one => one === 0)
  return {
    colour: (numbersOf(factor, 4) ?? WHITE) as Colour,
    colourTexture: textureUseOf(document, texture, alpha !== 'opaque'),
    glow,
    glowTexture: isDark ? undefined : textureUseOf(document, material.emissiveTexture, false),
    isUnlit: extensions.KHR_materials_unlit !== undefined,
    alpha,
    cutoff: typeof material.alphaCutoff === 'number' ? material.alphaCutoff : 0.5,
  }
}

/** The older model of materials counts where the newer says nothing of colour. */
function baseOf(
  material: Fields,
  extensions: Fields,
): { readonly factor: unknown; readonly texture: unknown } {
  const newer = fieldsOf(material.pbrMetallicRoughness)
  const older = fieldsOf(extensions.KHR_materials_pbrSpecularGlossiness)
  const saysNewer = newer.baseColorTexture !== undefined || newer.baseColorFactor !== undefined
  return saysNewer
    ? { factor: newer.baseColorFactor, texture: newer.baseColorTexture }
    : { factor: older.diffuseFactor, texture: older.diffuseTexture }
}

function textureUseOf(document: GltfDocument, value: unknown, keepsAlpha: boolean): TextureUse | undefined {
  if (value === undefined) return undefined
  return ifReadable(() => {
    const info = fieldsOf(value)
    const texture = itemOf(document, 'textures', info.index)
    const sampler = texture.sampler === undefined ? {} : itemOf(document, 'samplers', texture.sampler)
    const transform = fieldsOf(fieldsOf(info.extensions).KHR_texture_transform)
    return {
      image: whole(texture.source ?? fieldsOf(fieldsOf(texture.extensions).EXT_texture_webp).source),
      keepsAlpha,
      texCoord: whole(transform.texCoord ?? info.texCoord, 0),
      wrapU: WRAPS.get(sampler.wrapS) ?? 'repeat',
      wrapV: WRAPS.get(sampler.wrapT) ?? 'repeat',
      isBlocky: sampler.magFilter === NEAREST,
      transform: uvTransformOf(transform),
    }
  })
}

const NEAREST = 9728
const WRAPS: ReadonlyMap<unknown, Wrap> = new Map([
  [33_071, 'clamp'],
  [33_648, 'mirror'],
])

/** Scaled, then turned counter-clockwise as one looks at it (v runs down), then moved. */
function uvTransformOf({ offset, rotation = 0, scale }: Fields): UvTransform {
  if (typeof rotation !== 'number' || !Number.isFinite(rotation))
    throw new UnreadableMesh('a turn that is none')
  const [x = 0, y = 0] = numbersOf(offset, 2) ?? []
  const [sx = 1, sy = 1] = numbersOf(scale, 2) ?? []
  const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)]
  return [cos * sx, -sin * sx, sin * sy, cos * sy, x, y]
}

/** Materials by their place, each read once. */
export function materialsOf(document: GltfDocument): (index: unknown) => Material {
  const known = new Map<unknown, Material>()
  return index => {
    const material = known.get(index) ?? materialOf(document, index)
    known.set(index, material)
    return material
  }
}
