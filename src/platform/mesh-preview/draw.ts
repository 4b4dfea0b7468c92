/** The picture of a mesh: what is solid first, then what one sees through, from the farthest to the nearest. */
import { openDocument } from './document.ts'
import { type DecodeImage, imagesOf, type ModelImages } from './images.ts'
import type { TextureUse } from './material.ts'
import { type PaintPixel, Raster } from './raster.ts'
import { shapesOf } from './scene.ts'
import { Shade } from './shade.ts'
import { UnreadableMesh } from './unreadable.ts'
import { bring, DRAWN_PX, type Fit, fitOf, newCorner, type SeenShape, seen } from './view.ts'

/** A grey that neither white nor black disappears in. */
const BACKGROUND = 78
/** So much of a surface hides what is behind it: many a file says "see-through" of what is not. */
const SOLID = 0.98

/**
 * Pixels of red, green and blue, row by row, DRAWN_PX a side; `undefined` where the file cannot be drawn. An image that
 * `decode` does not have leaves its surface in the colour of the material.
 */
export async function drawMesh(
  glb: Uint8Array,
  decode: DecodeImage,
): Promise<Uint8ClampedArray<ArrayBuffer> | undefined> {
  try {
    const document = await openDocument(glb)
    const shapes = shapesOf(document).map(seen)
    const fit = fitOf(shapes)
    const images = await imagesOf(document, usesOf(shapes), decode)
    const painting = new Painting(fit, images)
    for (const shape of shapes) painting.paintSolid(shape)
    painting.paintSeenThrough()
    return painting.isBlank ? undefined : painting.canvas
  } catch (error) {
    if (error instanceof UnreadableMesh) return undefined
    throw error
  }
}

/** What colours surfaces comes before what makes them glow, should there be too many. */
function usesOf(shapes: readonly SeenShape[]): readonly TextureUse[] {
  return (['colourTexture', 'glowTexture'] as const).flatMap(name =>
    shapes.flatMap(shape => shape[name]?.use ?? []),
  )
}

/** A triangle that one sees through, for later. */
interface SeenThrough {
  readonly shape: SeenShape
  readonly shade: Shade
  readonly nth: number
  readonly depth: number
}

class Painting {
  readonly canvas = new Uint8ClampedArray(DRAWN_PX * DRAWN_PX * 3).fill(BACKGROUND)
  isBlank = true
  readonly #raster = new Raster(DRAWN_PX)
  readonly #corners = [newCorner(), newCorner(), newCorner()] as const
  readonly #fit: Fit
  readonly #images: ModelImages
  readonly #seenThrough: SeenThrough[] = []

  constructor(fit: Fit, images: ModelImages) {
    this.#fit = fit
    this.#images = images
  }

  /** What of the shape hides what is behind; the rest is kept for later. */
  paintSolid(shape: SeenShape): void {
    const shade = new Shade(shape, this.#corners, this.#images)
    let isSeenThrough = false
    const paintPixel: PaintPixel = (place, ofA, ofB, ofC) => {
      const cover = shade.coverAt(ofA, ofB, ofC)
      const isSolid = cover >= SOLID
      if (isSolid) this.#paint(shade, place, 1, ofA, ofB, ofC)
      else if (cover > 0) isSeenThrough = true
      return isSolid
    }
    for (let nth = 0; nth < shape.triangles; nth++) {
      isSeenThrough = false
      this.#fill(shape, shade, nth, paintPixel)
      const [a, b, c] = this.#corners
      if (isSeenThrough) this.#seenThrough.push({ shape, shade, nth, depth: a.depth + b.depth + c.depth })
    }
  }

  /** Each mixed into what is behind it. What is in front of one of them hides it already. */
  paintSeenThrough(): void {
    for (const { shape, shade, nth } of this.#seenThrough.sort((one, other) => other.depth - one.depth)) {
      this.#fill(shape, shade, nth, (place, ofA, ofB, ofC) => {
        const cover = shade.coverAt(ofA, ofB, ofC)
        if (cover > 0 && cover < SOLID) this.#paint(shade, place, cover, ofA, ofB, ofC)
        return false
      })
    }
  }

  #fill(shape: SeenShape, shade: Shade, nth: number, paintPixel: PaintPixel): void {
    const [a, b, c] = this.#corners
    bring(a, shape, nth * 3, this.#fit)
    bring(b, shape, nth * 3 + 1, this.#fit)
    bring(c, shape, nth * 3 + 2, this.#fit)
    shade.turnTo()
    this.#raster.fill(a, b, c, paintPixel)
  }

  #paint(shade: Shade, place: number, share: number, ofA: number, ofB: number, ofC: number): void {
    this.isBlank = false
    shade.paint(this.canvas, place * 3, share, ofA, ofB, ofC)
  }
}
