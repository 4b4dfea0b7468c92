/** The workers of one process: steps of tasks, and callbacks. */
import { advance } from '#gateway/index.ts'
import { type LegacySigner, startDeliverer } from '#modules/webhooks/index.ts'
import { DIALECTS } from './registry.ts'
import { startTaskWorker } from './task-worker.ts'
import type { Wired } from './wire.ts'

export interface Workers {
  /** Steps under way get a little time; what they had leased is free for other nodes at once. */
  stop(): Promise<void>
}

/** Longer than a step usually takes, and shorter than anybody waits for a process to stop. */
const STEP_PATIENCE_MS = 10_000

export function startWorkers(wired: Wired): Workers {
  const { config, clock, logger, node, parts, media } = wired
  const worker =
    config.taskConcurrency === 0
      ? undefined
      : startTaskWorker({
          tasks: parts.media.tasks,
          advance: (leased, signal) => advance(parts, leased, signal),
          clock,
          logger,
          node,
          concurrency: config.taskConcurrency,
        })
  const deliverer =
    config.callbackConcurrency === 0
      ? undefined
      : startDeliverer({
          store: media.webhooks,
          safeFetch: parts.media.safeFetch,
          signers: signersOf(),
          clock,
          logger,
          node,
          concurrency: config.callbackConcurrency,
          onTried: (verdict, durationMs) =>
            parts.events.callbackTried({ outcome: verdict === 'gone' ? 'dropped' : verdict, durationMs }),
        })
  media.live.wakeWorker = () => worker?.wake()
  media.live.wakeDeliverer = () => deliverer?.wake()
  return {
    async stop() {
      await worker?.stop(STEP_PATIENCE_MS)
      await deliverer?.stop()
    },
  }
}

function signersOf(): ReadonlyMap<string, LegacySigner> {
  const signers = new Map<string, LegacySigner>()
  for (const { id, signCallback } of DIALECTS) {
    if (signCallback) signers.set(id, signCallback)
  }
  return signers
}
