import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { task, UNFINISHED, WIRE_TASK_ID } from '#dialect-kit/task.fixture.ts'
import { transcript } from '#dialect-kit/transcript.fixture.ts'
import { GatewayError } from '#spec/errors.ts'
import { MEDIA_OPERATIONS } from '#spec/operation.ts'
import { TASK_STATES, type TaskQuery } from '#spec/task.ts'
import native from './index.ts'

async function ask(request: string, script: GatewayScript = { tasks: [task()] }) {
  const [method = '', url = ''] = request.split(' ')
  const gateway = new ScriptedGateway(script)
  const headers = { authorization: `Bearer ${GOOD_KEY}` }
  return { answer: await serveInMemory(native, gateway, { method, url, headers }), gateway }
}

const queued = task({ ...UNFINISHED, state: 'queued' })
const running = task({ ...UNFINISHED, state: 'running', progress: 0.4, startedAt: task().startedAt })

const EXCHANGES = [
  { name: 'retrieve', request: `GET /generations/${WIRE_TASK_ID}`, script: { tasks: [task()] } },
  { name: 'unknown', request: 'GET /generations/abc', script: {} },
  { name: 'list', request: 'GET /generations?limit=1', script: { tasks: [queued, task()] } },
  {
    name: 'events',
    request: `GET /generations/${WIRE_TASK_ID}/events`,
    script: { submitted: [queued, running, task()] },
  },
  {
    name: 'cancel',
    request: `POST /generations/${WIRE_TASK_ID}/cancel`,
    script: { tasks: [task({ ...UNFINISHED, state: 'cancelled', endedAt: task().endedAt })] },
  },
  {
    name: 'cancel-ended',
    request: `POST /generations/${WIRE_TASK_ID}/cancel`,
    script: { refuse: new GatewayError('task_state_conflict', 'The task has already succeeded.') },
  },
] as const

describe('a client sees exactly', () => {
  it.each(EXCHANGES)('fixtures/$name.http', async ({ name, ...exchange }) => {
    await expect(await transcript(native, exchange)).toMatchFileSnapshot(`fixtures/${name}.http`)
  })
})

describe('the list', () => {
  const queryOf = async (query: string) => {
    const { gateway } = await ask(`GET /generations${query}`)
    return gateway.asked[0]?.argument as TaskQuery
  }

  it('is of everything, newest first, twenty at once', async () => {
    expect(await queryOf('')).toEqual({
      operations: MEDIA_OPERATIONS,
      states: TASK_STATES,
      sort: 'created_at',
      order: 'desc',
      offset: 0,
      limit: 20,
    })
  })

  it.each([
    ['?operation=music', { operations: ['music'] }],
    ['?state=failed', { states: ['failed'] }],
    ['?sort=size_bytes&order=asc', { sort: 'size_bytes', order: 'asc' }],
    ['?offset=40&limit=5000', { offset: 40, limit: 100 }],
  ])('%s', async (query, part) => {
    expect(await queryOf(query)).toMatchObject(part)
  })

  it.each(['operation=chat', 'state=done', 'limit=0', 'offset=-1', 'sort=id', 'order=up'])(
    '%s is a 400 that names the parameter',
    async query => {
      const { answer, gateway } = await ask(`GET /generations?${query}`)
      const { error } = JSON.parse(answer.body.toString())
      expect([answer.status, error.param]).toEqual([400, query.split('=')[0]])
      expect(gateway.asked).toEqual([])
    },
  )
})

describe('events', () => {
  it('of a task that has ended are its end', async () => {
    const { answer } = await ask(`GET /generations/${WIRE_TASK_ID}/events`, { submitted: [task()] })
    expect(answer.contentType).toMatch(/^text\/event-stream/)
    expect(answer.body.toString()).toMatch(/^event: end\ndata: \{"object":"generation".*\}\n\n$/)
  })

  it('that break off before the end are not ended as if it were one', async () => {
    const { answer } = await ask(`GET /generations/${WIRE_TASK_ID}/events`, { submitted: [queued] })
    expect(answer.status).toBe(503)
    expect(JSON.parse(answer.body.toString()).error.code).toBe('server_draining')
  })

  it('of an unknown task are a 404', async () => {
    const refuse = new GatewayError('task_not_found', 'There is no such task.')
    const { answer } = await ask('GET /generations/abc/events', { refuse })
    expect([answer.status, answer.streamed]).toEqual([404, false])
  })
})

it('why a generation ended without a result is told, whether something failed or not', async () => {
  const errorOf = async (parts: Parameters<typeof task>[0]) => {
    const { answer } = await ask(`GET /generations/${WIRE_TASK_ID}`, { tasks: [task(parts)] })
    return JSON.parse(answer.body.toString()).error
  }
  const failure = { code: 'content_rejected', message: 'Refused.', beforeStart: false } as const
  expect(await errorOf({ state: 'failed', failure })).toEqual({
    code: 'content_rejected',
    message: 'Refused.',
  })
  expect(await errorOf({ state: 'expired' })).toMatchObject({ code: 'deadline_exceeded' })
  expect(await errorOf({ state: 'cancelled' })).toMatchObject({ code: 'cancelled' })
  expect(await errorOf({})).toBeNull()
})

it('a callback is told of each stage and of the end', () => {
  const credits = { nanoUsdPerCredit: 10_000_000n }
  expect(native.renderCallback?.(running, 'first', credits)).toMatchObject({ type: 'generation.first' })
  expect(native.renderCallback?.(task(), undefined, credits)).toMatchObject({
    object: 'event',
    type: 'generation.succeeded',
    data: { id: WIRE_TASK_ID },
  })
})
