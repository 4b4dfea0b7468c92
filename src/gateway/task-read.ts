/** Looking at tasks. Ids that are not the caller's are as if they did not exist. */
import type { StoredTask } from '#modules/tasks/index.ts'
import type { Call } from '#spec/gateway.ts'
import { parseTaskId } from '#spec/ids.ts'
import type { TaskPage, TaskQuery, TaskView } from '#spec/task.ts'
import { accountOf, principalOf } from './admission.ts'
import type { GatewayParts } from './parts.ts'
import { taskViewOf } from './task-view.ts'

export async function findTask(
  parts: GatewayParts,
  call: Call,
  wireId: string,
): Promise<TaskView | undefined> {
  const account = accountOf(principalOf(call))
  const id = parseTaskId(wireId)
  const task = id && (await parts.media.tasks.find(account, id))
  return task ? viewWithFiles(parts, task) : undefined
}

export async function listTasks(parts: GatewayParts, call: Call, query: TaskQuery): Promise<TaskPage> {
  const account = accountOf(principalOf(call))
  const { tasks, total } = await parts.media.tasks.list(account, query)
  const files = await parts.media.files.ofTasks(
    account,
    tasks.map(task => task.id),
  )
  const { filesUrl } = parts.media.settings
  const views = tasks.map(task =>
    taskViewOf(
      task,
      files.filter(file => file.taskId === task.id),
      filesUrl,
    ),
  )
  return { tasks: views, total }
}

export async function viewWithFiles(parts: GatewayParts, task: StoredTask): Promise<TaskView> {
  const files = await parts.media.files.ofTasks(task.account, [task.id])
  return taskViewOf(task, files, parts.media.settings.filesUrl)
}
