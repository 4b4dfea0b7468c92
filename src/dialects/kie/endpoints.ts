/** The three shapes that nearly every endpoint of kie has: create a task, look at one, do something at once. */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import type { Endpoint, EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Once, WireAnswer } from '#spec/gateway.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { MediaOperation } from '#spec/operation.ts'
import type { TaskView } from '#spec/task.ts'
import { callbackUrlOf, readBody } from './body.ts'
import { success } from './envelope.ts'

/** What a create call asks of the gateway. */
export interface Creation {
  readonly request: MediaOperation
  readonly family: string
  /** Where the answer is more than the task's id. */
  readonly answer?: ((task: TaskView) => WireAnswer | Promise<WireAnswer>) | undefined
  /** The task is waited for, and the answer is its result. */
  readonly waits?: boolean | undefined
  /** One such task is all that may be made. */
  readonly once?: Once | undefined
}

interface Described {
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string | undefined
}

interface CreateDefinition<S extends z.ZodType> extends Described {
  readonly body: S
  /** What is in `data` of the answer, where it is not the task's id. */
  readonly data?: z.ZodType | undefined
  readonly example: Readonly<Record<string, unknown>>
  /** Gives what to submit, or an answer at once. */
  create(
    body: z.output<S>,
    exchange: EndpointExchange,
  ): Creation | WireAnswer | Promise<Creation | WireAnswer>
}

const taskIdData = z.object({ taskId: z.string().describe('32 hex digits') })

/** The schema of an answer whose `data` is as given. */
export function answerOf(data: z.ZodType): { schema: z.ZodType } {
  return { schema: z.object({ code: z.int().describe('200: done'), msg: z.string(), data }) }
}

/** `POST`: body → task → its id. */
export function createEndpoint<S extends z.ZodType>(definition: CreateDefinition<S>): Endpoint {
  const { path, tag, summary, description, body, data = taskIdData, example } = definition
  return endpoint({
    method: 'POST',
    path,
    reference: {
      summary,
      description,
      tag,
      body: { schema: body },
      answer: answerOf(data),
      example: { body: example },
    },
    async handle(exchange) {
      const { fields, wire } = readBody(exchange.request.body, body)
      const callbackUrl = callbackUrlOf(wire)
      const creation = await definition.create(fields, exchange)
      if ('status' in creation) return exchange.reply.send(creation)
      const { request, family, answer = taskIdAnswer, waits = false, once } = creation
      const { gateway, call } = exchange
      const submission = { request, family, wire, callbackUrl, once }
      exchange.reply.send(
        waits
          ? await gateway.submitAndWait(call, submission, answer)
          : await gateway.submit(call, submission, answer as (task: TaskView) => WireAnswer),
      )
    },
  })
}

export function taskIdAnswer(task: TaskView): WireAnswer {
  return success({ taskId: renderTaskId(task.id) })
}

interface PollDefinition extends Described {
  /** What kie says of an id that it does not know. */
  readonly unknown?: string | undefined
  readonly data: z.ZodType
  /** `data` of the answer. */
  render(task: TaskView): unknown
}

export const taskIdQuery = z.object({ taskId: z.string().describe('The id that the create call answered') })

/** `GET …?taskId=`: any task of the caller's account, in this family's shape. */
export function pollEndpoint(definition: PollDefinition): Endpoint {
  const { path, tag, summary, description, unknown = 'record is null', data, render } = definition
  return endpoint({
    method: 'GET',
    path,
    reference: {
      summary,
      description,
      tag,
      query: taskIdQuery,
      answer: answerOf(data),
      example: { query: { taskId: EXAMPLE_TASK_ID } },
    },
    async handle({ request, call, gateway, reply }) {
      const task = await gateway.findTask(call, askedTaskId(request.query))
      if (task === undefined) throw new GatewayError('task_not_found', unknown, { param: 'taskId' })
      reply.send(success(render(task)))
    },
  })
}

/** An id in the right form, for pages. */
export const EXAMPLE_TASK_ID = '019b76daa800700080000123456789ab'

export function askedTaskId(query: Readonly<Record<string, string>>): string {
  const id = query.taskId ?? query.task_id ?? ''
  if (id !== '') return id
  throw new GatewayError('invalid_request', 'taskId parameter is required', { param: 'taskId' })
}
