/** One key, one call: a repeat gets the first answer and is charged nothing. */
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Logger } from '#spec/ports.ts'
import type { StatementPart } from '#spec/statement.ts'
import {
  assertSameBody,
  type Begun,
  type Joined,
  type KeyedCall,
  type KeyRecord,
  keyDigestOf,
  repeatOf,
  type StoredAnswer,
} from './record.ts'
import type { CallRef, IdempotencyStore } from './store.pg.ts'

export interface Idempotency {
  /**
   * Takes the key for this call, or gives the answer that the key's first call had. Of any number of calls at once
   * exactly one is `new`. Throws `invalid_request` (a key of 0 or more than 255 characters),
   * `idempotency_in_progress`, `idempotency_key_reused` (another body, or an answer too large to keep), or
   * `database_unavailable`, after which the key is free again.
   */
  begin(call: KeyedCall): Promise<Begun>
  /**
   * Takes the key for a call whose result outlives it (a task), or tells which call has it, running or done: the repeat
   * then waits for the same task. Throws as `begin` does, but never `idempotency_in_progress` for a call that runs.
   */
  beginOrJoin(call: KeyedCall): Promise<Joined>
  /**
   * The statement that keeps an answer and marks it done, for who writes it together with what it answers for: an UPDATE,
   * open for one more condition, that changes no row where the key is this call's no more.
   */
  answerPart(account: AccountRef, requestId: Uuid, answer: StoredAnswer): StatementPart
  /**
   * The statement that gives the key to the task that is written with it, only where it is still this call's: an UPDATE, open
   * for one more condition. A node that was taken for dead and goes on may have lost it meanwhile. From then on `release` does
   * not free it, since who submits may never have heard that the task was written; it is free when the task has failed.
   */
  keepPart(account: AccountRef, requestId: Uuid): StatementPart
  /**
   * Keeps the answer of a call, before its hold is settled; the settle then marks it done in the same commit. Of an
   * answer above 1 MiB only the fact is kept. False where the key is this call's no more, because its node was taken
   * for dead: another may have run it, so it should be released and not charged. Throws `database_unavailable`.
   */
  storeAnswer(account: AccountRef, requestId: Uuid, answer: StoredAnswer): Promise<boolean>
  /** Marks a stored answer done where the call held nothing, so that no settle does. Never throws. */
  finishFree(account: AccountRef, requestId: Uuid): Promise<void>
  /** Frees the key of a call that failed before it held anything, or that held nothing, and became no task. Never throws. */
  release(account: AccountRef, requestId: Uuid): Promise<void>
  /**
   * Tells the database what it could not be told when it was asked. Every node has its own to tell: to be called by each,
   * every few seconds. Throws `database_unavailable`.
   */
  tellOwed(): Promise<void>
  /** Forgets keys older than a day; gives how many. One node does it for all. Throws `database_unavailable`. */
  sweep(): Promise<number>
}

export interface IdempotencyOptions {
  readonly store: IdempotencyStore
  readonly logger: Logger
}

/** A row that changes hands at every look is as good as one that is running. */
const TRIES = 5
const SWEPT_AT_ONCE = 1_000
/** What is beyond this is left to the death of the node, or to the day's end. */
const MAX_OWED = 10_000

export function createIdempotency({ store, logger }: IdempotencyOptions): Idempotency {
  /** What the database still has to be told, by the call's id. */
  const owed = new Map<Uuid, () => Promise<void>>()

  function owe(call: CallRef, work: () => Promise<void>): void {
    if (owed.size < MAX_OWED) owed.set(call.requestId, work)
  }

  async function now(call: CallRef, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (cause) {
      owe(call, work)
      logger.warn(
        { requestId: call.requestId, cause },
        'an idempotency key is left for later: the database will be told again',
      )
    }
  }

  async function pay(requestId: Uuid, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause
      logger.error({ requestId, cause }, 'an idempotency key cannot be freed or finished')
    }
    owed.delete(requestId)
  }

  async function take(call: KeyedCall): Promise<'taken' | KeyRecord | undefined> {
    const keyDigest = keyDigestOf(call.key)
    try {
      for (let tries = 1; tries < TRIES; tries++) {
        const found = await store.take(call, keyDigest)
        if (found !== undefined) return found
      }
      return await store.take(call, keyDigest)
    } catch (cause) {
      // The connection may have been lost after the row was written.
      owe(call, () => store.free(call))
      throw cause
    }
  }

  return {
    async begin(call) {
      const found = await take(call)
      if (found === 'taken') return { state: 'new' }
      if (found !== undefined) return repeatOf(found, call.bodyDigest)
      throw changingHands()
    },
    async beginOrJoin(call) {
      const found = await take(call)
      if (found === 'taken') return { state: 'new' }
      if (found === undefined) throw changingHands()
      assertSameBody(found, call.bodyDigest)
      return { state: 'joined', requestId: found.requestId }
    },
    answerPart: (account, requestId, answer) => store.answerPart({ account, requestId }, answer),
    keepPart: (account, requestId) => store.keepPart({ account, requestId }),
    storeAnswer: (account, requestId, answer) => store.storeAnswer({ account, requestId }, answer),
    async finishFree(account, requestId) {
      const call = { account, requestId }
      await now(call, () => store.markDone(call))
    },
    async release(account, requestId) {
      const call = { account, requestId }
      await now(call, () => store.free(call))
    },
    async tellOwed() {
      for (const [requestId, work] of owed) await pay(requestId, work)
    },
    async sweep() {
      for (let total = 0; ; ) {
        const forgotten = await store.sweep(SWEPT_AT_ONCE)
        total += forgotten
        if (forgotten < SWEPT_AT_ONCE) return total
      }
    },
  }
}

function changingHands(): GatewayError {
  return new GatewayError(
    'idempotency_in_progress',
    'Several requests with this Idempotency-Key are running. Ask again.',
    { retryAfterSeconds: 1 },
  )
}
