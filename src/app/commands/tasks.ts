/** `tollgate tasks …`: what was asked for, how far it is, what it cost. Prompts and results are not shown. */
import { endTask } from '#gateway/index.ts'
import type { Attempt, StoredTask } from '#modules/tasks/index.ts'
import { parseTaskId, renderId, renderTaskId } from '#spec/ids.ts'
import { chargedCreditsOf } from '#spec/money.ts'
import { MEDIA_OPERATIONS } from '#spec/operation.ts'
import { TASK_STATES, type TaskState } from '#spec/task.ts'
import type { Wired } from '../wire.ts'
import {
  type Command,
  type CommandOption,
  limitOf,
  table,
  UsageError,
  WORKSPACE_OPTION,
  type Words,
  workspaceOf,
} from './command.ts'
import { deliveryJson } from './webhooks.ts'

const MODE: CommandOption = { type: 'string', help: 'live (default) or test' }

export const tasksList: Command = {
  name: 'tasks list',
  summary: 'Lists the latest tasks of a workspace.',
  example: 'npx tollgate tasks list --state running',
  options: {
    state: { type: 'string', help: `one of ${TASK_STATES.join(', ')}; all if left out` },
    limit: { type: 'string', help: 'how many; 50 if left out' },
    workspace: WORKSPACE_OPTION,
    mode: MODE,
  },
  async run(words, wired) {
    const workspace = await workspaceOf(words, wired)
    const { tasks } = await wired.parts.media.tasks.list(
      { workspaceId: workspace.id, mode: words.mode('live') },
      {
        operations: MEDIA_OPERATIONS,
        states: statesOf(words),
        sort: 'created_at',
        order: 'desc',
        offset: 0,
        limit: limitOf(words, 50),
      },
    )
    return {
      json: tasks.map(task => taskJson(task, wired)),
      text: table(
        ['id', 'at', 'state', 'model', 'provider', 'held', 'charged'],
        tasks.map(task => taskRow(task, wired)),
      ),
    }
  },
}

export const tasksShow: Command = {
  name: 'tasks show',
  summary: 'Shows one task with its tries at providers and its callbacks.',
  example: 'npx tollgate tasks show 0199f3…',
  operands: '<task id>',
  options: { workspace: WORKSPACE_OPTION },
  async run(words, wired) {
    const task = await taskOf(words, wired)
    const desk = wired.parts.media.webhookDesk(task.account)
    const deliveries = await desk.listDeliveries({ taskId: task.id, limit: 100 })
    const json = {
      ...taskJson(task, wired),
      attempts: task.work.attempts.map(attemptJson),
      deliveries: deliveries.map(deliveryJson),
    }
    return { json, text: JSON.stringify(json, undefined, 2) }
  },
}

export const tasksCancel: Command = {
  name: 'tasks cancel',
  summary: 'Ends a task and gives its credits back.',
  example: 'npx tollgate tasks cancel 0199f3…',
  operands: '<task id>',
  options: { workspace: WORKSPACE_OPTION },
  async run(words, wired) {
    const { account, id } = await taskOf(words, wired)
    const isEnded = await endTask(wired.parts, account, id, 'cancelled')
    const task = await taskOf(words, wired)
    const text = isEnded
      ? `${renderTaskId(id)} is ${task.state}; its credits are given back.`
      : `${renderTaskId(id)} had ended already: it is ${task.state}.`
    return { json: taskJson(task, wired), text, exitCode: isEnded ? 0 : 1 }
  },
}

export const tasks: readonly Command[] = [tasksList, tasksShow, tasksCancel]

async function taskOf(words: Words, wired: Wired): Promise<StoredTask> {
  const text = words.operand(0, 'the id of the task')
  const id = parseTaskId(text)
  const workspace = await workspaceOf(words, wired)
  const task = id && (await wired.parts.media.tasks.findIn(workspace.id, id))
  if (!task) throw new UsageError(`there is no task "${text}" in the workspace "${workspace.name}"`)
  return task
}

function statesOf(words: Words): readonly TaskState[] {
  const text = words.text('state')
  if (text === undefined) return TASK_STATES
  const state = TASK_STATES.find(known => known === text)
  if (state === undefined) throw new UsageError(`--state must be one of ${TASK_STATES.join(', ')}`)
  return [state]
}

function taskJson(task: StoredTask, wired: Wired) {
  const { credits } = wired.config
  return {
    id: renderTaskId(task.id),
    workspace: renderId('workspace', task.account.workspaceId),
    mode: task.account.mode,
    key: renderId('key', task.keyId),
    state: task.state,
    stage: task.stage ?? null,
    progress: task.progress ?? null,
    operation: task.operation,
    dialect: task.dialect,
    family: task.family,
    requested_model: task.requestedModel,
    model: task.model,
    provider: task.provider ?? null,
    upstream_model: task.upstreamModel ?? null,
    held: chargedCreditsOf(task.heldNanoUsd, credits),
    charged: chargedCreditsOf(task.chargedNanoUsd, credits),
    failure: task.failure ?? null,
    callback_url: task.callbackUrl ?? null,
    created_at: task.createdAt,
    started_at: task.startedAt ?? null,
    ended_at: task.endedAt ?? null,
    seconds_to_deadline: task.endedAt === undefined ? Math.round(task.msToDeadline / 1000) : null,
  }
}

function taskRow(task: StoredTask, wired: Wired): string[] {
  const json = taskJson(task, wired)
  return [
    json.id,
    task.createdAt.toISOString(),
    json.state,
    json.model,
    json.provider ?? '-',
    json.held,
    json.charged,
  ]
}

function attemptJson(attempt: Attempt) {
  return {
    reference: attempt.reference,
    offering: attempt.offering,
    count: attempt.count,
    state: attempt.state,
    fault: attempt.fault ?? null,
    checks_without_answer: attempt.troubles ?? 0,
  }
}
