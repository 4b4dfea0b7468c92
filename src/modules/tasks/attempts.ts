/**
 * Attempts: single tries of one create call at one offering. That a create call is made at most once follows from the
 * order of an attempt's states alone: `dispatched` is durable before the first byte is sent, and nothing leads from
 * `dispatched` or `unknown` back to `planned` but the provider's own word that the call never ran.
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
  /** In the address of this attempt's callbacks. */
  readonly callbackToken: string
  /** Which of the task's offerings, from 0. */
  readonly offering: number
  /** Files this call is for, and where the first of them stands among the task's. */
  readonly count: number
  readonly firstIndex: number
  readonly state: AttemptState
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
  accepted: ['succeeded', 'failed', 'accepted'],
  succeeded: [],
  failed: [],
}

/** The attempt in its next state. Throws where no such step exists: that would be a bug that could bill twice. */
export function advanced(attempt: Attempt, state: AttemptState, changes: Partial<Attempt> = {}): Attempt {
  if (!NEXT[attempt.state].includes(state)) {
    throw new Error(`an attempt cannot go from ${attempt.state} to ${state}`)
  }
  return { ...attempt, ...changes, state }
}

export function isOver(attempt: Attempt): boolean {
  return attempt.state === 'succeeded' || attempt.state === 'failed'
}

/** The attempts with one replaced. */
export function withAttempt(attempts: readonly Attempt[], changed: Attempt): readonly Attempt[] {
  return attempts.map(attempt => (attempt.reference === changed.reference ? changed : attempt))
}
