/**
 * A vendor's callback: verified, and then a reason to look again. Where the create call was never answered, it also names the
 * job to look at (`adopt.ts`).
 */

import { parseTaskId } from '#spec/ids.ts'
import { hasEnded } from '#spec/task.ts'
import type { RawCallback } from '#spec/task-provider.ts'
import { adoptLost, isLost } from './adopt.ts'
import type { GatewayParts } from './parts.ts'
import { fromStoredTaskTerms } from './task-terms.ts'

/** `name` is the workspace's and the task's id, 32 hex digits each, as `attempt-step.ts` wrote it. */
export async function receiveProviderCallback(
  parts: GatewayParts,
  where: { readonly provider: string; readonly name: string; readonly token: string },
  raw: RawCallback,
): Promise<'accepted' | 'unknown'> {
  const workspaceId = parseTaskId(where.name.slice(0, 32))
  const id = parseTaskId(where.name.slice(32))
  const task = workspaceId && id && (await parts.media.tasks.findIn(workspaceId, id))
  if (!task) return 'unknown'
  const attempt = task.work.attempts.find(
    one => one.callbackToken !== '' && isSame(one.callbackToken, where.token),
  )
  const terms = fromStoredTaskTerms(task.terms)
  const offering = attempt && terms.offerings[attempt.offering]
  const { callback: reader, adopt } = parts.providers.get(where.provider)?.capabilities.tasks ?? {}
  if (!attempt || offering?.provider !== where.provider || !reader) return 'unknown'
  // Nothing is left to look at. A vendor that were refused would call again, for hours.
  if (hasEnded(task.state)) return 'accepted'
  if (adopt && isLost(attempt)) {
    const isFound = await adoptLost(parts, { task, terms, offering, attempt }, adopt, raw)
    return isFound ? 'accepted' : 'unknown'
  }
  const isGenuine = await reader(raw, attempt.handle ?? null, {
    nowMs: parts.clock.nowMs(),
    signal: AbortSignal.timeout(10_000),
    timeouts: parts.settings.timeouts,
  })
  if (!isGenuine) return 'unknown'
  await parts.media.tasks.nudge(task.account.workspaceId, task.id)
  parts.media.wakeWorker()
  return 'accepted'
}

/** Tokens are of one length and random: how long the comparison takes tells nothing worth knowing, but costs nothing to hide. */
function isSame(left: string, right: string): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (let at = 0; at < left.length; at++) difference |= left.charCodeAt(at) ^ right.charCodeAt(at)
  return difference === 0
}
