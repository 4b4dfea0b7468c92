/** A sky with a sun or moon, ridges one behind the other in the haze, and often water that mirrors them. */
import type { Random } from '../../random.ts'
import type { Canvas } from './canvas.ts'
import { blend, type Colour, type Palette } from './palette.ts'
import type { Scene } from './scene.ts'

interface Ridge {
  /** Height of its middle from the top, as a share of the picture. */
  readonly level: number
  readonly relief: number
  /** Values from 0 to 1 at whole steps, over and over: a drift by all of them is none. */
  readonly noise: Float32Array
  readonly stepsPerHeight: number
  readonly colour: Colour
}

interface Landscape {
  readonly top: Colour
  readonly horizon: Colour
  readonly light: Colour
  readonly lightAt: readonly [x: number, y: number]
  readonly lightRadius: number
  readonly ridges: readonly Ridge[]
  /** Where the water begins, from the top; 1 where there is none. */
  readonly waterline: number
}

/** Powers of two. A near ridge drifts farther in the same time. */
const FAR_STEPS = 8
const NEAR_STEPS = 16

export function createLandscape(palette: Palette, random: Random): Scene {
  const plan = planLandscape(palette, random)
  return {
    paint(canvas, phase) {
      paintSky(canvas, plan, phase)
      for (const ridge of plan.ridges) paintRidge(canvas, plan, ridge, phase)
      if (plan.waterline < 1) paintWater(canvas, plan, phase)
    },
  }
}

function planLandscape(palette: Palette, random: Random): Landscape {
  const isNight = random.chance(0.3)
  const horizon = blend(palette.shade(isNight ? 0.5 : 0.9), palette.accents[1], 0.3)
  const count = 3 + random.below(4)
  const first = 0.42 + random.next() * 0.12
  const ridges = Array.from({ length: count }, (_, nth): Ridge => {
    const depth = (nth + 1) / count
    return {
      level: first + (0.95 - first) * ((nth + 0.4) / count),
      relief: 0.1 + random.next() * 0.14,
      noise: Float32Array.from({ length: depth > 0.5 ? NEAR_STEPS : FAR_STEPS }, () => random.next()),
      stepsPerHeight: 2 + random.next() * 3,
      colour: blend(horizon, palette.shade(0.06), 0.25 + 0.75 * depth ** 1.2),
    }
  })
  return {
    top: palette.shade(isNight ? 0.12 : 0.62),
    horizon,
    light: blend(palette.accents[0], [255, 250, 235], isNight ? 0.8 : 0.55),
    lightAt: [0.15 + random.next() * 0.7, 0.14 + random.next() * 0.26],
    lightRadius: 0.05 + random.next() * 0.07,
    ridges,
    waterline: random.chance(0.55) ? 0.7 + random.next() * 0.12 : 1,
  }
}

function paintSky({ widthPx, heightPx, pixels }: Canvas, plan: Landscape, phase: number): void {
  const sway = Math.sin(2 * Math.PI * phase)
  const centreX = (plan.lightAt[0] + 0.03 * sway) * widthPx
  const centreY = (plan.lightAt[1] + 0.02 * Math.cos(2 * Math.PI * phase)) * heightPx
  const radius = plan.lightRadius * Math.min(widthPx, heightPx)
  const spread = radius * radius * 5
  const [lightRed, lightGreen, lightBlue] = plan.light
  let at = 0
  for (let y = 0; y < heightPx; y++) {
    const [red, green, blue] = blend(plan.top, plan.horizon, Math.min(1, y / heightPx / 0.6))
    const squaredY = (y + 0.5 - centreY) ** 2
    for (let x = 0; x < widthPx; x++) {
      const squared = (x + 0.5 - centreX) ** 2 + squaredY
      let glow = (0.55 * spread) / (squared + spread)
      if (squared < (radius + 1) * (radius + 1)) {
        const cover = Math.min(1, radius + 0.5 - Math.sqrt(squared))
        if (cover > 0) glow += (1 - glow) * cover
      }
      pixels[at++] = red + (lightRed - red) * glow
      pixels[at++] = green + (lightGreen - green) * glow
      pixels[at++] = blue + (lightBlue - blue) * glow
    }
  }
}

function paintRidge(canvas: Canvas, plan: Landscape, ridge: Ridge, phase: number): void {
  const { widthPx, heightPx, pixels } = canvas
  const drift = phase * ridge.noise.length
  const [red, green, blue] = ridge.colour
  const [hazeRed, hazeGreen, hazeBlue] = blend(ridge.colour, plan.horizon, 0.35)
  const foot = plan.waterline * heightPx
  const scale = 1 / Math.max(1, 0.35 * heightPx)
  for (let x = 0; x < widthPx; x++) {
    const steps = (x / heightPx) * ridge.stepsPerHeight + drift
    const crest = (ridge.level - ridge.relief * heightAt(ridge.noise, steps)) * heightPx
    for (let y = Math.max(0, Math.floor(crest)); y < foot; y++) {
      const cover = Math.min(1, y + 1 - crest)
      const haze = Math.min(1, (y - crest) * scale)
      const at = (y * widthPx + x) * 3
      mix(pixels, at, red + (hazeRed - red) * haze, cover)
      mix(pixels, at + 1, green + (hazeGreen - green) * haze, cover)
      mix(pixels, at + 2, blue + (hazeBlue - blue) * haze, cover)
    }
  }
}

function mix(pixels: Uint8ClampedArray, at: number, value: number, cover: number): void {
  const under = pixels[at] ?? 0
  pixels[at] = under + (value - under) * cover
}

/** What is above the waterline, upside down, rippled and a little darker. */
function paintWater({ widthPx, heightPx, pixels }: Canvas, plan: Landscape, phase: number): void {
  const top = Math.floor(plan.waterline * heightPx)
  const [red, green, blue] = plan.horizon
  for (let y = top; y < heightPx; y++) {
    const depth = (y - top) / Math.max(1, heightPx - top)
    const wave = Math.sin(2 * Math.PI * (Math.sqrt(depth) * 14 - phase * 2))
    const mirrored = 2 * top - y - 1 + wave * (1 + depth * heightPx * 0.012)
    const source = Math.min(top - 1, Math.max(0, Math.round(mirrored)))
    const shine = 0.14 + 0.1 * wave * (1 - depth)
    let from = Math.max(0, source) * widthPx * 3
    let at = y * widthPx * 3
    for (let x = 0; x < widthPx; x++) {
      pixels[at++] = (pixels[from++] ?? 0) * (0.82 - shine) + red * shine
      pixels[at++] = (pixels[from++] ?? 0) * (0.84 - shine) + green * shine
      pixels[at++] = (pixels[from++] ?? 0) * (0.88 - shine) + blue * shine
    }
  }
}

/** Four octaves of smoothed noise, about 0 to 1. */
function heightAt(noise: Float32Array, steps: number): number {
  let sum = 0
  let weight = 0.53
  let scale = 1
  for (let octave = 0; octave < 4; octave++) {
    sum += weight * smoothed(noise, steps * scale)
    weight *= 0.5
    scale *= 2
  }
  return sum
}

function smoothed(noise: Float32Array, steps: number): number {
  const last = noise.length - 1
  const whole = Math.floor(steps)
  const part = steps - whole
  const from = noise[whole & last] ?? 0
  const to = noise[(whole + 1) & last] ?? 0
  return from + (to - from) * part * part * (3 - 2 * part)
}
