/** Which create calls a task needs: one, or several where a provider makes fewer files at once than were asked for. */
import { randomBytes } from 'node:crypto'
import { randomBase62 } from '#lib/base62.ts'
import type { Attempt, StoredTask } from '#modules/tasks/index.ts'
import type { GatewayParts } from './parts.ts'
import { nextOffering } from './task-health.ts'
import type { TaskTerms } from './task-terms.ts'

const CALLBACK_TOKEN_LENGTH = 32

/** The attempts at one offering (the best there is now) that together make `count` files from `firstIndex` on. */
export function planAttempts(
  parts: GatewayParts,
  task: StoredTask,
  terms: TaskTerms,
  offering = nextOffering(parts, terms) ?? 0,
  count = task.request.count,
  firstIndex = 0,
): readonly Attempt[] {
  const { provider = '', upstreamModel = '' } = terms.offerings[offering] ?? {}
  const most = parts.providers.get(provider)?.capabilities.tasks?.maxCount(task.request, upstreamModel) ?? 1
  const attempts: Attempt[] = []
  for (let made = 0; made < count; made += most) {
    attempts.push({
      reference: parts.media.ids.next(),
      callbackToken: randomBase62(CALLBACK_TOKEN_LENGTH, randomBytes),
      offering,
      count: Math.min(most, count - made),
      firstIndex: firstIndex + made,
      state: 'planned',
    })
  }
  return attempts
}
