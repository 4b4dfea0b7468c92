/** `GET /generations/{id}/events`: server-sent events, so that nobody has to poll. */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { SSE_CONTENT_TYPE, sseEvent } from '#dialect-kit/sse-writer.ts'
import { GatewayError } from '#spec/errors.ts'
import { hasEnded } from '#spec/task.ts'
import { generationBody } from './generation.ts'
import { EXAMPLE_ID, TAG } from './retrieve.ts'

export const generationEvents = endpoint({
  method: 'GET',
  path: '/generations/:id/events',
  reference: {
    summary: 'Follow a generation',
    description:
      'One event "progress" with the generation as it is, one more whenever it changes, and "end" when it has ended. Close the stream then; a browser’s EventSource would ask again.',
    tag: TAG,
    answer: { schema: z.string(), contentType: 'text/event-stream' },
    example: { params: { id: EXAMPLE_ID } },
  },
  async handle({ request, call, gateway, reply }) {
    const tasks = await gateway.watchTask(call, request.params.id ?? '', call.signal)
    const stream = reply.stream({ contentType: SSE_CONTENT_TYPE })
    for await (const task of tasks) {
      const ended = hasEnded(task.state)
      const data = JSON.stringify(generationBody(task, gateway.credits))
      await stream.write(sseEvent(data, ended ? 'end' : 'progress'))
      if (ended) return stream.end({})
    }
    if (!stream.open) return
    throw new GatewayError('server_draining', 'This node stops. Ask again for the rest.', {
      retryAfterSeconds: 1,
    })
  },
})
