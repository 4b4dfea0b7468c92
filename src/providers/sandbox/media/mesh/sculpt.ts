/** A prompt's mesh: its surface, its colours and what it is made of. */
import { randomOf } from '../../random.ts'
import { blend, type Palette, paletteOf } from '../picture/palette.ts'
import { formOf } from './forms.ts'
import { type Surface, surfaceOf } from './surface.ts'

export interface Mesh extends Surface {
  /** Three numbers a vertex, red, green and blue from 0 to 1, linear as glTF wants them. */
  readonly colours: Float32Array
  readonly material: { readonly metallic: number; readonly roughness: number }
  readonly palette: Palette
}

export function sculpt(prompt: string, seed: number | string): Mesh {
  const random = randomOf('mesh', prompt, String(seed))
  const palette = paletteOf(prompt, random)
  const surface = surfaceOf(formOf(prompt, random))
  const bands = 1 + random.below(5)
  const slant = random.below(3)
  const isMetal = random.chance(0.3)
  const vertices = surface.positions.length / 3
  const colours = new Float32Array(vertices * 3)
  for (let vertex = 0; vertex < vertices; vertex++) {
    const around = surface.places[vertex * 2] ?? 0
    const along = surface.places[vertex * 2 + 1] ?? 0
    const height = surface.positions[vertex * 3 + 1] ?? 0
    const wave = 0.5 + 0.5 * Math.sin(2 * Math.PI * (bands * along + slant * around))
    const colour = blend(palette.shade(0.35 + 0.5 * height), palette.accents[0], wave * wave * 0.8)
    colours.set(colour.map(linear), vertex * 3)
  }
  const material = { metallic: isMetal ? 0.9 : 0, roughness: 0.25 + random.next() * 0.6 }
  return { ...surface, colours, material, palette }
}

/** IEC 61966-2-1, from a byte's range. */
function linear(encoded: number): number {
  const value = Math.min(1, Math.max(0, encoded / 255))
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}
