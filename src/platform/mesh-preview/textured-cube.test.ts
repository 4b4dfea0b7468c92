import { describe, expect, it, vi } from 'vitest'
import { drawMesh } from './draw.ts'
import { floats, glbWith, type Surface, sheetCoordinates } from './glb.fixture.ts'
import { BLUE, decode, quarters, RED } from './sheet.fixture.ts'
import { DRAWN_PX } from './view.ts'

vi.setConfig({ testTimeout: 60_000 })

type Place = readonly [number, number, number]

/** What is seen of a cube: each side by its upper left corner, and the ways to the right and down along it. */
const SIDES: readonly { readonly corner: Place; readonly across: Place; readonly down: Place }[] = [
  { corner: [-0.5, 1, -0.5], across: [1, 0, 0], down: [0, 0, 1] },
  { corner: [-0.5, 1, -0.5], across: [0, 0, 1], down: [0, -1, 0] },
  { corner: [-0.5, 1, 0.5], across: [1, 0, 0], down: [0, -1, 0] },
]

const on = ({ corner, across, down }: (typeof SIDES)[number], u: number, v: number): Place => [
  corner[0] + u * across[0] + v * down[0],
  corner[1] + u * across[1] + v * down[1],
  corner[2] + u * across[2] + v * down[2],
]

const CUBE_SIDES: Surface = {
  positions: SIDES.flatMap(side => [on(side, 0, 0), on(side, 0, 1), on(side, 1, 1), on(side, 1, 0)]).flat(),
  indices: SIDES.flatMap((_, nth) => [0, 1, 2, 0, 2, 3].map(one => nth * 4 + one)),
}

/** From half left and above, by the same two turns as the picture's. */
function pixelAt(pixels: Uint8ClampedArray, [x, y, z]: Place): readonly number[] {
  const [cosYaw, sinYaw, cosPitch, sinPitch] = [Math.cos(0.6), Math.sin(0.6), Math.cos(0.42), Math.sin(0.42)]
  const scale = (0.84 * DRAWN_PX) / (cosPitch + (sinYaw + cosYaw) * sinPitch)
  const right = cosYaw * x + sinYaw * z
  const up = sinYaw * sinPitch * x + cosPitch * (y - 0.5) - cosYaw * sinPitch * z
  const place = Math.round(DRAWN_PX / 2 - up * scale) * DRAWN_PX + Math.round(DRAWN_PX / 2 + right * scale)
  return [...pixels.subarray(place * 3, place * 3 + 3)]
}

describe('a cube with a checked texture', () => {
  it('shows both colours in turns on each side, brightest on top', async () => {
    const checks = [await quarters(RED, BLUE, BLUE, RED).png().toBuffer()]
    const columns = { TEXCOORD_0: floats(SIDES.flatMap(() => sheetCoordinates(2))) }
    const materials = [{ pbrMetallicRoughness: { baseColorTexture: { index: 0 } } }]
    const pixels = await drawMesh(glbWith(CUBE_SIDES, columns, checks, { materials }), decode)
    if (pixels === undefined) throw new Error('nothing was drawn')
    const eighths = [1, 3, 5, 7]
    const brightness = SIDES.map(side => {
      const rows = eighths.map(v => eighths.map(u => pixelAt(pixels, on(side, u / 8, v / 8))))
      const names = rows.map(row =>
        row.map(([red = 0, green, blue = 0]) => nameOf(red, green, blue)).join(' '),
      )
      const [even, odd] = ['red blue red blue', 'blue red blue red']
      expect(names).toEqual([even, odd, even, odd])
      return rows[0]?.[0]?.[0] ?? 0
    })
    expect(brightness).toEqual(brightness.toSorted((one, other) => other - one))
    expect(new Set(brightness).size).toBe(3)
    expect(Math.min(...brightness)).toBeGreaterThan(100)
  })
})

function nameOf(red: number, green: number | undefined, blue: number): string {
  if (green !== 0 || Math.min(red, blue) !== 0) return 'mixed'
  return red > blue ? 'red' : 'blue'
}
