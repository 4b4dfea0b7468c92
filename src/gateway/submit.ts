/** The way in of a task: what it would be, files, rate limit; then hold and task in one statement. */
import type { HoldOutcome, HoldRequest } from '#modules/ledger/index.ts'
import type { NewTask } from '#modules/tasks/index.ts'
import type { Principal } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, Once, Submission, WireAnswer } from '#spec/gateway.ts'
import type { TaskView } from '#spec/task.ts'
import { accountOf } from './admission.ts'
import { refusalOfUrl } from './file-facts.ts'
import { atInputLength } from './input-length.ts'
import { keepInputs, withoutBytes } from './inputs.ts'
import { type MediaProspect, mediaProspectOf } from './media-prospect.ts'
import type { GatewayParts } from './parts.ts'
import { refusalError } from './refusal.ts'
import { takeOnce } from './task-key.ts'
import { type TaskTerms, toStoredTaskTerms } from './task-terms.ts'

/** Submits a task; the answer is kept with it where the call is idempotent. */
export async function submit(
  parts: GatewayParts,
  call: Call,
  submission: Submission,
  render: (task: TaskView) => WireAnswer,
): Promise<WireAnswer> {
  if (submission.once !== undefined) return submitOnce(parts, call, submission, submission.once, render)
  const prospect = refusing(parts, () => mediaProspectOf(parts, call, submission.request))
  const begun = await beginKeyed(parts, call, prospect.principal)
  if (begun.state === 'replay') {
    return {
      status: begun.status,
      headers: { ...begun.headers, 'idempotent-replayed': 'true' },
      contentType: begun.contentType,
      body: begun.body,
    }
  }
  return freeingKey(parts, call, prospect.principal, async () => {
    let answer: WireAnswer | undefined
    await submitTask(parts, call, submission, prospect, task => {
      answer = render(task)
      return call.idempotencyKey === undefined ? undefined : answer
    })
    if (!answer) throw new Error('a task was submitted without an answer')
    return answer
  })
}

/** Submits where nothing is or was made under the key; else answers with what is. The end of the task ends the key. */
async function submitOnce(
  parts: GatewayParts,
  call: Call,
  submission: Submission,
  once: Once,
  render: (task: TaskView) => WireAnswer,
): Promise<WireAnswer> {
  const prospect = refusing(parts, () => mediaProspectOf(parts, call, submission.request, true))
  const account = accountOf(prospect.principal)
  const earlier = await takeOnce(parts, call, account, once)
  if (earlier !== undefined) return once.answer(earlier)
  try {
    let answer: WireAnswer | undefined
    await submitTask(parts, call, submission, prospect, task => {
      answer = render(task)
      return undefined
    })
    if (!answer) throw new Error('a task was submitted without an answer')
    return answer
  } catch (error) {
    await parts.idempotency.release(account, call.requestId)
    if (error instanceof GatewayError) parts.events.callRefused({ code: error.code })
    throw error
  }
}

async function beginKeyed(parts: GatewayParts, call: Call, principal: Principal) {
  if (call.idempotencyKey === undefined) return { state: 'new' as const }
  return parts.idempotency.begin({
    account: accountOf(principal),
    route: call.route,
    key: call.idempotencyKey,
    bodyDigest: call.bodyDigest(),
    requestId: call.requestId,
    owner: parts.node,
  })
}

/** Runs what may fail before a task exists: then the key is free again. */
async function freeingKey<T>(
  parts: GatewayParts,
  call: Call,
  principal: Principal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (call.idempotencyKey !== undefined)
      await parts.idempotency.release(accountOf(principal), call.requestId)
    if (error instanceof GatewayError) parts.events.callRefused({ code: error.code })
    throw error
  }
}

function refusing<T>(parts: GatewayParts, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof GatewayError) parts.events.callRefused({ code: error.code })
    throw error
  }
}

/**
 * Holds what the dearest offering could cost and writes the task, in one statement. Where only less fits, dearer offerings
 * are left out. `answerOf` is asked before, since the answer is stored by the same statement.
 */
export async function submitTask(
  parts: GatewayParts,
  call: Call,
  submission: Submission,
  asked: MediaProspect,
  answerOf: (task: TaskView) => WireAnswer | undefined,
): Promise<TaskView> {
  const { principal } = asked
  checkCallback(parts, submission.callbackUrl)
  const giveBack = await takeCreation(parts, principal)
  try {
    const kept = await keepInputs(parts, call, asked.request.inputs)
    const request = { ...asked.request, inputs: kept.inputs }
    const prospect = await atInputLength(parts, asked, kept.inputs)
    const wire = withoutBytes(submission.wire, kept.stored)
    const amounts = [...new Set(prospect.boundsNanoUsd)].sort((a, b) => (a < b ? 1 : -1))
    let refused: HoldOutcome | undefined
    for (const heldNanoUsd of amounts) {
      const offerings = prospect.terms.offerings.filter(
        (_, at) => (prospect.boundsNanoUsd[at] ?? 0n) <= heldNanoUsd,
      )
      const terms = { ...prospect.terms, offerings }
      const task = newTaskOf(call, submission, prospect, { request, wire, terms, heldNanoUsd })
      const view = viewOfNew(parts, task)
      const outcome = await write(parts, call, task, terms, answerOf(view))
      call.billing = {
        ...call.billing,
        availableNanoUsd: outcome?.availableNanoUsd ?? call.billing.availableNanoUsd,
      }
      if (outcome === undefined || outcome.outcome === 'held') {
        parts.crashPoint('after-hold')
        call.billing = { ...call.billing, chargedNanoUsd: heldNanoUsd, heldNanoUsd, isHeldOn: true }
        parts.media.wakeWorker()
        return view
      }
      refused = outcome
      if (outcome.outcome !== 'refused') break
    }
    if (!refused || refused.outcome === 'held') throw new Error('a task without an offering was submitted')
    throw refusalError(refused, parts.settings.credits)
  } catch (error) {
    giveBack()
    throw error
  }
}

function checkCallback(parts: GatewayParts, url: string | undefined): void {
  const refusal = url === undefined ? undefined : refusalOfUrl(parts, url)
  if (refusal === undefined) return
  throw new GatewayError('invalid_request', `The callback URL ${refusal}.`, { param: 'callBackUrl' })
}

function newTaskOf(
  call: Call,
  submission: Submission,
  { principal, model }: MediaProspect,
  facts: Pick<NewTask, 'request' | 'wire' | 'heldNanoUsd'> & { readonly terms: TaskTerms },
): NewTask {
  return {
    account: accountOf(principal),
    id: call.requestId,
    keyId: principal.keyId,
    operation: facts.request.operation,
    dialect: call.dialect,
    family: submission.family,
    requestedModel: submission.request.model,
    model: model.id,
    request: facts.request,
    wire: facts.wire,
    terms: toStoredTaskTerms(facts.terms),
    callbackUrl: submission.callbackUrl,
    heldNanoUsd: facts.heldNanoUsd,
    deadlineMs: facts.terms.facts.deadlineMs,
  }
}

async function write(
  parts: GatewayParts,
  call: Call,
  task: NewTask,
  terms: TaskTerms,
  answer: WireAnswer | undefined,
): Promise<HoldOutcome | undefined> {
  const hold = task.heldNanoUsd > 0n ? parts.ledger.holdPart(holdRequestOf(task, terms)) : undefined
  const stored =
    answer &&
    parts.idempotency.answerPart(task.account, call.requestId, {
      status: answer.status,
      headers: answer.headers ?? {},
      contentType: answer.contentType,
      body: Buffer.from(answer.body),
    })
  const kept = terms.keyedWait ? parts.idempotency.keepPart(task.account, call.requestId) : undefined
  const rows = await parts.media.tasks.submit<never>(task, { hold: hold?.part, answer: stored ?? kept })
  return hold?.read(rows)
}

/** A task's hold belongs to no node and never expires by itself: it ends with its task. */
function holdRequestOf(task: NewTask, terms: TaskTerms): HoldRequest {
  return {
    id: task.id,
    account: task.account,
    keyId: task.keyId,
    subjects: terms.subjects,
    amountsNanoUsd: [task.heldNanoUsd],
    headroom: 1,
    owner: undefined,
    lifetimeMs: undefined,
    terms: terms.call,
  }
}

/** The task as it will be when the statement has committed. */
function viewOfNew(parts: GatewayParts, task: NewTask): TaskView {
  return {
    id: task.id,
    mode: task.account.mode,
    state: 'queued',
    stage: undefined,
    progress: undefined,
    dialect: task.dialect,
    family: task.family,
    requestedModel: task.requestedModel,
    model: task.model,
    request: task.request,
    wire: task.wire,
    artifacts: [],
    result: undefined,
    failure: undefined,
    heldNanoUsd: task.heldNanoUsd,
    chargedNanoUsd: 0n,
    createdAt: new Date(parts.clock.nowMs()),
    startedAt: undefined,
    endedAt: undefined,
    provider: undefined,
  }
}

/** Twenty creations in any ten seconds, in every dialect together; one that is refused for another reason is given back. */
async function takeCreation(parts: GatewayParts, principal: Principal): Promise<() => void> {
  const limit = parts.media.settings.creationRateLimit
  const taken = await parts.limiter.take(`create:${principal.keyId}`, limit)
  if (taken.allowed) return () => taken.giveBack()
  const retryAfterSeconds = Math.max(1, Math.ceil(taken.retryAfterMs / 1000))
  throw new GatewayError(
    'rate_limited',
    `Too many new generations: this key may start ${limit.calls} in any ${limit.windowMs / 1000} seconds. Try again in ${retryAfterSeconds} s.`,
    { retryAfterSeconds },
  )
}
