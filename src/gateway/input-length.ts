/**
 * How long the files last that go into a call, for prices by the second of input. Only files of ours count: what they last
 * was read from the bytes the provider will get. Behind somebody else's address another file may be by then, so a call
 * with one is held for the longest that its model takes.
 */
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { InputRole, MediaInput } from '#spec/media.ts'
import type { MediaFacts } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'
import { accountOf } from './admission.ts'
import type { MediaProspect } from './media-prospect.ts'
import { ownFile } from './own-files.ts'
import type { GatewayParts } from './parts.ts'

/** What the result is made of, and so as long as. References are followed, not played. */
const PLAYED: ReadonlySet<InputRole> = new Set(['video', 'audio'])
const TOLERANCE_MS = 1_000

/**
 * The prospect at what goes in. A file says itself how long it is, and can say too little: so what it says raises a hold, and
 * lowers one only where words alone come out. Of everything else the length that is charged is measured at the result.
 */
export async function atInputLength(
  parts: GatewayParts,
  asked: MediaProspect,
  inputs: readonly MediaInput[],
): Promise<MediaProspect> {
  const { principal, request, terms } = asked
  const { action } = request
  const lasts = await inputDurationOf(parts, accountOf(principal), { action, inputs }, terms.facts)
  if (lasts === undefined) return asked
  const known = asked.withInputLength(lasts)
  const isMore = known.boundsNanoUsd.some((bound, at) => bound > (asked.boundsNanoUsd[at] ?? 0n))
  return isMore || action === 'speech2text' ? known : asked
}

/**
 * Of the longest film or sound that goes in, in milliseconds; `undefined` where there is none, where the length of one is not
 * known, or where the result goes on from its input and is not as long as it. Throws input_rejected where one is longer than
 * the model takes.
 */
async function inputDurationOf(
  parts: GatewayParts,
  account: AccountRef,
  { action, inputs }: Pick<MediaOperation, 'action' | 'inputs'>,
  facts: MediaFacts,
): Promise<number | undefined> {
  const played = inputs.filter(({ role }) => PLAYED.has(role))
  if (played.length === 0) return undefined
  const lengths = await Promise.all(played.map(input => lengthOf(parts, account, input, facts)))
  if (action?.startsWith('extend') === true || lengths.includes(undefined)) return undefined
  return Math.max(...lengths.filter(length => length !== undefined))
}

async function lengthOf(
  parts: GatewayParts,
  account: AccountRef,
  { url, param }: MediaInput,
  { maxInputSeconds }: MediaFacts,
): Promise<number | undefined> {
  const file = url.startsWith('data:') ? 'elsewhere' : await ownFile(parts, account, url)
  if (typeof file === 'string' || file.durationMs === undefined) return undefined
  if (maxInputSeconds !== undefined && file.durationMs > maxInputSeconds * 1_000 + TOLERANCE_MS) {
    const seconds = Math.ceil(file.durationMs / 1_000)
    throw new GatewayError(
      'input_rejected',
      `${param} lasts ${seconds} seconds; this model takes at most ${maxInputSeconds}.`,
      { param },
    )
  }
  return file.durationMs
}
