/** How far a task has come by a time: a pure reading of the clock. */
import type { TaskStage } from '#spec/task.ts'
import type { TaskOrder } from './order.ts'

export type Standing =
  | {
      readonly kind: 'pending'
      readonly state: 'queued' | 'running'
      readonly progress: number
      readonly stage: TaskStage | undefined
      readonly checkAfterMs: number
    }
  | { readonly kind: 'ended' }

/** The first tenth of the time it stands in a queue, but never long. */
const QUEUED_SHARE = 0.1
const LONGEST_QUEUED_MS = 500
/** When a song's words are written, and when its first track can be heard, as shares of the time. */
const STAGES: readonly { readonly stage: TaskStage; readonly at: number }[] = [
  { stage: 'text', at: 0.3 },
  { stage: 'first', at: 0.7 },
]
const SHORTEST_PAUSE_MS = 500
/** A long task is looked at so often in all. */
const LOOKS = 20
const STUCK_PROGRESS = 0.9
const STUCK_PAUSE_MS = 5_000

/** Where the order stands at a time. `hasStages`: it is a song, of which parts are told early. */
export function standingAt(
  order: Pick<TaskOrder, 'startedAtMs' | 'takesMs'>,
  nowMs: number,
  hasStages: boolean,
): Standing {
  const { startedAtMs, takesMs } = order
  const elapsedMs = Math.max(0, nowMs - startedAtMs)
  if (takesMs === null) {
    return { kind: 'pending', state: 'running', ...STUCK }
  }
  if (elapsedMs >= takesMs) return { kind: 'ended' }
  const share = elapsedMs / takesMs
  const stages = hasStages ? STAGES : []
  const next = stages.find(({ at }) => share < at)
  return {
    kind: 'pending',
    state: elapsedMs < Math.min(takesMs * QUEUED_SHARE, LONGEST_QUEUED_MS) ? 'queued' : 'running',
    progress: share,
    stage: stages.findLast(({ at }) => share >= at)?.stage,
    checkAfterMs: pauseBefore((next?.at ?? 1) * takesMs - elapsedMs, takesMs),
  }
}

const STUCK = { progress: STUCK_PROGRESS, stage: undefined, checkAfterMs: STUCK_PAUSE_MS } as const

/** The way to the next event in equal steps, none shorter than half a second, the last of which ends at the event. */
function pauseBefore(untilMs: number, takesMs: number): number {
  const pauseMs = Math.max(SHORTEST_PAUSE_MS, takesMs / LOOKS)
  return Math.ceil(untilMs / Math.max(1, Math.floor(untilMs / pauseMs)))
}
