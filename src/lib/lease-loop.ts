/**
 * The life of a worker whose queue is a table of leased rows: it looks for due rows, works on as many as it has seats for,
 * keeps their leases from running out, and stops in good order. What a row is, and what is done with it, is its user's.
 */

interface LoopClock {
  /** Resolves after the delay, or at once when the signal is aborted. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

interface LoopLogger {
  warn(fields: Readonly<Record<string, unknown>>, event: string): void
}

/** Takes a seat and begins the work at once. The signal is aborted when a stop has run out of patience. */
export type StartWork<Lease> = (lease: Lease, work: (cutOff: AbortSignal) => Promise<void>) => void

export interface LeaseLoopOptions<Lease> {
  readonly clock: LoopClock
  readonly logger: LoopLogger
  /** What the rows are, for the log: `tasks`. */
  readonly rows: string
  /** Rows worked on at once. */
  readonly seats: number
  /** Between two looks, from half of it to half as much again, so that many nodes do not look in step. */
  readonly lookEveryMs: number
  /**
   * Leases what is due, at most as much as there are free seats, and starts each. Gives in how many milliseconds to look
   * again: 0 for at once, because there may be more; `undefined` for the usual. Where it rejects, the loop looks again.
   */
  look(free: number, start: StartWork<Lease>): Promise<number | undefined>
  /** Whether a freed seat is a reason to look at once. Default: yes. */
  readonly looksWhenFreed?: boolean | undefined
  /** Where work may outlast a lease. Called only while something is leased. */
  readonly renewal?:
    | { readonly everyMs: number; renew(leases: readonly Lease[]): Promise<unknown> }
    | undefined
  /** Lets go of all that this node still holds: the last thing a stop does. */
  letGo(): Promise<unknown>
}

export interface LeaseLoop {
  /** Something is due: look at once. */
  wake(): void
  /** Looks no more, lets work under way end for so long, cuts the rest off, lets go of everything. */
  stop(patienceMs: number): Promise<void>
  /** Seats taken now. */
  readonly busy: number
}

/** Looks at once, and then until it is stopped. */
export function startLeaseLoop<Lease>(options: LeaseLoopOptions<Lease>): LeaseLoop {
  const loop = new Loop(options)
  const looking = loop.look()
  const renewing = loop.renew()
  return {
    wake: () => loop.wake(),
    stop: patienceMs => loop.stop(patienceMs, looking, renewing),
    get busy() {
      return loop.busy
    },
  }
}

class Loop<Lease> {
  readonly #options: LeaseLoopOptions<Lease>
  readonly #running = new Map<Lease, Promise<void>>()
  readonly #stopping = new AbortController()
  readonly #cutOff = new AbortController()
  #alarm = new AbortController()

  constructor(options: LeaseLoopOptions<Lease>) {
    this.#options = options
  }

  get busy(): number {
    return this.#running.size
  }

  wake(): void {
    this.#alarm.abort()
  }

  async look(): Promise<void> {
    const { clock, lookEveryMs } = this.#options
    while (!this.#stopping.signal.aborted) {
      // Before the look, so that what calls meanwhile is not slept through.
      this.#alarm = new AbortController()
      const pauseMs = (await this.#lookOnce()) ?? lookEveryMs * (0.5 + Math.random())
      if (pauseMs === 0) continue
      await clock.sleep(pauseMs, AbortSignal.any([this.#alarm.signal, this.#stopping.signal]))
    }
  }

  async renew(): Promise<void> {
    const { clock, logger, renewal, rows } = this.#options
    if (renewal === undefined) return
    const { signal } = this.#cutOff
    while (!signal.aborted) {
      await clock.sleep(renewal.everyMs, signal)
      if (signal.aborted) return
      if (this.#running.size === 0) continue
      await renewal.renew([...this.#running.keys()]).catch(error => {
        logger.warn({ error }, `leases of ${rows} could not be renewed`)
      })
    }
  }

  async stop(patienceMs: number, looking: Promise<void>, renewing: Promise<void>): Promise<void> {
    const { clock, letGo, logger } = this.#options
    this.#stopping.abort()
    await looking
    const patience = new AbortController()
    await Promise.race([Promise.all(this.#running.values()), clock.sleep(patienceMs, patience.signal)])
    patience.abort()
    this.#cutOff.abort()
    await Promise.all(this.#running.values())
    await renewing
    await letGo().catch(error => logger.warn({ error }, 'leases run out by themselves'))
  }

  async #lookOnce(): Promise<number | undefined> {
    const { logger, look, rows, seats } = this.#options
    const free = seats - this.#running.size
    if (free <= 0) return undefined
    return await look(free, (lease, work) => this.#start(lease, work)).catch(error => {
      logger.warn({ error }, `due ${rows} could not be read; looking again soon`)
      return undefined
    })
  }

  #start(lease: Lease, work: (cutOff: AbortSignal) => Promise<void>): void {
    const { logger, looksWhenFreed = true, rows } = this.#options
    const running = work(this.#cutOff.signal)
      .catch(error => logger.warn({ error }, `work on leased ${rows} broke off`))
      .finally(() => {
        this.#running.delete(lease)
        if (looksWhenFreed) this.wake()
      })
    this.#running.set(lease, running)
  }
}
