/** The finished task that another goes on from, and what went on from it already. */
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Once, WireAnswer } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import type { MediaOperation, MediaOperationName } from '#spec/operation.ts'
import { hasEnded, TASK_STATES, type TaskView } from '#spec/task.ts'

type Reach = Pick<EndpointExchange, 'call' | 'gateway'>

/** What kie says, by what is wrong with the earlier task. */
export interface ParentMessages {
  readonly unknown: string
  readonly unfinished: string
  readonly unfit: string
}

export const PARENT_MESSAGES: ParentMessages = {
  unknown: 'record is null',
  unfinished: 'record status is not success',
  unfit: 'record result data is blank',
}

/**
 * The caller's own task of this id, which has succeeded and made what is needed. Throws `task_not_found` or
 * `task_state_conflict`, both code 422 here.
 */
export async function finishedParent(
  { call, gateway }: Reach,
  id: string,
  needed: { readonly operations?: readonly MediaOperationName[] | undefined; readonly param?: string } = {},
  messages: ParentMessages = PARENT_MESSAGES,
): Promise<TaskView> {
  const { operations, param = 'taskId' } = needed
  const parent = await gateway.findTask(call, id)
  if (parent === undefined) throw new GatewayError('task_not_found', messages.unknown, { param })
  if (parent.state !== 'succeeded') {
    throw new GatewayError('task_state_conflict', messages.unfinished, { param })
  }
  if (operations !== undefined && !operations.includes(parent.request.operation)) {
    throw new GatewayError('task_state_conflict', messages.unfit, { param })
  }
  return parent
}

/** More than one earlier try of the same step is rare; a page holds them all. */
const CHILDREN_LOOKED_AT = 100

/** The tasks of a family that went on from this one, the newest first. */
export async function childrenOf(
  { call, gateway }: Reach,
  parent: TaskView,
  family: string,
): Promise<readonly TaskView[]> {
  const { tasks } = await gateway.listTasks(call, {
    operations: [parent.request.operation],
    states: TASK_STATES,
    parentTask: parent.id,
    sort: 'created_at',
    order: 'desc',
    offset: 0,
    limit: CHILDREN_LOOKED_AT,
  })
  return tasks.filter(task => task.family === family && parentOf(task.request) === parent.id)
}

/** One thing that is made of a finished task at most once. */
export interface Made {
  readonly parent: TaskView
  readonly family: string
  /** Which of its files it is made of; `undefined`: of all of it. */
  readonly index: number | undefined
  /** What whoever asks again is told of the task that makes, or made, it. */
  readonly answer: (earlier: TaskView) => WireAnswer
}

/**
 * The answer about what is there already; else how to submit so that two at once make one. A failed try does not count.
 * With an `Idempotency-Key` neither: such a client is answered by its key, and a repeat must get the first answer and not
 * be told of itself.
 */
export async function madeOnce(
  reach: Reach,
  made: Made,
): Promise<{ readonly answered?: WireAnswer; readonly once?: Once }> {
  if (reach.call.idempotencyKey !== undefined) return {}
  const children = await childrenOf(reach, made.parent, made.family)
  const earlier = children.find(
    child => !hasFailed(child) && (made.index === undefined || child.request.options.index === made.index),
  )
  return earlier === undefined ? { once: onceOf(made) } : { answered: made.answer(earlier) }
}

export function onceOf({ parent, family, index, answer }: Made): Once {
  return { key: [family, parent.id, index ?? ''].join(' '), answer }
}

export function hasFailed({ state }: TaskView): boolean {
  return hasEnded(state) && state !== 'succeeded'
}

/** The id of the task that a request goes on from, where it does. */
export function parentOf(request: MediaOperation): Uuid | undefined {
  return 'parentTask' in request ? request.parentTask : undefined
}
