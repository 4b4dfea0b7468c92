/** The colours of a piece, chosen in OKLCH, where equal steps look equal, so that no prompt draws an ugly one. */
import type { Random } from '../../random.ts'

/** Red, green and blue from 0 to 255, gamma-encoded (sRGB). */
export type Colour = readonly [red: number, green: number, blue: number]

export interface Palette {
  /** From dark (0) to light (1), the hue turning on the way. */
  shade(lightness: number): Colour
  /** Strong colours that stand out from the shades. */
  readonly accents: readonly [Colour, Colour, Colour]
}

/** Degrees in OKLCH of what a prompt may ask for by name. */
const HUES: readonly (readonly [RegExp, number])[] = [
  [/\b(red|crimson|fire|rose|blood)\b/i, 27],
  [/\b(orange|sunset|autumn|copper|desert)\b/i, 55],
  [/\b(yellow|gold|golden|sunny|honey)\b/i, 92],
  [/\b(green|forest|jungle|grass|emerald)\b/i, 145],
  [/\b(teal|turquoise|cyan|ice)\b/i, 195],
  [/\b(blue|sea|ocean|sky|water|winter)\b/i, 250],
  [/\b(purple|violet|lavender|magic)\b/i, 305],
  [/\b(pink|magenta|neon|cherry)\b/i, 345],
]
/** How far the accents are from the base on the wheel. */
const HARMONIES = [
  [150, 180, 210],
  [120, 180, 240],
  [40, 180, 320],
  [60, 90, 200],
]

/** Follows the prompt where it names a colour, else chance. */
export function paletteOf(prompt: string, random: Random): Palette {
  const named = HUES.filter(([words]) => words.test(prompt)).map(([, hue]) => hue)
  const anyHue = random.next() * 360
  const hue = (named.length > 0 ? random.pick(named) : anyHue) + random.next() * 16 - 8
  const turn = (random.chance(0.5) ? 1 : -1) * (20 + random.next() * 60)
  const chroma = 0.07 + random.next() * 0.08
  const accentsAt = random.pick(HARMONIES)
  const accent = (nth: number) =>
    colourOf(0.62 + 0.1 * nth, 0.13 + random.next() * 0.06, hue + (accentsAt[nth] ?? 180))
  return {
    accents: [accent(0), accent(1), accent(2)],
    shade(lightness) {
      const t = Math.min(1, Math.max(0, lightness))
      const strength = chroma * (1 - (2 * t - 1) ** 2 * 0.6)
      return colourOf(0.2 + 0.74 * t, strength, hue + turn * (t - 0.5))
    },
  }
}

/** `part` of the second colour over the first. */
export function blend(under: Colour, over: Colour, part: number): Colour {
  return [
    under[0] + (over[0] - under[0]) * part,
    under[1] + (over[1] - under[1]) * part,
    under[2] + (over[2] - under[2]) * part,
  ]
}

/** Björn Ottosson's OKLab, from polar coordinates to sRGB (https://bottosson.github.io/posts/oklab/). */
function colourOf(lightness: number, chroma: number, hueDegrees: number): Colour {
  const hue = (hueDegrees * Math.PI) / 180
  const a = chroma * Math.cos(hue)
  const b = chroma * Math.sin(hue)
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    encoded(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    encoded(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    encoded(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ]
}

function encoded(linear: number): number {
  const value = Math.min(1, Math.max(0, linear))
  return 255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055)
}
