/** Callbacks: genuine, and about this job? Nothing else in them is believed. */
import { timingSafeEqual } from 'node:crypto'
import type { RawCallback, TaskCapability, TaskContext } from '#spec/task-provider.ts'
import { parseJson } from '../classify.ts'
import { openHandle } from './handle.ts'
import { readText } from './read-answer.ts'
import { handleOfLostCall } from './start-task.ts'
import type { VendorLine } from './vendor-line.ts'

const MAX_BODY_BYTES = 16 * 1024 * 1024

/** Nothing for a vendor without callbacks. A known id is compared before a verifier may ask the vendor for anything. */
export function callbackReaders(line: VendorLine): Pick<TaskCapability, 'callback' | 'adopt'> {
  const rule = line.spec.callback
  if (rule === undefined) return {}
  const verify = rule.verifier(line.settings, line.exchange)
  const idIn = ({ body }: RawCallback): string | undefined =>
    body.length > MAX_BODY_BYTES ? undefined : readText(parseJson(body), rule.id)
  const factsOf = (callback: RawCallback, taskId: string, context: TaskContext & { nowMs: number }) => {
    const { nowMs, signal, timeouts } = context
    return { callback, taskId, nowMs, signal, timeouts }
  }
  return {
    async callback(callback, handle, context) {
      const open = openHandle(handle, line.spec.families)
      const taskId = open && idIn(callback)
      if (open === undefined || taskId === undefined || !sameText(taskId, open.id)) return false
      return verify(factsOf(callback, taskId, context))
    },
    async adopt(callback, created, context) {
      const taskId = idIn(callback)
      const handle = taskId === undefined ? undefined : handleOfLostCall(line.spec, created, taskId)
      if (taskId === undefined || handle === undefined) return undefined
      return (await verify(factsOf(callback, taskId, context))) ? handle : undefined
    },
  }
}

/** Whether two texts are the same, in a time that tells nothing of where they differ. */
export function sameText(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}
