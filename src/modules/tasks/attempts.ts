/**
 * Attempts: single tries of one create call at one offering. That a create call is made at most once follows from the
 * order of an attempt's states alone: `dispatched` is durable before the first byte is sent, and nothing leads from
 * `dispatched` or `unknown` back to `planned` but the provider's own word that the call never ran.
 *
 * A job in steps has one attempt. Its handle stays the finished step's while the next step's create call is `dispatched`
 * or `unknown`; where that call never ran the attempt is `accepted` again as the step before, and never `planned`: the
 * first step has run, and would be billed twice.
 */
import type { Uuid } from '#spec/ids.ts'
import type { Json, JsonObject } from '#spec/json.ts'

export type AttemptState =
  /** Nothing was sent. */
  | 'planned'
  /** About to be sent, or sent: until an answer is written down it may have run. */
  | 'dispatched'
  /** The provider has it: `handle` says where. */
  | 'accepted'
  | 'succeeded'
  /** Known to have ended without a result, or never to have run. */
  | 'failed'
  /** Its answer was lost. Looked up where the provider can, never sent again. */
  | 'unknown'

export interface Attempt {
  /** Ours, for providers that can look a call up by it. */
  readonly reference: Uuid
  /** In the address of this attempt's callbacks; empty once none can come any more. */
  readonly callbackToken: string
  /** Which of the task's offerings, from 0. */
  readonly offering: number
  /** Files this call is for, and where the first of them stands among the task's. */
  readonly count: number
  readonly firstIndex: number
  readonly state: AttemptState
  /** Of the job, or of its last step that is known; `null`: what came with the create call is all there is. */
  readonly handle?: Json | undefined
  /** Tries of the create call that are known not to have run. */
  readonly refusals?: number | undefined
  readonly fault?: AttemptFault | undefined
  /** Files that are copied already, as their rows will be; only of an attempt that succeeded. */
  readonly files?: readonly JsonObject[] | undefined
  /** Something came out that is no file: words, notes. */
  readonly gaveResult?: boolean | undefined
  /** What came with the create call itself, until it is copied. */
  readonly done?: Json | undefined
  /** Checks in a row without an answer. */
  readonly troubles?: number | undefined
  /** Copies of its files that failed. */
  readonly copyTroubles?: number | undefined
  readonly billedUnits?: Readonly<Record<string, string>> | undefined
}

export interface AttemptFault {
  /** `input`: a file the client named; `lost`: made, and gone before it could be copied. */
  readonly kind: 'client' | 'input' | 'moderation' | 'vendor' | 'unavailable' | 'timeout' | 'unknown' | 'lost'
  readonly message: string
}

const NEXT: Readonly<Record<AttemptState, readonly AttemptState[]>> = {
  planned: ['dispatched', 'failed'],
  dispatched: ['planned', 'accepted', 'succeeded', 'failed', 'unknown'],
  unknown: ['planned', 'accepted', 'succeeded', 'failed'],
  accepted: ['succeeded', 'failed', 'accepted', 'dispatched'],
  succeeded: [],
  failed: [],
}

/** The attempt in its next state. Throws where no such step exists: that would be a bug that could bill twice. */
export function advanced(attempt: Attempt, state: AttemptState, changes: Partial<Attempt> = {}): Attempt {
  const repeatsStep = state === 'planned' && isLaterStep(attempt)
  if (repeatsStep || !NEXT[attempt.state].includes(state)) {
    throw new Error(`an attempt cannot go from ${attempt.state} to ${state}`)
  }
  return { ...attempt, ...changes, state }
}

/** Whether an earlier step of its job is done: the create call that it is about is not the first. */
export function isLaterStep({ handle }: Pick<Attempt, 'handle'>): boolean {
  return handle !== undefined && handle !== null
}

export function isOver(attempt: Attempt): boolean {
  return attempt.state === 'succeeded' || attempt.state === 'failed'
}

/** Whether its job may run at the provider: then it has its seat there (`give_back_seats` of 0006-seats.sql says the same). */
export function isSeated({ state, copyTroubles, done }: Attempt): boolean {
  const isOpen = state === 'dispatched' || state === 'unknown' || state === 'accepted'
  return isOpen && copyTroubles === undefined && done === undefined
}

/**
 * What is kept of an attempt once its task has ended: who was asked, for what, and what came of it. Its files have rows of
 * their own by then. The token stays where callbacks may still come, so that they are not told that nobody knows them.
 */
export function summaryOf(attempt: Attempt, keepsToken: boolean): Attempt {
  const { files: _files, done: _done, callbackToken, ...summary } = attempt
  return { ...summary, callbackToken: keepsToken ? callbackToken : '' }
}

/** The attempts with one replaced. */
export function withAttempt(attempts: readonly Attempt[], changed: Attempt): readonly Attempt[] {
  return attempts.map(attempt => (attempt.reference === changed.reference ? changed : attempt))
}
