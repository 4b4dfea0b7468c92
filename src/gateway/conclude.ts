/**
 * The way out of a task: its end, its money, its files and the callbacks that tell of it commit in one statement. A worker
 * that lost its lease finds nothing to end, and so settles nothing.
 */
import type { FileRecord } from '#modules/files/index.ts'
import type { EndRequest } from '#modules/ledger/index.ts'
import { mediaBill } from '#modules/pricing/index.ts'
import {
  type Attempt,
  isOver,
  type LeasedTask,
  type StoredTask,
  summaryOf,
  type TaskEnd,
  type TaskWork,
} from '#modules/tasks/index.ts'
import { type PriceLine, priceOf } from '#spec/money.ts'
import type { Outcome } from '#spec/receipt.ts'
import type { StatementPart } from '#spec/statement.ts'
import type { EndState, TaskFailure, TaskStage, TaskView } from '#spec/task.ts'
import type { GatewayParts } from './parts.ts'
import { callWaiting, seatsOfEnded } from './seats.ts'
import { filesOf } from './step.ts'
import { chargeOf, fromStoredTaskTerms, type TaskTerms } from './task-terms.ts'
import { taskViewOf } from './task-view.ts'

/** What a task came to. */
export interface Conclusion {
  readonly state: EndState
  readonly work: TaskWork
  readonly failure: TaskFailure | undefined
  readonly result: StoredTask['result']
  readonly files: readonly FileRecord[]
}

interface TaskBill {
  readonly lines: readonly PriceLine[]
  readonly costNanoUsd: bigint
  readonly chargeNanoUsd: bigint
}

const NOTHING: TaskBill = { lines: [], costNanoUsd: 0n, chargeNanoUsd: 0n }

/** Ends the task. Throws LeaseLost where another has it, or has ended it. */
export async function conclude(
  parts: GatewayParts,
  { lease, task }: LeasedTask,
  conclusion: Conclusion,
): Promise<TaskView> {
  const terms = fromStoredTaskTerms(task.terms)
  const served = servedBy(task, conclusion.work, terms)
  const bill = conclusion.state === 'succeeded' ? billOf(task, conclusion, terms) : NOTHING
  const chargedNanoUsd = bill.chargeNanoUsd < task.heldNanoUsd ? bill.chargeNanoUsd : task.heldNanoUsd
  const end: TaskEnd = {
    state: conclusion.state,
    work: summaryOfWork(parts, conclusion.work),
    result: conclusion.result,
    failure: conclusion.failure,
    provider: served?.provider,
    upstreamModel: served?.upstreamModel,
    chargedNanoUsd,
    sizeBytes: conclusion.files.reduce((sum, file) => sum + (file.role === 'result' ? file.sizeBytes : 0), 0),
  }
  const view = viewOfEnd(parts, task, end, conclusion.files)
  const stages = [...missedStages(task, end.state), undefined]
  const news = await newsOf(parts, task, view, stages)
  const fresh = conclusion.files.filter(file => !file.isStored)
  const files = fresh.length > 0 ? [parts.media.files.insertPart(fresh)] : []
  const endRequest = endRequestOf(parts, task, terms, conclusion, served, bill)
  const isFree = task.heldNanoUsd === 0n
  parts.crashPoint('before-settle')
  await parts.media.tasks.finish(lease, end, {
    end: isFree ? undefined : parts.ledger.endPart(endRequest),
    inserts: [...files, ...news, ...(isFree ? [parts.ledger.freeUsagePart(endRequest, task.keyId)] : [])],
  })
  parts.crashPoint('after-settle')
  tell(parts, task, terms, conclusion, bill, chargedNanoUsd)
  parts.media.bell.ring(task.id)
  await callWaiting(parts, seatsOfEnded(parts, terms, conclusion.work.attempts))
  if (news.length > 0) parts.media.outbox.wake()
  return view
}

/** Vendors that were given an address may call it long after the end. */
function summaryOfWork({ media }: GatewayParts, { attempts }: TaskWork): TaskWork {
  return { attempts: attempts.map(attempt => summaryOf(attempt, media.settings.isPublic)) }
}

/**
 * The callbacks about stages, or about the end (`undefined`), in the words of the task's dialect and in this order. A dialect
 * that tells of no such stage has none.
 */
export async function newsOf(
  parts: GatewayParts,
  task: StoredTask,
  view: TaskView,
  stages: readonly (TaskStage | undefined)[],
): Promise<readonly StatementPart[]> {
  const dialect = parts.media.dialects.get(task.dialect)
  const news = stages.flatMap(stage => {
    const body = dialect?.renderCallback?.(view, stage, parts.settings.credits)
    if (body === undefined) return []
    return {
      account: task.account,
      taskId: task.id,
      dialect: task.dialect,
      event: `task.${stage ?? view.state}`,
      body: JSON.stringify(body),
      callbackUrl: task.callbackUrl,
    }
  })
  const part = await parts.media.outbox.partFor(news)
  return part ? [part] : []
}

/** What a song passed through between two looks is told with its end, so that nobody waits for a stage that never comes. */
function missedStages(task: StoredTask, state: EndState): readonly TaskStage[] {
  if (task.operation !== 'music' || state !== 'succeeded' || task.stage === 'first') return []
  return task.stage === 'text' ? ['first'] : ['text', 'first']
}

function servedBy(task: StoredTask, work: TaskWork, terms: TaskTerms) {
  const attempt = work.attempts.findLast(one => one.state === 'succeeded') ?? work.attempts.at(-1)
  const offering = attempt && terms.offerings[attempt.offering]
  if (!offering)
    return task.provider === undefined
      ? undefined
      : { provider: task.provider, upstreamModel: task.upstreamModel ?? '' }
  return { provider: offering.provider, upstreamModel: offering.upstreamModel }
}

/** What was delivered, at the price of the offering that made it. Files that were not made are not charged. */
function billOf(task: StoredTask, { work }: Conclusion, terms: TaskTerms): TaskBill {
  const lines: PriceLine[] = []
  let delivered = 0
  for (const attempt of work.attempts) {
    const offering = terms.offerings[attempt.offering]
    if (attempt.state !== 'succeeded' || !offering) continue
    const own = filesOf(attempt).filter(file => file.role === 'result')
    // Words that came out are what was asked for, though they are no file.
    const made = own.length === 0 && attempt.gaveResult ? attempt.count : own.length
    delivered += made
    lines.push(
      ...mediaBill({
        request: { ...task.request, count: attempt.count },
        facts: terms.facts,
        price: offering.price,
        inputDurationMs: terms.inputDurationMs,
        delivered: { ...deliveredBy(attempt, own), files: made },
      }),
    )
  }
  return chargeOf(terms, lines, delivered)
}

function deliveredBy(attempt: Attempt, files: readonly FileRecord[]) {
  const sum = (of: (file: FileRecord) => number | undefined) => {
    const known = files.map(of)
    return known.every(value => value !== undefined) && known.length > 0
      ? known.reduce((total, value) => total + (value ?? 0), 0)
      : undefined
  }
  return {
    durationMs: sum(file => file.durationMs),
    pixels: sum(file =>
      file.widthPx !== undefined && file.heightPx !== undefined ? file.widthPx * file.heightPx : undefined,
    ),
    billedUnits: attempt.billedUnits,
  }
}

function endRequestOf(
  parts: GatewayParts,
  task: StoredTask,
  terms: TaskTerms,
  conclusion: Conclusion,
  served: { provider: string; upstreamModel: string } | undefined,
  bill: TaskBill,
): EndRequest {
  return {
    id: task.id,
    account: task.account,
    endedAs: conclusion.state === 'succeeded' ? 'settled' : 'released',
    chargeNanoUsd: bill.chargeNanoUsd,
    usage: {
      ...terms.call,
      provider: served?.provider,
      upstreamModel: served?.upstreamModel,
      lines: bill.lines,
      costNanoUsd: bill.costNanoUsd,
      outcome: outcomeOf(conclusion),
      estimated: false,
      firstByteMs: undefined,
      latencyMs: Math.max(0, parts.clock.nowMs() - task.createdAt.getTime()),
    },
    idempotent: terms.keyedWait,
  }
}

function outcomeOf({ state, failure }: Conclusion): Outcome {
  if (state === 'succeeded') return 'succeeded'
  if (state === 'expired') return 'timed_out'
  if (state === 'cancelled') return 'cancelled'
  if (
    failure?.code === 'content_rejected' ||
    failure?.code === 'invalid_request' ||
    failure?.code === 'input_unavailable'
  ) {
    return 'rejected'
  }
  return failure?.code === 'internal_error' ? 'internal_failure' : 'upstream_failed'
}

function viewOfEnd(
  parts: GatewayParts,
  task: StoredTask,
  end: TaskEnd,
  files: readonly FileRecord[],
): TaskView {
  const now = new Date(parts.clock.nowMs())
  const ended: StoredTask = {
    ...task,
    ...end,
    result: end.result ?? task.result,
    progress: end.state === 'succeeded' ? 1 : task.progress,
    startedAt: task.startedAt ?? now,
    endedAt: now,
  }
  return taskViewOf(ended, files, parts.media.settings.filesUrl)
}

function tell(
  parts: GatewayParts,
  task: StoredTask,
  terms: TaskTerms,
  conclusion: Conclusion,
  bill: TaskBill,
  chargedNanoUsd: bigint,
): void {
  const lostNanoUsd = bill.chargeNanoUsd > chargedNanoUsd ? bill.chargeNanoUsd - chargedNanoUsd : 0n
  parts.events.callEnded({
    operation: task.operation,
    outcome: outcomeOf(conclusion),
    chargeNanoUsd: chargedNanoUsd,
    costNanoUsd: bill.costNanoUsd,
    lostNanoUsd,
    estimated: false,
  })
  const mayBillNanoUsd = undeliveredCost(task, conclusion.work.attempts, terms)
  if (mayBillNanoUsd > 0n || lostNanoUsd > 0n) {
    const amounts = { mayBillNanoUsd: String(mayBillNanoUsd), lostNanoUsd: String(lostNanoUsd) }
    parts.logger.warn(
      { taskId: task.id, state: conclusion.state, ...amounts },
      'a task ended while the provider may bill for what was not delivered; the operator pays',
    )
  }
}

/** What providers may bill for nothing: calls that were still open, of which nobody knows, or whose files were lost. */
function undeliveredCost(task: StoredTask, attempts: readonly Attempt[], terms: TaskTerms): bigint {
  let sum = 0n
  for (const attempt of attempts) {
    const offering = terms.offerings[attempt.offering]
    const wasSent = attempt.state !== 'planned' && attempt.state !== 'failed'
    const isLost = attempt.copyTroubles !== undefined || attempt.fault?.kind === 'lost'
    if (!offering || !(isLost || (wasSent && !isOver(attempt)))) continue
    const results = filesOf(attempt).filter(file => file.role === 'result').length
    const copied = attempt.state === 'succeeded' ? results : 0
    const files = Math.max(0, attempt.count - copied)
    if (files === 0) continue
    const request = { ...task.request, count: attempt.count }
    const lines = mediaBill({ request, facts: terms.facts, price: offering.price, delivered: { files } })
    sum += priceOf(lines, 0).costNanoUsd
  }
  return sum
}
