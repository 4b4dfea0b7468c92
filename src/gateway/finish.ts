/**
 * The way out: what was used is settled, or the hold is given back; either way one usage row says how the call
 * ended. The last byte of an answer leaves only after this resolved.
 */
import type { StoredAnswer } from '#modules/idempotency/index.ts'
import type { Settlement, UsageFields } from '#modules/ledger/index.ts'
import { estimateUsage, usageLines } from '#modules/pricing/index.ts'
import { GatewayError } from '#spec/errors.ts'
import { type PriceLine, priceOf } from '#spec/money.ts'
import type { Outcome, TokenUsage } from '#spec/receipt.ts'
import type { Admission, Candidate } from './admission.ts'
import type { GatewayParts } from './parts.ts'

/** What a provider did for a call. */
export interface Work {
  readonly candidate: Candidate
  readonly usage: TokenUsage
  /** True where the provider reported no usage and it was counted here. */
  readonly estimated: boolean
  readonly outcome: Outcome
  readonly firstByteMs: number | undefined
}

/**
 * The usage the provider reported, or what can be counted of it: bytes divided by four. A report of nothing for an
 * answer with something in it is no report.
 */
export function workOf(
  admission: Admission,
  candidate: Candidate,
  done: {
    usage: TokenUsage | undefined
    outputBytes: number
    outcome: Outcome
    firstByteMs: number | undefined
  },
): Work {
  const { outcome, firstByteMs, outputBytes } = done
  const reported = isReport(done.usage, outputBytes) ? done.usage : undefined
  const usage = reported ?? estimateUsage(admission.request, candidate.model, outputBytes)
  return { candidate, usage, estimated: reported === undefined, outcome, firstByteMs }
}

function isReport(usage: TokenUsage | undefined, outputBytes: number): boolean {
  if (!usage) return false
  const input = usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens
  return input + usage.outputTokens > 0 || outputBytes === 0
}

export interface Bill {
  readonly lines: readonly PriceLine[]
  readonly costNanoUsd: bigint
  /** By the price of the offering that served and the markup frozen in the hold. */
  readonly chargeNanoUsd: bigint
  /** What the client will pay: never above the hold. */
  readonly payableNanoUsd: bigint
}

/** What the work is worth. A count of our own is never charged above the hold: it could not be proven. */
export function billOf(admission: Admission, work: Work): Bill {
  const lines = usageLines(work.usage, work.candidate.offering.price)
  const { costNanoUsd, chargeNanoUsd } = priceOf(lines, admission.principal.markupBasisPoints)
  const held = admission.hold?.amountNanoUsd ?? 0n
  const payableNanoUsd = chargeNanoUsd < held ? chargeNanoUsd : held
  return {
    lines,
    costNanoUsd,
    chargeNanoUsd: work.estimated ? payableNanoUsd : chargeNanoUsd,
    payableNanoUsd,
  }
}

/** The answer's `Idempotency-Key` belongs to another call by now: this node was taken for dead. */
export class KeyLost extends GatewayError {
  constructor() {
    super(
      'idempotency_in_progress',
      'Another call with this Idempotency-Key has taken over. Ask again for its answer.',
      {
        retryAfterSeconds: 1,
      },
    )
  }
}

/** Keeps the answer of an idempotent call; the settle marks it done. Throws KeyLost: the call must then be released. */
export async function keepAnswer(
  parts: GatewayParts,
  admission: Admission,
  answer: StoredAnswer,
): Promise<void> {
  const kept = await parts.idempotency.storeAnswer(admission.account, admission.call.requestId, answer)
  if (!kept) throw new KeyLost()
}

/** Charges the work. Durable when it resolves. */
export async function settleCall(
  parts: GatewayParts,
  admission: Admission,
  work: Work,
  bill: Bill,
): Promise<Settlement> {
  parts.crashPoint('before-settle')
  const { call } = admission
  const end = {
    id: call.requestId,
    account: admission.account,
    endedAs: 'settled' as const,
    chargeNanoUsd: bill.chargeNanoUsd,
    usage: usageOf(parts, admission, work.candidate, {
      lines: bill.lines,
      costNanoUsd: bill.costNanoUsd,
      outcome: work.outcome,
      estimated: work.estimated,
      firstByteMs: work.firstByteMs,
    }),
    idempotent: admission.idempotent,
  }
  const settlement = await settleEnd(parts, admission, end)
  parts.crashPoint('after-settle')
  const { chargedNanoUsd, availableNanoUsd = call.billing.availableNanoUsd } = settlement
  call.billing = { ...call.billing, chargedNanoUsd, availableNanoUsd }
  tellEnded(parts, admission, work.outcome, bill, settlement, work.estimated)
  return settlement
}

async function settleEnd(
  parts: GatewayParts,
  admission: Admission,
  end: Parameters<GatewayParts['ledger']['settle']>[0],
): Promise<Settlement> {
  const { principal } = admission
  if (admission.hold) return parts.ledger.settle(end, principal.keyId, principal.subjects)
  await parts.ledger.recordFreeUsage(end, principal.keyId)
  if (admission.idempotent) await parts.idempotency.finishFree(admission.account, admission.call.requestId)
  return { chargedNanoUsd: 0n, availableNanoUsd: undefined, lostNanoUsd: 0n }
}

function tellEnded(
  parts: GatewayParts,
  admission: Admission,
  outcome: Outcome,
  bill: Pick<Bill, 'costNanoUsd'>,
  settlement: Settlement,
  estimated: boolean,
): void {
  const { operation } = admission.request
  parts.events.callEnded({
    operation,
    outcome,
    chargeNanoUsd: settlement.chargedNanoUsd,
    costNanoUsd: bill.costNanoUsd,
    lostNanoUsd: settlement.lostNanoUsd,
    estimated,
  })
  if (settlement.lostNanoUsd > 0n) {
    parts.logger.error(
      {
        requestId: admission.call.requestId,
        model: admission.model.id,
        lostNanoUsd: String(settlement.lostNanoUsd),
      },
      'a provider reported more than was held; the operator pays the rest',
    )
  }
}

/** Gives the hold back. Never throws: a hold that cannot be given back now is released by the sweep. */
export async function releaseCall(
  parts: GatewayParts,
  admission: Admission,
  outcome: Outcome,
  candidate: Candidate | undefined,
): Promise<void> {
  const { call } = admission
  const nothing = { lines: [], costNanoUsd: 0n, outcome, estimated: false, firstByteMs: undefined }
  const end = {
    id: call.requestId,
    account: admission.account,
    endedAs: 'released' as const,
    chargeNanoUsd: 0n,
    usage: usageOf(parts, admission, candidate, nothing),
    idempotent: admission.idempotent,
  }
  try {
    if (admission.hold) {
      const ended = await parts.ledger.release(end)
      if (ended.availableNanoUsd !== undefined) {
        call.billing = { ...call.billing, availableNanoUsd: ended.availableNanoUsd }
      }
    } else {
      await parts.ledger.recordFreeUsage(end, admission.principal.keyId)
      if (admission.idempotent) await parts.idempotency.release(admission.account, call.requestId)
    }
  } catch (error) {
    parts.logger.error(
      { requestId: call.requestId, error },
      'a hold could not be released; the sweep will do it',
    )
  }
  const settlement = { chargedNanoUsd: 0n, availableNanoUsd: undefined, lostNanoUsd: 0n }
  tellEnded(parts, admission, outcome, nothing, settlement, false)
}

function usageOf(
  parts: GatewayParts,
  admission: Admission,
  candidate: Candidate | undefined,
  facts: Pick<UsageFields, 'lines' | 'costNanoUsd' | 'outcome' | 'estimated' | 'firstByteMs'>,
): UsageFields {
  return {
    ...admission.terms,
    model: candidate?.model.id ?? admission.model.id,
    provider: candidate?.offering.provider,
    upstreamModel: candidate?.offering.upstreamModel,
    lines: facts.lines,
    costNanoUsd: facts.costNanoUsd,
    outcome: facts.outcome,
    estimated: facts.estimated,
    firstByteMs: facts.firstByteMs,
    latencyMs: Math.round(parts.clock.monotonicMs() - admission.call.startedMonotonicMs),
  }
}
