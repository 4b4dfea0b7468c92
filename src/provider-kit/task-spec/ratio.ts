/** Aspect ratios and the many ways vendors write them. */

const WORDS: Readonly<Record<string, number>> = {
  square: 1,
  square_hd: 1,
  portrait: 9 / 16,
  landscape: 16 / 9,
}
const NUMBERS = /^(?:(?:portrait|landscape)_)?(\d+(?:\.\d+)?)[:x×*_/](\d+(?:\.\d+)?)$/i
/** How far apart two ratios may be to be taken for each other: 16:9 for 3:2, not for 1:1. */
const NEAR = Math.log(1.2)

/** Width ÷ height of `16:9`, `1536x1024`, `portrait_4_3`, `square` …; `undefined` for anything else. */
export function ratioOf(text: string): number | undefined {
  const named = WORDS[text.toLowerCase()]
  if (named !== undefined) return named
  const match = NUMBERS.exec(text)
  if (match === null) return undefined
  const [first, second] = [Number(match[1]), Number(match[2])]
  if (first === 0 || second === 0) return undefined
  // `portrait_4_3` is 3:4.
  return /^portrait_/i.test(text) ? Math.min(first, second) / Math.max(first, second) : first / second
}

/** The word whose ratio is the nearest, where one is near enough. */
export function nearestRatio(text: string, words: readonly string[]): string | undefined {
  const wanted = ratioOf(text)
  if (wanted === undefined) return undefined
  let best: { word: string; distance: number } | undefined
  for (const word of words) {
    const ratio = ratioOf(word)
    if (ratio === undefined) continue
    const distance = Math.abs(Math.log(ratio / wanted))
    if (best === undefined || distance < best.distance) best = { word, distance }
  }
  return best !== undefined && best.distance <= NEAR ? best.word : undefined
}

const SIDE_PX: Readonly<Record<string, number>> = { '0.5k': 512, '1k': 1024, '2k': 2048, '4k': 4096 }

/** Of the square with as many pixels as the class has; `720p` is 1280 by 720. */
function sidePxOf(resolution: string): number | undefined {
  const lines = /^(\d{3,4})p$/.exec(resolution)?.[1]
  return lines === undefined ? SIDE_PX[resolution] : (Number(lines) * 4) / 3
}

/** The longest side that vendors of free sizes take. */
const MAX_SIDE_PX = 4096

/**
 * Width and height in multiples of 16 with that ratio and no more pixels than the class has (`1K` = 1024², the default;
 * `720p` = 1280 × 720), no side above 4096;
 * `undefined` where the text is no ratio or the class is none.
 */
export function sizeOf(
  ratioText: string,
  resolution: string | undefined,
): { readonly width: number; readonly height: number } | undefined {
  const ratio = ratioOf(ratioText)
  const side = sidePxOf((resolution ?? '1K').toLowerCase())
  if (ratio === undefined || side === undefined) return undefined
  const [width, height] = [side * Math.sqrt(ratio), side / Math.sqrt(ratio)]
  const shrink = Math.min(1, MAX_SIDE_PX / Math.max(width, height))
  const down = (length: number) => Math.max(16, Math.floor((length * shrink) / 16) * 16)
  return { width: down(width), height: down(height) }
}
