import { expect } from 'vitest'
import { type Sample, testDialect } from '#dialect-kit/conformance.suite.ts'
import type { Dialect } from '#spec/dialect.ts'
import type { ErrorCode, GatewayError } from '#spec/errors.ts'
import { renderTaskId, type Uuid } from '#spec/ids.ts'
import { statusOf } from './errors.ts'
import kie, { kieUploads } from './index.ts'
import {
  MADE,
  PARENT_ID,
  PARENT_PHRASE,
  PARENT_PICTURES,
  PARENT_SONG,
  PARENT_VIDEO,
  parentFor,
  SCRIPT,
  songTask,
  TASK_ID,
  TRACK_ID,
} from './test-script.ts'

const bodyless = { notApplicable: 'the endpoint takes no body' } as const
const kept = { notApplicable: 'they are kept in the echo of the body: requests.test.ts' } as const

/** Finished tasks to go on from, besides a song. */
const VIDEO = '019b76d9-0000-7000-8000-00000000000d' as Uuid
const VIDEO_ID = renderTaskId(VIDEO)
const PICTURES = '019b76d9-0000-7000-8000-00000000000e' as Uuid
const PICTURES_ID = renderTaskId(PICTURES)

/** The sample of an endpoint is the example of its page, with ids that the script knows. */
function samplesOf({ endpoints }: Dialect): Sample[] {
  return endpoints.map(({ method, path, reference }) => {
    const endpoint = `${method} ${path}`
    const { body, query } = reference?.example ?? {}
    if (body === undefined) {
      const search = query === undefined ? '' : `?taskId=${parentIdFor(path)}`
      return { endpoint, url: path + search, unknownFields: bodyless }
    }
    const known = { ...(body as object), ...OVERRIDES[endpoint] }
    return { endpoint, url: path, body: withKnownIds(known, path), unknownFields: kept }
  })
}

const OVERRIDES: Readonly<Record<string, object>> = {
  'POST /gpt4o-image/download-url': { taskId: TASK_ID, url: 'https://files.example/result-0.mp3' },
  'POST /common/download-url': { url: 'https://files.example/result-0.png' },
  'POST /voice/check-voice': { task_id: TASK_ID },
}

function parentIdFor(path: string): string {
  const parent = parentFor(path)
  if (parent === PARENT_VIDEO) return VIDEO_ID
  return parent === PARENT_PICTURES ? PICTURES_ID : PARENT_ID
}

function withKnownIds(body: object, path: string): Record<string, unknown> {
  const { taskId, audioId, ...rest } = body as { taskId?: string; audioId?: string }
  const isOwn = 'url' in rest
  return {
    ...rest,
    ...(taskId !== undefined && { taskId: isOwn ? taskId : parentIdFor(path) }),
    ...(audioId !== undefined && { audioId: TRACK_ID }),
  }
}

const finished = songTask({ result: MADE })

testDialect({
  dialect: kie,
  script: {
    ...SCRIPT,
    submitted: [finished],
    tasks: [
      songTask(),
      { ...PARENT_SONG, result: PARENT_PHRASE.result },
      { ...PARENT_VIDEO, id: VIDEO },
      { ...PARENT_PICTURES, id: PICTURES },
    ],
  },
  samples: samplesOf(kie),
  statusOf,
  expectErrorBody: (body, error) => expectErrorBody(body, error, ['code', 'msg', 'data', 'error']),
  brokenStream: { notApplicable: 'nothing is streamed' },
})

/** Its body is a form; `uploads.test.ts` has it. */
const uploadsOfJson: Dialect = {
  ...kieUploads,
  endpoints: kieUploads.endpoints.filter(({ path }) => path !== '/file-stream-upload'),
}

testDialect({
  dialect: uploadsOfJson,
  script: SCRIPT,
  samples: samplesOf(uploadsOfJson),
  statusOf,
  expectErrorBody: (body, error) => expectErrorBody(body, error, ['success', 'code', 'msg', 'data', 'error']),
  brokenStream: { notApplicable: 'nothing is streamed' },
})

/** kie's three keys, and our own word for the error, whatever the status. */
function expectErrorBody(body: unknown, error: GatewayError, keys: readonly string[]): void {
  const shape = body as { code: number; msg: string; data: unknown; error: Record<string, unknown> }
  expect(Object.keys(shape)).toEqual(keys)
  expect(shape).toMatchObject({ msg: error.message, data: null })
  expect(Number.isInteger(shape.code) && shape.code >= 400).toBe(true)
  const { message, param, code, details, nearby, ...others } = shape.error
  expect({ message, code, others }).toEqual({ message: error.message, code: error.code, others: {} })
  if (error.param !== undefined) expect(param).toBe(error.param)
  expect(nearby).toEqual(error.nearby.length > 0 ? error.nearby : undefined)
  const codes = (details as { code: ErrorCode }[] | undefined)?.map(detail => detail.code)
  expect(codes).toEqual(error.refusals.length > 0 ? error.refusals.map(refusal => refusal.code) : undefined)
}
