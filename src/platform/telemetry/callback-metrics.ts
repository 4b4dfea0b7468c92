/** What Prometheus may see of callbacks. No label is an address, an endpoint or a workspace. */
import { Counter, Gauge, type Registry } from 'prom-client'
import { LatencyHistogram } from './latency-histogram.ts'

export const CALLBACK_OUTCOMES = ['delivered', 'again', 'exhausted', 'dropped'] as const
export type CallbackOutcome = (typeof CALLBACK_OUTCOMES)[number]

/** What waits to be sent, of all nodes together. Counts end at a bound: beyond it they say only that there are more. */
export interface CallbackBacklog {
  readonly pending: number
  /** Of those: should be under way already. */
  readonly overdue: number
  /** How long the oldest of those has waited. */
  readonly oldestOverdueSeconds: number
}

export interface CallbackMetrics {
  /** A try of this process ended. */
  callbackTried(outcome: CallbackOutcome, durationMs: number): void
  /** Asks for the backlog at each scrape. Where nothing is answered in time, its series are left out of that page. */
  callbackBacklog(read: () => Promise<CallbackBacklog>): void
}

/** A scrape must come back although the database does not. */
const READ_WITHIN_MS = 2_000
const BOUND = 'at most 10,000 are counted'

export function callbackMetrics(registry: Registry, histograms: LatencyHistogram[]): CallbackMetrics {
  const registers = [registry]
  const tries = new Counter({
    name: 'callback_tries_total',
    help: 'Tries of callbacks by this process: delivered, failed and tried again later, given up, or no longer wanted.',
    labelNames: ['outcome'],
    registers,
  })
  // An alarm needs the zero.
  for (const outcome of CALLBACK_OUTCOMES) tries.inc({ outcome }, 0)
  const duration = new LatencyHistogram({
    name: 'callback_try_duration_seconds',
    help: 'How long a receiver took to answer a callback, or to fail.',
    labelNames: ['outcome'],
  })
  histograms.push(duration)
  return {
    callbackTried(outcome, durationMs) {
      tries.inc({ outcome })
      duration.series(outcome).observe(durationMs)
    },
    callbackBacklog: read => showBacklog(registry, read),
  }
}

function showBacklog(registry: Registry, read: () => Promise<CallbackBacklog>): void {
  // All of a page are collected at once, so they share one answer.
  let asked: Promise<CallbackBacklog | undefined> | undefined
  const ask = () => {
    asked ??= inTime(read()).finally(() => {
      asked = undefined
    })
    return asked
  }
  const show = (name: string, help: string, pick: (backlog: CallbackBacklog) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const backlog = await ask()
        if (backlog) this.set(pick(backlog))
        else this.remove()
      },
    })
  show(
    'callbacks_pending',
    `Callbacks not yet delivered, of all nodes together; ${BOUND}.`,
    one => one.pending,
  )
  show('callbacks_overdue', `Callbacks that are due and not under way; ${BOUND}.`, one => one.overdue)
  show(
    'callback_oldest_overdue_seconds',
    'How long the oldest of those has waited.',
    one => one.oldestOverdueSeconds,
  )
}

async function inTime(reading: Promise<CallbackBacklog>): Promise<CallbackBacklog | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), READ_WITHIN_MS)
  try {
    return await Promise.race([reading, late.promise])
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}
