/** Leases what is due and sends it, a few at each place at a time. Every try is one lease, and ends within it. */
import type { Uuid } from '#spec/ids.ts'
import { LaneBook } from './lanes.ts'
import type { LeasedDelivery } from './record.ts'
import { type TryResult, type Verdict, verdictOf } from './schedule.ts'
import { type Sender, sendTry, TIMEOUT_MS } from './send.ts'
import type { WebhookStore } from './store.pg.ts'

export interface DelivererOptions extends Sender {
  readonly store: WebhookStore
  readonly node: Uuid
  /** Tries at once in this process. */
  readonly concurrency: number
  /** For the jitter; `undefined`: Math.random. */
  readonly random?: (() => number) | undefined
}

export interface Deliverer {
  /** Something is due: look at once. */
  wake(): void
  /** Claims nothing more, lets running tries end for so long (5 s), cuts the rest off and lets go of them. */
  stop(patienceMs?: number): Promise<void>
  /** Tries that run now. */
  readonly busy: number
}

/** A dead deliverer's deliveries are due again after this. */
const LEASE_MS = 30_000
/** A claim that was answered later than this leaves a try no time to end within its lease: it is not begun. */
const BEGIN_WITHIN_MS = LEASE_MS - TIMEOUT_MS - 5_000
/** A first try comes within a second of its commit, wherever it was committed. */
const LOOK_EVERY_MS = 500
const STOP_PATIENCE_MS = 5_000

/** Sends until it is stopped. */
export function startDeliverer(options: DelivererOptions): Deliverer {
  const worker = new DeliveryWorker(options)
  const looking = worker.look()
  return {
    wake: () => worker.wake(),
    stop: (patienceMs = STOP_PATIENCE_MS) => worker.stop(looking, patienceMs),
    get busy() {
      return worker.busy
    },
  }
}

class DeliveryWorker {
  readonly #options: DelivererOptions
  readonly #book: LaneBook
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  readonly #cutOff = new AbortController()
  #alarm = new AbortController()

  constructor(options: DelivererOptions) {
    this.#options = options
    this.#book = new LaneBook(options.concurrency, () => options.clock.monotonicMs())
  }

  get busy(): number {
    return this.#running.size
  }

  wake(): void {
    this.#alarm.abort()
  }

  async look(): Promise<void> {
    const { clock, logger } = this.#options
    while (!this.#stopping.signal.aborted) {
      this.#alarm = new AbortController()
      const isMore = await this.#claim().catch(error => {
        logger.warn({ error }, 'due callbacks could not be read; looking again soon')
        return false
      })
      if (isMore) continue
      // Jitter, so that many nodes do not look in step.
      const signal = AbortSignal.any([this.#alarm.signal, this.#stopping.signal])
      await clock.sleep(LOOK_EVERY_MS * (0.5 + Math.random()), signal)
    }
  }

  async stop(looking: Promise<void>, patienceMs: number): Promise<void> {
    const { clock, logger, node, store } = this.#options
    this.#stopping.abort()
    await looking
    const patience = new AbortController()
    await Promise.race([Promise.allSettled(this.#running), clock.sleep(patienceMs, patience.signal)])
    patience.abort()
    this.#cutOff.abort()
    await Promise.allSettled(this.#running)
    await store.letGo(node).catch(error => logger.warn({ error }, 'leases run out by themselves'))
  }

  /** Places that answer first; then, with what room is left, those whose last try failed. */
  async #claim(): Promise<boolean> {
    const first = await this.#claimAs('answering')
    const second = this.#book.hasFailing ? await this.#claimAs('any') : 0
    return first + second > 0
  }

  async #claimAs(which: 'answering' | 'any'): Promise<number> {
    const { clock, node, store } = this.#options
    const rooms = this.#book.rooms(which)
    if (rooms.limit === 0) return 0
    const askedAtMs = clock.monotonicMs()
    const leased = await store.claim(node, rooms, LEASE_MS)
    if (clock.monotonicMs() - askedAtMs > BEGIN_WITHIN_MS) return 0
    for (const delivery of leased) this.#start(delivery)
    return leased.length
  }

  #start(delivery: LeasedDelivery): void {
    const work = this.#attempt(delivery).finally(() => {
      this.#running.delete(work)
      this.wake()
    })
    this.#running.add(work)
  }

  async #attempt(delivery: LeasedDelivery): Promise<void> {
    const { logger, store } = this.#options
    const seat = { lane: delivery.lane, workspaceId: delivery.account.workspaceId }
    let failed: boolean | undefined
    let pauseMs = 0
    this.#book.take(seat)
    try {
      if (delivery.secrets.length === 0) return await store.drop(delivery)
      const startedMs = this.#options.clock.monotonicMs()
      const result = await sendTry(this.#options, delivery, this.#cutOff.signal)
      if (result === undefined) return
      const durationMs = this.#options.clock.monotonicMs() - startedMs
      const verdict = verdictOf(result, delivery.tries + 1, this.#options.random ?? Math.random)
      failed = verdict.kind !== 'delivered'
      pauseMs = pauseOf(result)
      await this.#record(delivery, result, verdict, durationMs)
    } catch (error) {
      logger.warn({ deliveryId: delivery.id, error }, 'a callback could not be recorded; it is sent again')
    } finally {
      this.#book.leave(seat, failed, pauseMs)
    }
  }

  async #record(delivery: LeasedDelivery, result: TryResult, verdict: Verdict, durationMs: number) {
    const { logger, store } = this.#options
    const { status, error } = result
    const isMine = await store.record({ delivery, status, error, durationMs, verdict })
    if (!isMine || verdict.kind === 'delivered') return
    const { endpointId, account, id } = delivery
    if (verdict.kind === 'exhausted') {
      logger.warn({ deliveryId: id, tries: delivery.tries + 1 }, 'a callback was given up')
    }
    if (endpointId === undefined) return
    const reason = await store.noteFailure(account.workspaceId, endpointId, verdict.kind === 'gone')
    if (reason !== undefined)
      logger.warn({ endpointId, reason }, 'an endpoint for callbacks was switched off')
  }
}

/** A receiver that is too busy for one delivery is too busy for the next. */
function pauseOf({ status, retryAfterMs }: TryResult): number {
  return status === 429 || status === 503 ? (retryAfterMs ?? 0) : 0
}
