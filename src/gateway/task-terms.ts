/** What a task settles by, whatever prices, tiers and catalogue become: frozen in its row when it is submitted. */
import type { StoredTerms } from '#modules/ledger/index.ts'
import { fixedPriceLines } from '#modules/pricing/index.ts'
import type { CapSubject } from '#spec/account.ts'
import type { JsonObject } from '#spec/json.ts'
import { type PriceLine, priceOf } from '#spec/money.ts'
import type { MediaFacts, MediaPrice } from '#spec/offering.ts'

/** An offering that the hold covers. */
export interface FrozenOffering {
  readonly id: string
  readonly provider: string
  readonly upstreamModel: string
  /** The HTTP path there, where its models do not all share one. */
  readonly path: string | undefined
  /** Fields that make the provider's endpoint this model: sent with every call. */
  readonly options: JsonObject
  /** What the vendor takes for it. */
  readonly price: MediaPrice
  /** The most it can cost. */
  readonly boundLines: readonly PriceLine[]
}

export interface TaskTerms {
  readonly call: StoredTerms
  readonly subjects: readonly CapSubject[]
  /** The price is this for each file that is delivered, whoever serves it and without a markup; else by the offering. */
  readonly fixedNanoUsd: bigint | undefined
  readonly facts: MediaFacts
  /** Of the longest film or sound that goes in, where it was measured. */
  readonly inputDurationMs?: number | undefined
  readonly offerings: readonly FrozenOffering[]
  /** The key that it was submitted under is the task's (`task-key.ts`): the end of the hold ends the key's call too. */
  readonly keyedWait: boolean
}

/** The charge of so many units: by the fixed price of so many files, or with the markup of the tier. */
export function chargeOf(
  terms: Pick<TaskTerms, 'fixedNanoUsd' | 'call'>,
  lines: readonly PriceLine[],
  files: number,
): { readonly lines: readonly PriceLine[]; readonly costNanoUsd: bigint; readonly chargeNanoUsd: bigint } {
  const { costNanoUsd, chargeNanoUsd } = priceOf(lines, terms.call.markupBasisPoints)
  if (terms.fixedNanoUsd === undefined) return { lines, costNanoUsd, chargeNanoUsd }
  const fixed = fixedPriceLines(terms.fixedNanoUsd, files)
  return { lines: fixed, costNanoUsd, chargeNanoUsd: priceOf(fixed, 0).chargeNanoUsd }
}

/** Money is text in JSON, and a field is money by its name. */
const IS_MONEY = /(?:NanoUsd|nanoUsdPerMillion|NanoUsdPerMillion|^quantity)$/

export function toStoredTaskTerms(terms: TaskTerms): JsonObject {
  return JSON.parse(
    JSON.stringify(terms, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ) as JsonObject
}

export function fromStoredTaskTerms(stored: JsonObject): TaskTerms {
  return JSON.parse(JSON.stringify(stored), (name, value: unknown) =>
    IS_MONEY.test(name) && typeof value === 'string' ? BigInt(value) : value,
  ) as TaskTerms
}
