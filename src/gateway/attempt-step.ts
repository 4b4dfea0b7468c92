/** One step of one attempt: sent, looked up, checked or copied, as its state says. */
import { type Attempt, type AttemptFault, isLaterStep } from '#modules/tasks/index.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { TaskCapability, TaskContext } from '#spec/task-provider.ts'
import { copy, copyNow, doneOf, endCopy, isCopyHopeless, keepPartial } from './copy-step.ts'
import { createdCallOf } from './created-call.ts'
import { afterRefusal, failOver, REFUSAL_PAUSE_MS } from './fail-over.ts'
import { readOwnFile } from './own-files.ts'
import { InputUnusable, resolveInputs } from './resolve-inputs.ts'
import { haveSeat } from './seats.ts'
import { backoff, move, rest, type Step } from './step.ts'
import { noteHealth } from './task-health.ts'

const LOOKUP_PAUSE_MS = 10_000

export function stepAttempt(step: Step, attempt: Attempt): Promise<void> {
  switch (attempt.state) {
    case 'planned':
      return dispatch(step, attempt)
    case 'dispatched':
      // Its worker died between sending and writing down the answer: it may have run.
      return lookUp(step, move(step, attempt, 'unknown'))
    case 'unknown':
      return lookUp(step, attempt)
    default:
      return attempt.done === undefined ? check(step, attempt) : copy(step, attempt, doneOf(attempt.done))
  }
}

function capabilityOf({ parts, terms }: Step, attempt: Attempt): TaskCapability | undefined {
  return parts.providers.get(terms.offerings[attempt.offering]?.provider ?? '')?.capabilities.tasks
}

function contextOf({ parts, leased, signal }: Step): TaskContext {
  return {
    signal,
    timeouts: parts.settings.timeouts,
    readInput: url => readOwnFile(parts, leased.task.account, url),
  }
}

/** Sends the create call, at most once: that it is about to be sent is durable before its first byte. */
async function dispatch(step: Step, attempt: Attempt): Promise<void> {
  const { parts, leased, terms, signal } = step
  const { task, lease } = leased
  const capability = capabilityOf(step, attempt)
  const offering = terms.offerings[attempt.offering]
  if (!capability || !offering) {
    return failOver(step, attempt, {
      kind: 'unavailable',
      message: 'The provider is not configured any more.',
    })
  }
  if (!(await haveSeat(step, attempt, offering.provider))) return
  const inputs = await resolveInputs(
    parts,
    task.account,
    task.request.inputs,
    capability.inputForms,
    signal,
  ).catch(error => {
    if (error instanceof InputUnusable) return error
    throw error
  })
  if (inputs instanceof InputUnusable) {
    move(step, attempt, 'failed', { fault: { kind: 'input', message: inputs.message } })
    return
  }
  const created = await createdCallOf(parts, task, offering, terms.facts, attempt)
  const sent = move(step, attempt, 'dispatched')
  await parts.media.tasks.note(lease, { ...step.changes, work: { attempts: step.attempts } })
  parts.crashPoint('before-dispatch')
  const startedMs = parts.clock.monotonicMs()
  const started = await capability
    .start(
      {
        ...created,
        inputs,
        callbackUrl: callbackUrlOf(step, attempt, offering.provider),
      },
      contextOf(step),
    )
    .catch(error => {
      if (error instanceof ProviderFailure) return error
      throw error
    })
  if (started instanceof ProviderFailure) {
    tell(step, offering.provider, started.kind, startedMs)
    noteHealth(parts, offering, started)
    return afterFailedStart(step, sent, started)
  }
  parts.crashPoint('during-call')
  tell(step, offering.provider, 'succeeded', startedMs)
  noteHealth(parts, offering, undefined)
  running(step, offering)
  if (started.kind === 'succeeded') return copyNow(step, sent, started)
  move(step, sent, 'accepted', { handle: started.handle })
  // Written down before anything else: from here on a dead worker costs nothing but time.
  await parts.media.tasks.note(lease, { ...step.changes, work: { attempts: step.attempts } })
  rest(step, started.checkAfterMs ?? pauseByAge(step))
}

function callbackUrlOf({ parts, leased }: Step, attempt: Attempt, provider: string): string | undefined {
  const { isPublic, publicUrl } = parts.media.settings
  if (!isPublic) return undefined
  const { account, id } = leased.task
  const name = `${account.workspaceId}${id}`.replaceAll('-', '')
  return `${publicUrl}/provider-callbacks/${provider}/${name}/${attempt.callbackToken}`
}

function running(step: Step, offering: { readonly provider: string; readonly upstreamModel: string }): void {
  const { provider, upstreamModel } = offering
  step.changes = { ...step.changes, state: 'running', provider, upstreamModel }
}

/** What is known of a create call that threw decides whether it may be sent again, and never a guess. */
function afterFailedStart(step: Step, sent: Attempt, failure: ProviderFailure): void {
  const { kind, message, status } = failure
  const mayPass = kind === 'unavailable' || kind === 'rate-limited' || kind === 'credential'
  if (mayPass && isLaterStep(sent)) {
    afterRefusedStep(step, sent, failure)
  } else if (kind === 'unavailable' || kind === 'rate-limited') {
    afterRefusal(step, sent, failure)
  } else if (kind === 'credential') {
    const { provider } = step.terms.offerings[sent.offering] ?? {}
    step.parts.logger.error({ provider, status }, 'a provider refused our credential')
    failOver(step, sent, { kind: 'unavailable', message: 'The provider cannot be used now.' })
  } else if (kind === 'rejected' || kind === 'context-length') {
    move(step, sent, 'failed', { fault: { kind: 'client', message } })
  } else if (kind === 'content-rejected') {
    move(step, sent, 'failed', { fault: { kind: 'moderation', message } })
  } else if (kind === 'vendor' && status !== undefined) {
    // It answered that it failed. Whether it bills is its own affair; sending the call elsewhere could bill twice.
    move(step, sent, 'failed', { fault: { kind: 'vendor', message } })
  } else {
    move(step, sent, 'unknown')
    rest(step, 0)
  }
}

/** Of a job that has begun: what was made, and billed, is waited for until the deadline, and made nowhere else. */
function afterRefusedStep(
  step: Step,
  sent: Attempt,
  { kind, status, retryAfterSeconds }: ProviderFailure,
): void {
  const { provider } = step.terms.offerings[sent.offering] ?? {}
  if (kind === 'credential')
    step.parts.logger.error({ provider, status }, 'a provider refused our credential')
  const refusals = (sent.refusals ?? 0) + 1
  move(step, sent, 'accepted', { refusals })
  rest(step, Math.max((retryAfterSeconds ?? 0) * 1000, backoff(refusals)))
}

/** A create call whose answer was lost is looked up where the provider can, and never sent again on a guess. */
async function lookUp(step: Step, attempt: Attempt): Promise<void> {
  const capability = capabilityOf(step, attempt)
  const offering = step.terms.offerings[attempt.offering]
  // The reference is the first step's: what it finds would be that.
  if (!capability?.find || !offering || isLaterStep(attempt)) return rest(step, LOOKUP_PAUSE_MS)
  try {
    const { parts, leased, terms } = step
    const created = await createdCallOf(parts, leased.task, offering, terms.facts, attempt)
    const callbackUrl = callbackUrlOf(step, attempt, offering.provider)
    const found = await capability.find(attempt.reference, contextOf(step), { ...created, callbackUrl })
    if (found === 'none') {
      move(step, attempt, 'planned')
      return rest(step, REFUSAL_PAUSE_MS)
    }
    if (found === 'unknown') return rest(step, LOOKUP_PAUSE_MS)
    running(step, offering)
    move(step, attempt, 'accepted', { handle: found.handle })
    rest(step, 0)
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error
    rest(step, LOOKUP_PAUSE_MS)
  }
}

async function check(step: Step, attempt: Attempt): Promise<void> {
  const capability = capabilityOf(step, attempt)
  if (!capability || attempt.handle === undefined) return rest(step, LOOKUP_PAUSE_MS)
  if (attempt.handle === null) {
    // It came whole with its create call and is nowhere else: the copy failed, or died with its worker.
    return endCopy(step, attempt)
  }
  const checked = await capability.check(attempt.handle, contextOf(step)).catch(error => {
    if (error instanceof ProviderFailure) return error
    throw error
  })
  // A poll without an answer says nothing of the task.
  if (checked instanceof ProviderFailure) {
    if (isCopyHopeless(step, attempt)) return endCopy(step, attempt)
    const troubles = (attempt.troubles ?? 0) + 1
    move(step, attempt, 'accepted', { troubles })
    return rest(step, Math.max((checked.retryAfterSeconds ?? 0) * 1000, backoff(troubles)))
  }
  switch (checked.kind) {
    case 'pending': {
      if (isCopyHopeless(step, attempt)) return endCopy(step, attempt)
      const offering = step.terms.offerings[attempt.offering]
      if (offering) running(step, offering)
      const handle = checked.handle ?? attempt.handle
      const calm = move(step, attempt, 'accepted', { handle, troubles: undefined })
      learn(step, checked.progress, checked.stage)
      if (checked.partial) await keepPartial(step, calm, checked.partial)
      return rest(step, checked.checkAfterMs ?? pauseByAge(step))
    }
    case 'succeeded':
      return copy(step, attempt, checked)
    case 'next-step':
      learn(step, checked.progress, undefined)
      return dispatch(step, move(step, attempt, 'accepted', { handle: checked.handle, troubles: undefined }))
    case 'failed': {
      // It had been made: another offering would make, and bill, it a second time.
      if (attempt.copyTroubles !== undefined) return endCopy(step, attempt)
      const fault: AttemptFault = { kind: checked.fault, message: checked.message }
      if (checked.retryable) return failOver(step, attempt, fault)
      move(step, attempt, 'failed', { fault })
    }
  }
}

function learn(step: Step, progress: number | undefined, stage: Step['changes']['stage']): void {
  const share = progress === undefined ? undefined : Math.min(Math.max(progress, 0), 0.99)
  const before = step.leased.task.stage
  const goesBack = stage === undefined || (before === 'first' && stage === 'text')
  step.changes = {
    ...step.changes,
    ...(share === undefined ? {} : { progress: share }),
    ...(goesBack ? {} : { stage }),
  }
}

/** kie.ai's own advice: every 2 to 3 s at first, then 5 to 10, then 15 to 30. */
function pauseByAge({ parts, leased }: Step): number {
  const ageMs = parts.clock.nowMs() - leased.task.createdAt.getTime()
  if (ageMs < 30_000) return 2_000
  return ageMs < 180_000 ? 5_000 : 15_000
}

function tell(
  { parts, leased }: Step,
  provider: string,
  result: 'succeeded' | ProviderFailure['kind'],
  startedMs: number,
): void {
  const durationMs = parts.clock.monotonicMs() - startedMs
  parts.events.upstreamCalled({ provider, operation: leased.task.operation, result, durationMs })
}
