/** Between linear light, in which colours mix, and the bytes that files and screens take (IEC 61966-2-1, sRGB). */

/** The light of each byte, from 0 to 1. */
export const LINEAR: Float32Array = Float32Array.from({ length: 256 }, (_, byte) => {
  const share = byte / 255
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
})

/** So fine that each byte, as light, comes back as itself. */
const STEPS = 16_384

const BYTES = Uint8Array.from({ length: STEPS + 1 }, (_, step) => {
  const light = step / STEPS
  return Math.round(255 * (light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055))
})

/** Less than 0 is black, more than 1 as bright as can be. */
export function byteOf(light: number): number {
  const step = Math.min(1, Math.max(0, light)) * STEPS + 0.5
  return BYTES[step | 0] ?? 0
}
