/** Soft bands that flow into each other: sums of waves that bend each other, coloured by height. */
import type { Random } from '../../random.ts'
import type { Canvas } from './canvas.ts'
import { blend, type Palette } from './palette.ts'
import type { Scene } from './scene.ts'

interface Wave {
  readonly x: number
  readonly y: number
  readonly offset: number
  /** Whole turns in one phase: the loop has no seam. */
  readonly turns: number
  readonly weight: number
}

/** Heights are computed for every so many pixels and are smooth in between. */
const GRID_PX = 4
const COLOURS = 1_024

export function createCurrents(palette: Palette, random: Random): Scene {
  const bends = wavesOf(random, 4, 3)
  const waves = wavesOf(random, 5, 5)
  const strength = 0.25 + random.next() * 0.35
  const colours = coloursOf(palette, random)
  return {
    paint(canvas, phase) {
      const columns = Math.ceil(canvas.widthPx / GRID_PX) + 1
      const rows = Math.ceil(canvas.heightPx / GRID_PX) + 1
      const size = Math.sqrt(canvas.widthPx * canvas.heightPx)
      const heights = new Float32Array(columns * rows)
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const x = (column * GRID_PX) / size
          const y = (row * GRID_PX) / size
          const bend = strength * heightOf(bends, x, y, phase)
          heights[row * columns + column] = 0.5 + 0.5 * heightOf(waves, x + bend, y - bend, phase)
        }
      }
      paintHeights(canvas, heights, columns, colours)
    },
  }
}

function wavesOf(random: Random, count: number, frequency: number): Wave[] {
  return Array.from({ length: count }, () => ({
    x: (random.next() * 2 - 1) * frequency * Math.PI,
    y: (random.next() * 2 - 1) * frequency * Math.PI,
    offset: random.next() * 2 * Math.PI,
    turns: random.pick([-1, 1]),
    weight: 1 / count,
  }))
}

function heightOf(waves: readonly Wave[], x: number, y: number, phase: number): number {
  let sum = 0
  for (const wave of waves) {
    sum += wave.weight * Math.sin(wave.x * x + wave.y * y + wave.offset + 2 * Math.PI * wave.turns * phase)
  }
  return sum * 1.6
}

/** Dark to light, with bands of the accents. */
function coloursOf(palette: Palette, random: Random): Uint8Array {
  const table = new Uint8Array(COLOURS * 3)
  const bands = palette.accents.map(accent => ({
    accent,
    at: 0.15 + random.next() * 0.7,
    width: 0.03 + random.next() * 0.08,
  }))
  for (let nth = 0; nth < COLOURS; nth++) {
    const height = nth / (COLOURS - 1)
    let colour = palette.shade(height)
    for (const { accent, at, width } of bands) {
      colour = blend(colour, accent, 0.75 * Math.exp(-(((height - at) / width) ** 2)))
    }
    table.set(colour.map(Math.round), nth * 3)
  }
  return table
}

function paintHeights(canvas: Canvas, heights: Float32Array, columns: number, colours: Uint8Array): void {
  const { widthPx, heightPx, pixels } = canvas
  const line = new Float32Array(columns)
  let at = 0
  for (let y = 0; y < heightPx; y++) {
    const row = Math.floor(y / GRID_PX)
    const down = y / GRID_PX - row
    for (let column = 0; column < columns; column++) {
      const upper = heights[row * columns + column] ?? 0
      const lower = heights[(row + 1) * columns + column] ?? upper
      line[column] = upper + (lower - upper) * down
    }
    for (let x = 0; x < widthPx; x++) {
      const column = Math.floor(x / GRID_PX)
      const from = line[column] ?? 0
      const height = from + ((line[column + 1] ?? from) - from) * (x / GRID_PX - column)
      const colour = Math.min(COLOURS - 1, Math.max(0, Math.round(height * (COLOURS - 1)))) * 3
      pixels[at++] = colours[colour] ?? 0
      pixels[at++] = colours[colour + 1] ?? 0
      pixels[at++] = colours[colour + 2] ?? 0
    }
  }
}
