/** The finished task that another goes on from, and what went on from it already. */
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
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

/**
 * The task that makes, or made, the same thing already; a failed one does not count. With an `Idempotency-Key` there is
 * none: such a client is answered by its key, and a repeat must get the first answer and not be told of itself.
 */
export async function earlierOf(
  reach: Reach,
  parent: TaskView,
  family: string,
  isSame: (task: TaskView) => boolean = () => true,
): Promise<TaskView | undefined> {
  if (reach.call.idempotencyKey !== undefined) return undefined
  const children = await childrenOf(reach, parent, family)
  return children.find(child => !hasFailed(child) && isSame(child))
}

function hasFailed({ state }: TaskView): boolean {
  return hasEnded(state) && state !== 'succeeded'
}

/** The id of the task that a request goes on from, where it does. */
export function parentOf(request: MediaOperation): Uuid | undefined {
  return 'parentTask' in request ? request.parentTask : undefined
}
