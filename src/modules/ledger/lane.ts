/**
 * The money lane: one statement in flight at a time, carrying everything that was asked meanwhile. An idle lane
 * sends at once; under load the batch is whatever gathered while the last one was committed. There is no timer.
 *
 * When a batch fails:
 * - never sent: it is sent again. Holds have little patience and are then refused with `database_unavailable`
 *   (nothing was held); ends have much;
 * - the connection was lost after it was sent: the whole batch is sent again. Ids, not luck, make that safe: a hold
 *   that exists is answered as held, a hold that was ended is answered as ended, an extension names a total. An end
 *   whose patience runs out then fails with `outcome_unknown`, since it may have been charged;
 * - a deadlock or lock time-out: sent again; any other error: the batch is split, so that one bad item cannot fail
 *   its neighbours.
 */
import { GatewayError } from '#spec/errors.ts'
import type { Clock } from '#spec/ports.ts'
import { type ApplyRow, type HoldOrExtend, toEndOutcome, toHoldOutcome } from './batch.ts'
import type { EndOutcome, EndRequest, HoldOutcome, HoldRequest } from './operations.ts'

/** How a failed statement is to be read. */
export type FailureKind = 'not-sent' | 'commit-unknown' | 'retryable' | 'statement'

export interface LanePort {
  /**
   * Decides and writes all of it or nothing: ends first, then holds. No id is twice among the holds. An item's first
   * row is its answer.
   */
  apply(ends: readonly EndRequest[], holds: readonly HoldOrExtend[]): Promise<readonly ApplyRow[]>
  classify(error: unknown): FailureKind
}

interface Waiting<Request, Answer> {
  readonly request: Request
  /** Whether a statement that carried it may have been committed, with its answer lost. */
  maybeCommitted: boolean
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
  /** Monotonic; after it the lane gives up on sending again. */
  readonly giveUpAtMs: number
}

type WaitingEnd = Waiting<EndRequest, EndOutcome>
type WaitingHold = Waiting<HoldOrExtend, HoldOutcome>

interface Batch {
  readonly ends: readonly WaitingEnd[]
  readonly holds: readonly WaitingHold[]
}

export interface LaneLimits {
  /** The most items of each kind in one statement. */
  readonly batchItems: number
  /** How long an end is sent again while the database is away. */
  readonly endPatienceMs: number
  /** How long a hold waits for a database that is away; then it is refused. */
  readonly holdPatienceMs: number
}

export const LANE_LIMITS: LaneLimits = { batchItems: 128, endPatienceMs: 30_000, holdPatienceMs: 2_000 }

/** After a failure, the pause before the next try: long enough for a restart, short enough not to be noticed. */
export const RETRY_PAUSE_MS = 50

export class MoneyLane {
  readonly #port: LanePort
  readonly #clock: Clock
  readonly #limits: LaneLimits
  #ends: WaitingEnd[] = []
  #holds: WaitingHold[] = []
  #running = false
  #idle: (() => void)[] = []

  constructor(port: LanePort, clock: Clock, limits: LaneLimits = LANE_LIMITS) {
    this.#port = port
    this.#clock = clock
    this.#limits = limits
  }

  /** How many items wait or are on their way. */
  get depth(): number {
    return this.#ends.length + this.#holds.length + (this.#running ? 1 : 0)
  }

  hold(request: HoldOrExtend): Promise<HoldOutcome> {
    return new Promise((resolve, reject) => {
      const giveUpAtMs = this.#clock.monotonicMs() + this.#limits.holdPatienceMs
      this.#holds.push({ request, maybeCommitted: false, resolve, reject, giveUpAtMs })
      this.#pump()
    })
  }

  end(request: EndRequest): Promise<EndOutcome> {
    return new Promise((resolve, reject) => {
      const giveUpAtMs = this.#clock.monotonicMs() + this.#limits.endPatienceMs
      this.#ends.push({ request, maybeCommitted: false, resolve, reject, giveUpAtMs })
      this.#pump()
    })
  }

  /** Resolves when nothing waits and nothing is in flight. */
  drained(): Promise<void> {
    if (this.depth === 0) return Promise.resolve()
    return new Promise(resolve => this.#idle.push(resolve))
  }

  #pump(): void {
    if (this.#running || this.#ends.length + this.#holds.length === 0) return
    this.#running = true
    const batch = {
      ends: this.#ends.splice(0, this.#limits.batchItems),
      holds: this.#nextHolds(),
    }
    this.#send(batch).finally(() => {
      this.#running = false
      this.#pump()
      if (this.depth === 0) for (const resolve of this.#idle.splice(0)) resolve()
    })
  }

  /** As many as fit, up to one whose call is among them already: it builds on what became of the first. */
  #nextHolds(): WaitingHold[] {
    const ids = new Set<string>()
    for (const { request } of this.#holds) {
      if (ids.size === this.#limits.batchItems || ids.has(request.request.id)) break
      ids.add(request.request.id)
    }
    return this.#holds.splice(0, ids.size)
  }

  async #send(batch: Batch): Promise<void> {
    let rows: readonly ApplyRow[]
    try {
      rows = await this.#port.apply(
        batch.ends.map(waiting => waiting.request),
        batch.holds.map(waiting => waiting.request),
      )
    } catch (error) {
      await this.#recover(batch, error)
      return
    }
    answer(batch, rows)
  }

  async #recover(batch: Batch, error: unknown): Promise<void> {
    const kind = this.#port.classify(error)
    if (kind === 'statement') return this.#split(batch, error)
    if (kind === 'commit-unknown') {
      for (const waiting of [...batch.ends, ...batch.holds]) waiting.maybeCommitted = true
    }
    await this.#clock.sleep(RETRY_PAUSE_MS)
    // Those that gathered meanwhile grow old as well.
    this.#ends = this.#stillPatient(this.#ends, error)
    this.#holds = this.#stillPatient(this.#holds, error)
    const rest = {
      ends: this.#stillPatient(batch.ends, error),
      holds: this.#stillPatient(batch.holds, error),
    }
    if (rest.ends.length + rest.holds.length > 0) await this.#send(rest)
  }

  /** Those that may wait on; the others are refused. */
  #stillPatient<Item extends WaitingEnd | WaitingHold>(items: readonly Item[], cause: unknown): Item[] {
    const nowMs = this.#clock.monotonicMs()
    const impatient = items.filter(waiting => nowMs >= waiting.giveUpAtMs)
    for (const waiting of impatient) this.#giveUp(waiting, cause)
    return items.filter(waiting => nowMs < waiting.giveUpAtMs)
  }

  #giveUp(waiting: WaitingEnd | WaitingHold, cause: unknown): void {
    const { request, maybeCommitted } = waiting
    if (!('kind' in request)) {
      waiting.reject(endFailure(maybeCommitted, cause))
      return
    }
    waiting.reject(unavailable(cause))
    if (!maybeCommitted || request.kind === 'extend') return
    // It may stand although its caller was refused: released as soon as that is possible.
    this.end(releaseOf(request.request)).catch(() => {
      // The sweep releases it at its deadline.
    })
  }

  async #split(batch: Batch, error: unknown): Promise<void> {
    const { ends, holds } = batch
    if (ends.length + holds.length === 1) {
      ends[0]?.reject(error)
      holds[0]?.reject(error)
      return
    }
    if (ends.length > 0 && holds.length > 0) {
      await this.#send({ ends, holds: [] })
      await this.#send({ ends: [], holds })
      return
    }
    const middleEnd = Math.ceil(ends.length / 2)
    const middleHold = Math.ceil(holds.length / 2)
    await this.#send({ ends: ends.slice(0, middleEnd), holds: holds.slice(0, middleHold) })
    await this.#send({ ends: ends.slice(middleEnd), holds: holds.slice(middleHold) })
  }
}

/** An item's first row is its answer. */
function answer(batch: Batch, rows: readonly ApplyRow[]): void {
  for (const row of rows) {
    if (row.phase === 'hold') batch.holds[row.item]?.resolve(toHoldOutcome(row))
    else batch.ends[row.item]?.resolve(toEndOutcome(row))
  }
}

/** What the caller of an end is told when it is given up. */
export function endFailure(maybeCommitted: boolean, cause: unknown): GatewayError {
  return maybeCommitted ? outcomeUnknown(cause) : unavailable(cause)
}

function unavailable(cause: unknown): GatewayError {
  return new GatewayError(
    'database_unavailable',
    'The ledger cannot be reached right now. Nothing was charged; try again shortly.',
    { retryAfterSeconds: 1, cause },
  )
}

function outcomeUnknown(cause: unknown): GatewayError {
  return new GatewayError(
    'outcome_unknown',
    'The ledger was lost while this call was being charged, so whether it was charged is not known yet. ' +
      'Its receipt will say.',
    { cause },
  )
}

function releaseOf(hold: HoldRequest): EndRequest {
  return {
    id: hold.id,
    account: hold.account,
    endedAs: 'released',
    chargeNanoUsd: 0n,
    usage: {
      ...hold.terms,
      provider: undefined,
      upstreamModel: undefined,
      lines: [],
      costNanoUsd: 0n,
      outcome: 'internal_failure',
      estimated: false,
      latencyMs: 0,
      firstByteMs: undefined,
    },
    idempotent: true,
  }
}
