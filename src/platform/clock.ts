/** The machine's clock, as the port the inner rings know. */
import type { Clock } from '#spec/ports.ts'

/** Node fires a longer timer at once, so longer sleeps are taken in pieces. */
const LONGEST_TIMER_MS = 2_147_483_647

/** A clock that reads this machine: Unix time for `nowMs`, the process' own monotonic time for durations. */
export function createClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    sleep,
  }
}

async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  for (let leftMs = delayMs; leftMs > 0 && !signal?.aborted; leftMs -= LONGEST_TIMER_MS) {
    await timer(Math.min(leftMs, LONGEST_TIMER_MS), signal)
  }
}

/** One timer, cleared when the signal is aborted first, with nothing left behind on a long-lived signal. */
function timer(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(handle)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const handle = setTimeout(done, delayMs)
    signal?.addEventListener('abort', done, { once: true })
  })
}
