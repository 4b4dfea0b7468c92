/** Looks for the job of a create call whose answer was lost, among the vendor's own list of jobs. */

import { isUuid, timeOfId } from '#spec/ids.ts'
import type { Json } from '#spec/json.ts'
import type { LostCall, TaskContext } from '#spec/task-provider.ts'
import { allowedAddress, ownAddress } from './address.ts'
import { queryOf } from './body-fields.ts'
import type { FindRule } from './call-rules.ts'
import { readText, readValues } from './read-answer.ts'
import { handleOfLostCall } from './start-task.ts'
import { failureOfLook } from './task-failure.ts'
import { isSuccess, send, type VendorLine } from './vendor-line.ts'

/** Clocks differ. */
const SLACK_MS = 10 * 60 * 1000

/**
 * The job that is to call back at this call's own address, where exactly one in the list is. Anything else is `unknown`: a
 * list may leave out addresses, end too soon, or lag behind.
 */
export async function findLost(
  line: VendorLine,
  rule: FindRule,
  lost: LostCall,
  context: TaskContext,
): Promise<{ readonly handle: Json } | 'unknown'> {
  const { callbackUrl, reference } = lost
  if (callbackUrl === undefined) return 'unknown'
  const sentAtMs = isUuid(reference) ? timeOfId(reference) : 0
  const ids = new Set<string>()
  let address = ownAddress(`${rule.path}${queryOf(rule.query, new Map())}`, line.settings.baseUrl)
  for (let page = 0; page < rule.mostPages; page++) {
    const answer = await send(line, { method: 'GET', address, rule }, context)
    if (!isSuccess(answer)) throw failureOfLook(line.spec.title, line.spec.failure, answer.head, answer.body)
    const items = readValues(answer.body, rule.items)
    for (const item of items) {
      const id = readText(item, rule.id)
      if (id !== undefined && readText(item, rule.callbackUrl) === callbackUrl) ids.add(id)
    }
    const last = Date.parse(readText(items.at(-1), rule.createdAt) ?? '')
    const next = allowedAddress(
      readText(answer.body, rule.next) ?? '',
      line.settings.baseUrl,
      line.spec.hosts,
      line.spec.credentialHosts,
    )
    if (ids.size > 0 || last < sentAtMs - SLACK_MS || next?.trusted !== true) break
    address = next
  }
  const [id] = ids
  const handle = id === undefined || ids.size > 1 ? undefined : handleOfLostCall(line.spec, lost, id)
  return handle === undefined ? 'unknown' : { handle }
}
