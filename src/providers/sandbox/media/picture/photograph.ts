/** Pictures a client sent, to be edited or set in motion. */
import sharp from 'sharp'
import { mediaTypeOf } from '#lib/media-type.ts'
import { MediaFailure } from '../failure.ts'
import type { Canvas } from './canvas.ts'
import type { Scene } from './scene.ts'

/** What libvips is allowed to open: no SVG, no PDF, nothing that refers to something else. */
const READABLE = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'])
/** A bomb of a few bytes can unpack to gigabytes. */
const MAX_PIXELS = 64_000_000

/**
 * The picture, turned upright and cropped to fill the size, without transparency. Throws a MediaFailure
 * (`unreadable-source`) where it is none, is broken, or has more than 64 million pixels.
 */
export async function readPhotograph(file: Uint8Array, widthPx: number, heightPx: number): Promise<Canvas> {
  if (!READABLE.has(mediaTypeOf(file).contentType)) {
    throw new MediaFailure('unreadable-source', 'The source is no PNG, JPEG, WebP, GIF or AVIF picture.')
  }
  try {
    const { data } = await sharp(file, { limitInputPixels: MAX_PIXELS })
      .autoOrient()
      .resize(widthPx, heightPx, { fit: 'cover' })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw()
      .toUint8Array()
    return { widthPx, heightPx, pixels: new Uint8ClampedArray(data.buffer, data.byteOffset, data.byteLength) }
  } catch (cause) {
    throw new MediaFailure('unreadable-source', 'The source picture is broken or too large.', cause)
  }
}

/** An edit: the photograph in the scene's light, so that both the source and the prompt are seen. */
export function tintWith(photograph: Canvas, scene: Scene): void {
  const painted = { ...photograph, pixels: new Uint8ClampedArray(photograph.pixels.length) }
  scene.paint(painted, 0)
  for (const [at, light] of painted.pixels.entries()) {
    const under = photograph.pixels[at] ?? 0
    photograph.pixels[at] = under + (softLight(under / 255, light / 255) * 255 - under) * EDIT_STRENGTH
  }
}

const EDIT_STRENGTH = 0.7

/** The soft-light blend of the W3C's Compositing and Blending, with Pegtop's formula, which has no seam. */
function softLight(under: number, light: number): number {
  return (1 - 2 * light) * under * under + 2 * light * under
}

/** A film of the photograph: a slow camera moves over it and comes back. */
export function pannedOver(photograph: Canvas): Scene {
  return {
    paint(canvas, phase) {
      const swing = Math.sin(2 * Math.PI * phase)
      const zoom = 0.86 + 0.06 * Math.cos(2 * Math.PI * phase)
      const width = photograph.widthPx * zoom
      const height = photograph.heightPx * zoom
      const left = (photograph.widthPx - width) * (0.5 + 0.45 * swing)
      const top = (photograph.heightPx - height) * (0.5 - 0.3 * swing)
      sample(photograph, canvas, { left, top, width, height })
    },
  }
}

interface Window {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** Fills the canvas with what the window shows, between pixels by their weights. */
function sample(from: Canvas, to: Canvas, window: Window): void {
  const source = from.pixels
  const stride = from.widthPx * 3
  let at = 0
  for (let row = 0; row < to.heightPx; row++) {
    const y = clamp(window.top + ((row + 0.5) * window.height) / to.heightPx - 0.5, from.heightPx - 1)
    const upper = Math.floor(y) * stride
    const lower = Math.min(from.heightPx - 1, Math.floor(y) + 1) * stride
    const down = y - Math.floor(y)
    for (let column = 0; column < to.widthPx; column++) {
      const x = clamp(window.left + ((column + 0.5) * window.width) / to.widthPx - 0.5, from.widthPx - 1)
      const left = Math.floor(x) * 3
      const right = Math.min(from.widthPx - 1, Math.floor(x) + 1) * 3
      const across = x - Math.floor(x)
      for (let channel = 0; channel < 3; channel++) {
        const above = lerp(source, upper + left + channel, upper + right + channel, across)
        const below = lerp(source, lower + left + channel, lower + right + channel, across)
        to.pixels[at++] = above + (below - above) * down
      }
    }
  }
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(0, value))
}

function lerp(values: Uint8ClampedArray, from: number, to: number, part: number): number {
  const start = values[from] ?? 0
  return start + ((values[to] ?? 0) - start) * part
}
