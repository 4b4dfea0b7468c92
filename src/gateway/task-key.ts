/**
 * Keys that belong to a task for as long as it runs, and not only to the call that began it: a client's own where it waits
 * for the result, and ours of what is made once. The end of the task's hold ends them too.
 */
import { hash } from 'node:crypto'
import type { KeyedCall } from '#modules/idempotency/index.ts'
import type { StoredTask } from '#modules/tasks/index.ts'
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, Once } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import { hasEnded, type TaskView } from '#spec/task.ts'
import type { GatewayParts } from './parts.ts'
import { viewWithFiles } from './task-read.ts'

/** Between taking its key and writing its task the first call may still be fetching what it was sent. */
const MAX_LOOKS_FOR_FIRST = 20
const BETWEEN_LOOKS_FOR_FIRST_MS = 100
/** No path: a client's own key is never in the way. */
const ONCE_ROUTE = 'once'

/**
 * A repeat of a call that waits joins the task of the first one, wherever that runs; what it answers is made of the task,
 * so it is the same answer. `undefined`: the key is this call's, or there is none.
 */
export async function joinedTask(
  parts: GatewayParts,
  call: Call,
  account: AccountRef,
): Promise<Uuid | undefined> {
  if (call.idempotencyKey === undefined) return undefined
  const { route, idempotencyKey: key } = call
  const first = await takeOrFind(parts, call, { account, route, key, bodyDigest: call.bodyDigest() })
  return first?.id
}

/** The task that is or was made under the key; `undefined`: the key is this call's, which must submit or release it. */
export async function takeOnce(
  parts: GatewayParts,
  call: Call,
  account: AccountRef,
  { key }: Once,
): Promise<TaskView | undefined> {
  const keyed = { account, route: ONCE_ROUTE, key, bodyDigest: hash('sha256', key) }
  for (;;) {
    const first = await takeOrFind(parts, call, keyed)
    if (first === undefined) return undefined
    // One that came to nothing keeps its key from nobody: the next look takes it.
    if (!hasEnded(first.state) || first.state === 'succeeded') return viewWithFiles(parts, first)
  }
}

async function takeOrFind(
  parts: GatewayParts,
  call: Call,
  keyed: Pick<KeyedCall, 'account' | 'route' | 'key' | 'bodyDigest'>,
): Promise<StoredTask | undefined> {
  const asked = { ...keyed, requestId: call.requestId, owner: parts.node }
  for (let looks = 0; looks < MAX_LOOKS_FOR_FIRST; looks++) {
    if (looks > 0) await parts.clock.sleep(BETWEEN_LOOKS_FOR_FIRST_MS, call.signal)
    const begun = await parts.idempotency.beginOrJoin(asked)
    if (begun.state === 'new') return undefined
    const first = await parts.media.tasks.find(keyed.account, begun.requestId)
    if (first) return first
    if (call.signal.aborted) break
  }
  throw new GatewayError(
    'idempotency_in_progress',
    'The same request is still being taken in. Its answer can be had by asking again.',
    { retryAfterSeconds: 1 },
  )
}
