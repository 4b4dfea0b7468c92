/** Leases what is due and sends it, a few at each place at a time. Every try is one lease, and ends within it. */
import { type LeaseLoop, type StartWork, startLeaseLoop } from '#lib/lease-loop.ts'
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
  /** Told of every try whose outcome was written down: what it came to, and how long it took. */
  readonly onTried?: ((outcome: Verdict['kind'], durationMs: number) => void) | undefined
}

export interface Deliverer extends LeaseLoop {
  /** Claims nothing more, lets running tries end for so long (5 s), cuts the rest off and lets go of them. */
  stop(patienceMs?: number): Promise<void>
}

/** A dead deliverer's deliveries are due again after this. */
const LEASE_MS = 30_000
/** A claim that was answered later than this leaves a try no time to end within its lease: it is not begun. */
const BEGIN_WITHIN_MS = LEASE_MS - TIMEOUT_MS - 5_000
/** A first try comes within a second of its commit, wherever it was committed. */
const LOOK_EVERY_MS = 500
const STOP_PATIENCE_MS = 5_000

/** Sends until it is stopped. No lease is renewed: a try is shorter than its lease. */
export function startDeliverer(options: DelivererOptions): Deliverer {
  const { clock, concurrency, logger, node, store } = options
  const work = new DeliveryWork(options)
  const loop = startLeaseLoop<LeasedDelivery>({
    clock,
    logger,
    rows: 'callbacks',
    seats: concurrency,
    lookEveryMs: LOOK_EVERY_MS,
    look: async (_free, start) => ((await work.claim(start)) > 0 ? 0 : undefined),
    letGo: () => store.letGo(node),
  })
  return {
    wake: loop.wake,
    stop: (patienceMs = STOP_PATIENCE_MS) => loop.stop(patienceMs),
    get busy() {
      return loop.busy
    },
  }
}

class DeliveryWork {
  readonly #options: DelivererOptions
  readonly #book: LaneBook

  constructor(options: DelivererOptions) {
    this.#options = options
    this.#book = new LaneBook(options.concurrency, () => options.clock.monotonicMs())
  }

  /** Places that answer first; then, with what room is left, those whose last try failed. */
  async claim(start: StartWork<LeasedDelivery>): Promise<number> {
    const first = await this.#claimAs('answering', start)
    const second = this.#book.hasFailing ? await this.#claimAs('any', start) : 0
    return first + second
  }

  async #claimAs(which: 'answering' | 'any', start: StartWork<LeasedDelivery>): Promise<number> {
    const { clock, node, store } = this.#options
    const rooms = this.#book.rooms(which)
    if (rooms.limit === 0) return 0
    const askedAtMs = clock.monotonicMs()
    const leased = await store.claim(node, rooms, LEASE_MS)
    if (clock.monotonicMs() - askedAtMs > BEGIN_WITHIN_MS) return 0
    for (const delivery of leased) start(delivery, cutOff => this.#attempt(delivery, cutOff))
    return leased.length
  }

  async #attempt(delivery: LeasedDelivery, cutOff: AbortSignal): Promise<void> {
    const { logger, store } = this.#options
    const seat = { lane: delivery.lane, workspaceId: delivery.account.workspaceId }
    let failed: boolean | undefined
    let pauseMs = 0
    this.#book.take(seat)
    try {
      if (delivery.secrets.length === 0) return await store.drop(delivery)
      const startedMs = this.#options.clock.monotonicMs()
      const result = await sendTry(this.#options, delivery, cutOff)
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
    if (!isMine) return
    this.#options.onTried?.(verdict.kind, durationMs)
    if (verdict.kind === 'delivered') return
    const { endpointId, account, id, url } = delivery
    if (verdict.kind === 'exhausted') {
      logger.warn({ deliveryId: id, tries: delivery.tries + 1 }, 'a callback was given up')
    }
    if (endpointId === undefined) return
    const reason = await store.noteFailure(
      account.workspaceId,
      { id: endpointId, url },
      verdict.kind === 'gone',
    )
    if (reason !== undefined)
      logger.warn({ endpointId, reason }, 'an endpoint for callbacks was switched off')
  }
}

/** A receiver that is too busy for one delivery is too busy for the next. */
function pauseOf({ status, retryAfterMs }: TryResult): number {
  return status === 429 || status === 503 ? (retryAfterMs ?? 0) : 0
}
