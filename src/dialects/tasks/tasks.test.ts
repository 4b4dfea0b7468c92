import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { artifact, mediaModel, task, UNFINISHED, WIRE_TASK_ID } from '#dialect-kit/task.fixture.ts'
import { transcript } from '#dialect-kit/transcript.fixture.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Submission } from '#spec/gateway.ts'
import { TASK_STATES } from '#spec/task.ts'
import tasks from './index.ts'

const authorization = `Bearer ${GOOD_KEY}`
const queued = task({
  ...UNFINISHED,
  state: 'queued',
  requestedModel: 'gpt-image-2',
  heldNanoUsd: 150_000_000n,
})
const garden = {
  model_id: 'gpt-image-2',
  prompt: 'a serene zen garden at sunrise, ultra detailed',
  image_urls: [],
  aspect_ratio: '16:9',
}

async function create(body: unknown, script: GatewayScript = { submitted: [queued] }) {
  const gateway = new ScriptedGateway(script)
  const request = {
    method: 'POST',
    url: '/tasks/create',
    headers: { authorization },
    body: JSON.stringify(body),
  }
  const answer = await serveInMemory(tasks, gateway, request)
  const submission = gateway.asked[0]?.argument as Submission | undefined
  return { status: answer.status, body: JSON.parse(answer.body.toString()), submission, gateway }
}

async function query(id: string, script: GatewayScript) {
  const gateway = new ScriptedGateway(script)
  const answer = await serveInMemory(tasks, gateway, {
    method: 'GET',
    url: `/tasks/${id}`,
    headers: { authorization },
  })
  return { answer, body: JSON.parse(answer.body.toString()) }
}

const EXCHANGES = [
  { name: 'create', request: 'POST /tasks/create', body: garden, script: { submitted: [queued] } },
  {
    name: 'create-unknown-model',
    request: 'POST /tasks/create',
    body: { ...garden, model_id: 'sora-2' },
    script: {},
  },
  {
    name: 'create-no-credits',
    request: 'POST /tasks/create',
    body: garden,
    script: { refuse: new GatewayError('insufficient_credits', 'Not enough credits: 15 needed, 3 left.') },
  },
  { name: 'no-key', request: 'POST /tasks/create', body: garden, script: {}, headers: {} },
  {
    name: 'query',
    request: `GET /tasks/${WIRE_TASK_ID}`,
    script: { tasks: [task({ requestedModel: 'gpt-image-2', chargedNanoUsd: 150_000_000n })] },
  },
  {
    name: 'query-queued',
    request: `GET /tasks/${WIRE_TASK_ID}`,
    script: { tasks: [queued] },
  },
  {
    name: 'query-failed',
    request: `GET /tasks/${WIRE_TASK_ID}`,
    script: {
      tasks: [
        task({
          state: 'failed',
          artifacts: [],
          chargedNanoUsd: 0n,
          failure: { code: 'upstream_error', message: 'The provider failed.', beforeStart: false },
        }),
      ],
    },
  },
  { name: 'query-unknown', request: 'GET /tasks/abcdef123456', script: {} },
] as const

describe('a client sees exactly', () => {
  it.each(EXCHANGES)('fixtures/$name.http', async ({ name, ...exchange }) => {
    await expect(await transcript(tasks, exchange)).toMatchFileSnapshot(`fixtures/${name}.http`)
  })
})

describe('create', () => {
  it('asks for an image as it was sent', async () => {
    const { submission } = await create({ ...garden, image_urls: ['https://example.com/a.png'] })
    expect(submission).toMatchObject({
      family: 'tasks.image',
      callbackUrl: undefined,
      request: {
        operation: 'image',
        model: 'gpt-image-2',
        prompt: garden.prompt,
        aspectRatio: '16:9',
        inputs: [{ role: 'image', url: 'https://example.com/a.png', param: 'image_urls[0]' }],
      },
    })
  })

  it('a video is five seconds at 720p, whatever else is sent', async () => {
    const { submission } = await create({
      model_id: 'seedance-2',
      prompt: 'waves',
      duration: 15,
      resolution: '4k',
    })
    expect(submission?.request).toMatchObject({
      operation: 'video',
      durationSeconds: 5,
      resolution: '720p',
      inputs: [],
    })
  })

  it('one picture is where a video begins, several are what it follows', async () => {
    const [a, b] = ['https://example.com/a.png', 'https://example.com/b.png']
    const rolesOf = async (urls: readonly unknown[]) =>
      (
        await create({ model_id: 'seedance-2', prompt: 'waves', image_urls: urls })
      ).submission?.request.inputs.map(({ role }) => role)
    expect(await rolesOf([a])).toEqual(['image'])
    expect(await rolesOf([a, b])).toEqual(['reference_image', 'reference_image'])
  })

  it.each([
    ['nothing', {}, 'model_id'],
    ['another model of the catalogue', { ...garden, model_id: 'flux-dev' }, 'model_id'],
    ['an alias of one of the three', { ...garden, model_id: 'openai/gpt-image-2' }, 'model_id'],
    ['no prompt', { ...garden, prompt: undefined }, 'prompt'],
    ['an empty prompt', { ...garden, prompt: '' }, 'prompt'],
    ['a prompt that is no text', { ...garden, prompt: ['a'] }, 'prompt'],
    ['one address', { ...garden, image_urls: 'https://example.com/a.png' }, 'image_urls'],
    ['an address that is none', { ...garden, image_urls: ['a.png'] }, 'image_urls[0]'],
    ['a file of the server', { ...garden, image_urls: ['file:///etc/passwd'] }, 'image_urls[0]'],
    ['a ratio that is a number', { ...garden, aspect_ratio: 1.5 }, 'aspect_ratio'],
  ])(
    'with %s it is a business failure that names the field, and nothing is asked',
    async (_, body, field) => {
      const { status, body: answer, gateway } = await create(body, { models: [mediaModel('flux-dev')] })
      expect(status).toBe(200)
      expect(answer).toEqual({ code: 0, msg: expect.stringContaining(field), data: null })
      expect(gateway.asked).toEqual([])
    },
  )
})

describe('query', () => {
  it('each state is its number, and what was given back is not shown as taken', async () => {
    const shown = await Promise.all(
      TASK_STATES.map(async state => {
        const found = task({ state, chargedNanoUsd: state === 'succeeded' ? 20_000_000n : 0n })
        const { task_status, credits } = (await query(WIRE_TASK_ID, { tasks: [found] })).body.data
        return [state, task_status, credits]
      }),
    )
    expect(shown).toEqual([
      ['queued', 1, 3],
      ['running', 2, 3],
      ['succeeded', 3, 2],
      ['failed', 4, 0],
      ['cancelled', 4, 0],
      ['expired', 4, 0],
    ])
  })

  it('results that one field cannot hold are all in urls', async () => {
    const found = task({ artifacts: [artifact({ index: 1 }), artifact(), artifact({ role: 'cover' })] })
    const { data } = (await query(WIRE_TASK_ID, { tasks: [found] })).body
    expect(data.image_url).toBe('https://tollgate.test/files/f0/image.webp')
    expect(data.urls).toEqual([
      'https://tollgate.test/files/f0/image.webp',
      'https://tollgate.test/files/f1/image.webp',
    ])
  })

  it('a shape, for which there is no field, is in urls', async () => {
    const found = task({ artifacts: [artifact({ kind: 'mesh', url: 'https://tollgate.test/files/m.glb' })] })
    const { data } = (await query(WIRE_TASK_ID, { tasks: [found] })).body
    expect([data.image_url, data.video_url, data.audio_url]).toEqual([null, null, null])
    expect(data.urls).toEqual(['https://tollgate.test/files/m.glb'])
  })

  it('"create" is no id', async () => {
    const { answer, body } = await query('create', { tasks: [task()] })
    expect([answer.status, answer.headers.Allow, body.code]).toEqual([405, 'POST', 0])
  })
})

it('the callback is the answer of a query, and stages are not told of', () => {
  const credits = { nanoUsdPerCredit: 10_000_000n }
  const callback = tasks.renderCallback?.(task(), undefined, credits)
  expect(JSON.parse(JSON.stringify(callback))).toMatchObject({
    code: 200,
    msg: 'ok',
    data: { task_id: WIRE_TASK_ID, task_status: 3, credits: 3 },
  })
  expect(tasks.renderCallback?.(task(), 'first', credits)).toBeUndefined()
})
