/** Who waits for a task in this process is told when it has changed here. */
import type { TaskBell } from '#gateway/index.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Clock } from '#spec/ports.ts'

export function createTaskBell(clock: Clock): TaskBell {
  const waiting = new Map<Uuid, Set<() => void>>()
  return {
    ring(id) {
      for (const wake of waiting.get(id) ?? []) wake()
    },
    async wait(id, delayMs, signal) {
      const rung = new AbortController()
      const wake = () => rung.abort()
      const waiters = waiting.get(id) ?? new Set()
      waiting.set(id, waiters.add(wake))
      try {
        await clock.sleep(delayMs, AbortSignal.any([rung.signal, signal]))
      } finally {
        waiters.delete(wake)
        if (waiters.size === 0) waiting.delete(id)
      }
    },
  }
}
