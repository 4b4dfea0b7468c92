/** `GET /tasks/{task_id}`: any task of the workspace, whichever API it came by. */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { GatewayError } from '#spec/errors.ts'
import { renderError } from './errors.ts'
import { taskData, taskDataOf } from './task-data.ts'

/** The other path under `/tasks`: no task has this id. */
const RESERVED_ID = 'create'

export const queryTask = endpoint({
  method: 'GET',
  path: '/tasks/:id',
  reference: {
    summary: 'Query a task',
    description: 'Poll until task_status is 3 (success) or 4 (failed). Polls are never limited.',
    tag: 'Tasks',
    answer: { schema: z.object({ code: z.literal(200), msg: z.string(), data: taskData }) },
    example: { params: { id: '019b76daa800700080000123456789ab' } },
  },
  async handle({ request, call, gateway, reply }) {
    const id = request.params.id ?? ''
    if (id === RESERVED_ID) {
      const error = new GatewayError('method_not_allowed', 'GET is not served at this path. Use POST.')
      return reply.send({ ...renderError(error), headers: { Allow: 'POST' } })
    }
    const task = await gateway.findTask(call, id)
    if (task === undefined) {
      throw new GatewayError('task_not_found', 'There is no task with this id.', { param: 'task_id' })
    }
    reply.send(jsonAnswer(200, { code: 200, msg: 'ok', data: taskDataOf(task, gateway.credits) }))
  },
})
