/** Callbacks: genuine, and about this job? Nothing else in them is believed. */
import { timingSafeEqual } from 'node:crypto'
import type { Json } from '#spec/json.ts'
import type { CallbackReader } from '#spec/task-provider.ts'
import { parseJson } from '../classify.ts'
import { openHandle } from './handle.ts'
import { readText } from './read-answer.ts'
import type { VendorLine } from './vendor-line.ts'

const MAX_BODY_BYTES = 16 * 1024 * 1024

/** `undefined` for a vendor without callbacks. The id is compared before a verifier may ask the vendor for anything. */
export function callbackReader(line: VendorLine): CallbackReader | undefined {
  const rule = line.spec.callback
  if (rule === undefined) return undefined
  const verify = rule.verifier(line.settings, line.exchange)
  return async (callback, handle: Json, { nowMs, signal, timeouts }) => {
    const open = openHandle(handle, line.spec.families)
    if (open === undefined || callback.body.length > MAX_BODY_BYTES) return false
    const taskId = readText(parseJson(callback.body), rule.id)
    if (taskId === undefined || !sameText(taskId, open.id)) return false
    return verify({ callback, taskId, nowMs, signal, timeouts })
  }
}

/** Whether two texts are the same, in a time that tells nothing of where they differ. */
export function sameText(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}
