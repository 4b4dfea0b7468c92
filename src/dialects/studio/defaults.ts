/**
 * What a parameter is that was left out: the API's own default where the model takes it, else the model's smallest. What was
 * sent is the client's will, and the gateway refuses what the model does not take.
 */
import type { Model } from '#spec/offering.ts'

/** The ratio: the default, else the model's own. */
export function ratioFor(
  { media }: Model,
  sent: string | null | undefined,
  usual: string,
): string | undefined {
  if (sent) return sent
  const ratios = media?.aspectRatios
  return ratios === undefined || ratios.includes(usual) ? usual : undefined
}

/** The resolution: the default, else the smallest. */
export function resolutionFor(
  { media }: Model,
  sent: string | null | undefined,
  usual: string,
): string | undefined {
  if (sent) return sent
  const resolutions = media?.resolutions
  if (resolutions === undefined || resolutions.includes(usual)) return usual
  return resolutions.toSorted((one, other) => linesOf(one) - linesOf(other))[0]
}

/** `720p` and `4K` as lines of a picture. */
function linesOf(resolution: string): number {
  const number = Number.parseFloat(resolution)
  return /k$/i.test(resolution) ? number * 540 : number
}

/** The length: the default, else the shortest. */
export function secondsFor(
  { media }: Model,
  sent: number | null | undefined,
  usual: number,
): number | undefined {
  if (sent !== undefined && sent !== null) return sent
  const { durationsSeconds: choices, durationRangeSeconds: range } = media ?? {}
  if (choices !== undefined) return choices.includes(usual) ? usual : Math.min(...choices)
  if (range !== undefined) return usual < range.min || usual > range.max ? range.min : usual
  return usual
}
