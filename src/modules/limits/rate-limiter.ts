/** Lets so many calls of a subject through in any window, over all nodes together. */
import type { RateLimit } from '#spec/account.ts'
import type { Clock, Logger } from '#spec/ports.ts'
import { LocalLogs } from './local-logs.ts'
import { giveBackShared, type ScriptRunner, takeShared } from './shared-logs.ts'

/** A call that was counted, or one that must come back later. */
export type Taken =
  | {
      readonly allowed: true
      /** How many more would be let through now. */
      readonly remaining: number
      /** Uncounts this call: it was refused for another reason. Once is enough, and it never fails. */
      giveBack(): void
    }
  | { readonly allowed: false; readonly remaining: 0; readonly retryAfterMs: number }

export interface RateLimiter {
  /**
   * Counts a call of the subject (a key's id, with a word before it where a key has several limits), if the limit
   * allows it. Never fails: without Valkey, each node lets its share through.
   */
  take(subject: string, limit: RateLimit): Promise<Taken>
}

export interface RateLimiterOptions {
  /** Where all nodes count together; `undefined`: each counts for itself. */
  readonly valkey?: ScriptRunner | undefined
  /** How many nodes serve now, this one included: what one node may let through by itself is divided by it. */
  readonly liveNodes: () => number
  readonly clock: Clock
  readonly logger: Logger
}

/** After a failure Valkey is left alone for this long, so that calls do not wait for it one by one. */
const REST_MS = 1_000
const ALARM_EVERY_MS = 60_000

/**
 * A node's own log is asked first and always: it saves a question that it can answer itself, and it carries a
 * node's calls across a loss of Valkey and back.
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const { valkey, liveNodes, clock } = options
  const logs = new LocalLogs()
  const outage = createOutage(clock, options.logger)

  function takeLocal(subject: string, limit: RateLimit): Taken {
    const nowMs = clock.monotonicMs()
    const decision = logs.take(subject, nowMs, limit)
    if (!decision.allowed) return refusal(decision.waitMs)
    return { ...decision, giveBack: once(() => logs.giveBack(subject, nowMs)) }
  }

  const takeShare = (subject: string, limit: RateLimit) => takeLocal(subject, shareOf(limit, liveNodes()))

  async function take(subject: string, limit: RateLimit): Promise<Taken> {
    if (valkey === undefined || outage.resting()) return takeShare(subject, limit)
    const local = takeLocal(subject, limit)
    if (!local.allowed) return local
    try {
      const shared = await takeShared(valkey, subject, limit)
      outage.ended()
      if (shared.allowed) return bothOf(valkey, subject, local, shared)
      local.giveBack()
      return refusal(shared.waitMs)
    } catch (cause) {
      outage.began(cause)
      local.giveBack()
      return takeShare(subject, limit)
    }
  }

  return { take }
}

function bothOf(
  valkey: ScriptRunner,
  subject: string,
  local: Taken & { allowed: true },
  shared: { readonly remaining: number; readonly stamp: string },
): Taken {
  return {
    allowed: true,
    remaining: Math.min(local.remaining, shared.remaining),
    giveBack: once(() => {
      local.giveBack()
      // Lost with Valkey, it counts until its window has passed.
      giveBackShared(valkey, subject, shared.stamp).catch(() => {})
    }),
  }
}

/** Rounded up, so that who waits for so long is not early. */
function refusal(waitMs: number): Taken {
  return { allowed: false, remaining: 0, retryAfterMs: Math.ceil(waitMs) }
}

/** What one of so many nodes may let through by itself: never more than its part, and never nothing. */
function shareOf(limit: RateLimit, nodes: number): RateLimit {
  return { ...limit, calls: Math.max(1, Math.floor(limit.calls / Math.max(1, nodes))) }
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}

/** Remembers that Valkey does not answer, and says so once a minute. */
function createOutage(clock: Clock, logger: Logger) {
  let restUntilMs = 0
  let alarmedAtMs = Number.NEGATIVE_INFINITY
  let under = false
  return {
    resting: () => clock.monotonicMs() < restUntilMs,
    began(cause: unknown) {
      under = true
      const nowMs = clock.monotonicMs()
      restUntilMs = nowMs + REST_MS
      if (nowMs - alarmedAtMs < ALARM_EVERY_MS) return
      alarmedAtMs = nowMs
      logger.error({ cause }, 'valkey does not answer: each node lets its share of every rate limit through')
    },
    ended() {
      if (under) logger.info({}, 'valkey answers again: rate limits count over all nodes')
      under = false
    },
  }
}
