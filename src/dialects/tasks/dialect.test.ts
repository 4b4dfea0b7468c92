import { expect } from 'vitest'
import { type Sample, testDialect } from '#dialect-kit/conformance.suite.ts'
import { testReferences } from '#dialect-kit/reference.suite.ts'
import { task, UNFINISHED, WIRE_TASK_ID } from '#dialect-kit/task.fixture.ts'
import { statusOf } from './errors.ts'
import tasks from './index.ts'

const script = { submitted: [task({ ...UNFINISHED, state: 'queued' })], tasks: [task()] }
const samples: readonly Sample[] = [
  {
    endpoint: 'POST /tasks/create',
    url: '/tasks/create',
    body: { model_id: 'gpt-image-2', prompt: 'a serene zen garden at sunrise', aspect_ratio: '16:9' },
    unknownFields: 'drop',
  },
  {
    endpoint: 'GET /tasks/:id',
    url: `/tasks/${WIRE_TASK_ID}`,
    unknownFields: { notApplicable: 'the endpoint takes no body' },
  },
]

testReferences({ dialect: tasks, script, samples })

testDialect({
  dialect: tasks,
  script,
  samples,
  statusOf,
  expectErrorBody: (body, error) => expect(body).toEqual({ code: 0, msg: error.message, data: null }),
  brokenStream: { notApplicable: 'nothing is streamed' },
})
