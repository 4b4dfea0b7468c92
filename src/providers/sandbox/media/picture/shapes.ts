/** Discs, rings and tiles over a gradient, each on an orbit of its own. */
import type { Random } from '../../random.ts'
import type { Canvas } from './canvas.ts'
import { blend, type Colour, type Palette } from './palette.ts'
import type { Scene } from './scene.ts'

interface Shape {
  readonly form: 'disc' | 'ring' | 'tile'
  readonly at: readonly [x: number, y: number]
  /** Shares of the shorter side. */
  readonly radius: number
  readonly orbit: number
  readonly offset: number
  /** Whole turns in one phase. */
  readonly turns: number
  readonly angle: number
  readonly colour: Colour
  readonly opacity: number
}

export function createShapes(palette: Palette, random: Random): Scene {
  const isDark = random.chance(0.4)
  const from = palette.shade(isDark ? 0.08 : 0.97)
  const to = palette.shade(isDark ? 0.38 : 0.74)
  const slant = random.next() * 2 * Math.PI
  const colours = [...palette.accents, palette.shade(isDark ? 0.75 : 0.35)]
  const shapes = Array.from({ length: 7 + random.below(8) }, () => shapeOf(colours, random))
  return {
    paint(canvas, phase) {
      paintGradient(canvas, from, to, slant)
      for (const shape of shapes) paintShape(canvas, shape, phase)
    },
  }
}

function shapeOf(colours: readonly Colour[], random: Random): Shape {
  return {
    form: random.pick(['disc', 'disc', 'ring', 'tile']),
    at: [random.next(), random.next()],
    radius: 0.05 + random.next() ** 2 * 0.28,
    orbit: 0.04 + random.next() * 0.12,
    offset: random.next() * 2 * Math.PI,
    turns: random.pick([-1, 1]),
    angle: random.next() * Math.PI,
    colour: random.pick(colours),
    opacity: 0.45 + random.next() * 0.5,
  }
}

function paintGradient({ widthPx, heightPx, pixels }: Canvas, from: Colour, to: Colour, slant: number): void {
  const across = Math.cos(slant) / widthPx
  const down = Math.sin(slant) / heightPx
  let at = 0
  for (let y = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++) {
      const part = 0.5 + ((x - widthPx / 2) * across + (y - heightPx / 2) * down) * 0.7
      pixels[at++] = from[0] + (to[0] - from[0]) * part
      pixels[at++] = from[1] + (to[1] - from[1]) * part
      pixels[at++] = from[2] + (to[2] - from[2]) * part
    }
  }
}

function paintShape(canvas: Canvas, shape: Shape, phase: number): void {
  const { widthPx, heightPx, pixels } = canvas
  const unit = Math.min(widthPx, heightPx)
  const turn = 2 * Math.PI * phase * shape.turns
  const centreX = shape.at[0] * widthPx + shape.orbit * unit * Math.cos(turn + shape.offset)
  const centreY = shape.at[1] * heightPx + shape.orbit * unit * Math.sin(turn + shape.offset)
  const radius = shape.radius * unit
  // A tile turned by 45° reaches farther than its half side.
  const reach = radius * 1.45 + 2
  const light = blend(shape.colour, [255, 255, 255], 0.25)
  const cosine = Math.cos(shape.angle + turn)
  const sine = Math.sin(shape.angle + turn)
  const toX = Math.min(widthPx, Math.ceil(centreX + reach))
  const toY = Math.min(heightPx, Math.ceil(centreY + reach))
  for (let y = Math.max(0, Math.floor(centreY - reach)); y < toY; y++) {
    for (let x = Math.max(0, Math.floor(centreX - reach)); x < toX; x++) {
      const right = x + 0.5 - centreX
      const below = y + 0.5 - centreY
      const outside = distanceTo(shape.form, radius, right, below, cosine, sine)
      if (outside >= 0.5) continue
      const cover = Math.min(1, 0.5 - outside) * shape.opacity
      const shine = 0.5 - (0.5 * below) / Math.max(1, radius)
      const at = (y * widthPx + x) * 3
      for (let channel = 0; channel < 3; channel++) {
        const dark = shape.colour[channel] ?? 0
        const colour = dark + ((light[channel] ?? 0) - dark) * shine
        const under = pixels[at + channel] ?? 0
        pixels[at + channel] = under + (colour - under) * cover
      }
    }
  }
}

/** Pixels from the edge of the shape; negative inside. */
function distanceTo(
  form: Shape['form'],
  radius: number,
  x: number,
  y: number,
  cosine: number,
  sine: number,
): number {
  if (form === 'disc') return Math.sqrt(x * x + y * y) - radius
  if (form === 'ring') return Math.abs(Math.sqrt(x * x + y * y) - radius * 0.85) - radius * 0.15
  const corner = radius * 0.2
  const right = Math.abs(x * cosine + y * sine) - (radius - corner)
  const below = Math.abs(y * cosine - x * sine) - (radius - corner)
  const outer = Math.sqrt(Math.max(0, right) ** 2 + Math.max(0, below) ** 2)
  return outer + Math.min(0, Math.max(right, below)) - corner
}
