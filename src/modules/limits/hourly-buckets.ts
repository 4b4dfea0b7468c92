/** So many requests of a subject in each full hour of UTC, over all nodes together: what some formats promise in headers. */
import type { Clock } from '#spec/ports.ts'
import type { ScriptRunner } from './shared-logs.ts'

export interface HourlyCount {
  /** This one included, the refused ones too. */
  readonly used: number
  readonly resetsAtUnixSeconds: number
}

export interface HourlyBuckets {
  /** Counts one request. Never fails: without Valkey a node counts for itself, and its figure stands for its share. */
  count(subject: string): Promise<HourlyCount>
}

const HOUR_MS = 3_600_000

/** KEYS[1] the counter; ARGV: how long it lives in ms. */
const COUNT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count`

export function createHourlyBuckets(options: {
  readonly valkey?: ScriptRunner | undefined
  /** What one node counted stands for so many nodes' traffic. */
  readonly liveNodes: () => number
  readonly clock: Clock
}): HourlyBuckets {
  const { valkey, liveNodes, clock } = options
  let hour = -1
  let counts = new Map<string, number>()

  function countLocally(subject: string, now: number): number {
    if (now !== hour) {
      hour = now
      counts = new Map()
    }
    const count = (counts.get(subject) ?? 0) + 1
    counts.set(subject, count)
    return count
  }

  return {
    async count(subject) {
      const now = Math.floor(clock.nowMs() / HOUR_MS)
      const resetsAtUnixSeconds = ((now + 1) * HOUR_MS) / 1000
      const local = countLocally(subject, now)
      if (valkey) {
        try {
          const used = Number(
            await valkey.run(COUNT, [`tollgate:hour:{${subject}}:${now}`], [HOUR_MS + 60_000]),
          )
          return { used: Math.max(used, local), resetsAtUnixSeconds }
        } catch {
          // As without it.
        }
      }
      return { used: local * Math.max(1, liveNodes()), resetsAtUnixSeconds }
    },
  }
}
