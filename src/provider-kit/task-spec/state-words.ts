/** The words vendors have for where a job is. A word that is not here means: look again, until the deadline. */
import type { StateRule } from './spec.ts'

const WORDS: Readonly<Record<Exclude<StateRule, object | 'succeeded-with-outputs'>, readonly string[]>> = {
  queued: [
    'queued',
    'pending',
    'waiting',
    'wait',
    'queuing',
    'queueing',
    'in_queue',
    'submitted',
    'created',
    'starting',
    'preparing',
    'throttled',
  ],
  running: [
    'running',
    'processing',
    'in_progress',
    'generating',
    'dreaming',
    'streaming',
    'run',
    'text_success',
    'first_success',
  ],
  succeeded: ['succeeded', 'succeed', 'success', 'completed', 'complete', 'done', 'ready', 'finished'],
  failed: [
    'failed',
    'fail',
    'error',
    'create_task_failed',
    'generate_failed',
    'sensitive_word_error',
    'request moderated',
    'content moderated',
    'banned',
    'aborted',
    'timeouted',
    'timeout',
    'task not found',
  ],
  cancelled: ['canceled', 'cancelled'],
  expired: ['expired'],
}

const STATE_BY_WORD: ReadonlyMap<string, StateRule> = new Map(
  Object.entries(WORDS).flatMap(([state, words]) => words.map(word => [word, state as StateRule] as const)),
)

/** What the word means, by the vendor's own list and then by everybody's; `undefined` for a word nobody knows. */
export function stateOfWord(
  word: string,
  own: Readonly<Record<string, StateRule>> | undefined,
): StateRule | undefined {
  const lower = word.trim().toLowerCase()
  if (own !== undefined && Object.hasOwn(own, lower)) return own[lower]
  return STATE_BY_WORD.get(lower) ?? (lower.endsWith('_failed') ? 'failed' : undefined)
}
