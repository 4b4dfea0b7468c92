/** The receivers that /docs/callbacks prints, in both languages, and what the OpenAPI document says they receive. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import process from 'node:process'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import {
  type ReceiverLanguage,
  receiverText,
  STANDARD_SIGNATURE,
} from '#dialect-kit/reference/verify-texts.ts'
import kie from '#dialects/kie/index.ts'
import { startWebhookReceiver, type WebhookReceiver } from '#testing/webhook-receiver.ts'
import { stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import { type Caller, callerOf, startQuickServer } from './media-server.ts'
import './patience.ts'

const PROGRAMS = (['javascript', 'python'] as const).flatMap(language =>
  (['standard', 'kie'] as const).map(recipe => ({ language, recipe })),
)
const GUIDES = { standard: STANDARD_SIGNATURE, kie: kie.signatureGuide ?? STANDARD_SIGNATURE }
const PATIENCE_MS = 90_000

let ports: number[]
let receiver: WebhookReceiver
let server: TollgateServer
let caller: Caller
const endings: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  ports = await Promise.all(Array.from({ length: PROGRAMS.length + 1 }, freePort))
  receiver = await startWebhookReceiver()
  const hosts = [...ports.map(port => `127.0.0.1:${port}`), receiver.host]
  server = await startQuickServer({ ALLOWED_PRIVATE_HOSTS: hosts.join(',') })
  caller = callerOf(server, server.testKey)
})
afterAll(async () => {
  for (const end of endings) await end()
  await stopSound(server)
  await receiver.close()
})

async function freePort(): Promise<number> {
  const listening = createServer().listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const address = listening.address()
  listening.close()
  await once(listening, 'close')
  if (address === null || typeof address === 'string') throw new Error('there is no port')
  return address.port
}

/** Runs a program of the page with a secret, and gives what it has printed. */
async function run(language: ReceiverLanguage, recipe: keyof typeof GUIDES, port: number, secret: string) {
  const text = receiverText(language, GUIDES[recipe])
  const [command, words] =
    language === 'python'
      ? ['python3', ['-c', text]]
      : [process.execPath, ['--input-type=module', '-e', text]]
  const program = spawn(command, words, {
    env: { PATH: process.env.PATH, PORT: String(port), WEBHOOK_SECRET: secret },
  })
  const printed: string[] = []
  for (const stream of [program.stdout, program.stderr]) stream.on('data', one => printed.push(String(one)))
  const gone = once(program, 'exit')
  endings.push(async () => {
    program.kill()
    await gone
  })
  const url = `http://127.0.0.1:${port}`
  const forged = () =>
    fetch(url, { method: 'POST', body: '{"data":{"task_id":"x"}}' }).then(({ status }) => status)
  await expect.poll(() => forged().catch(() => 0), { timeout: PATIENCE_MS, interval: 50 }).toBe(401)
  return { url, printed: () => printed.join('') }
}

const secretShape = z.object({
  object: z.literal('webhook_secret'),
  secret: z.string().startsWith('whsec_'),
  old_secrets_sign_until: z.iso.datetime().nullable(),
})

async function askFor(callBackUrl: string): Promise<string> {
  const wish = { model: 'google/nano-banana', input: { prompt: 'A banana', image_size: '1:1' }, callBackUrl }
  const made = await caller.post('/v1/jobs/createTask', wish)
  return made.as(z.looseObject({ data: z.object({ taskId: z.string() }) })).data.taskId
}

test.each(PROGRAMS)(
  'the $language receiver by the $recipe recipe takes a callback of ours',
  async ({ language, recipe }) => {
    const { secret } = (await caller.get('/v1/webhooks/secret')).as(secretShape)
    const port = ports[PROGRAMS.findIndex(one => one.language === language && one.recipe === recipe)] ?? 0
    const program = await run(language, recipe, port, secret)
    const taskId = await askFor(`${program.url}/hook`)
    await expect.poll(program.printed, { timeout: PATIENCE_MS, interval: 50 }).toContain(taskId)
    expect(program.printed()).toMatch(/msg_[0-9a-f]{32}/)
  },
)

test('a rotation changes the secret over: a receiver with the old one takes callbacks until it is cut off', async () => {
  const before = (await caller.get('/v1/webhooks/secret')).as(secretShape)
  const program = await run('javascript', 'standard', ports.at(-1) ?? 0, before.secret)
  const key = { 'idempotency-key': 'rotate-1' }
  const rotated = (await caller.post('/v1/webhooks/secret/rotate', { overlap_hours: 1 }, key)).as(secretShape)
  expect(rotated.secret).not.toBe(before.secret)
  const repeated = await caller.post('/v1/webhooks/secret/rotate', { overlap_hours: 1 }, key)
  expect(repeated.as(secretShape)).toEqual(rotated)
  expect(repeated.headers.get('idempotent-replayed')).toBe('true')
  const other = await caller.post('/v1/webhooks/secret/rotate', { overlap_hours: 2 }, key)
  expect([other.status, other.text]).toEqual([422, expect.stringContaining('idempotency_key_reused')])
  expect((await caller.get('/v1/webhooks/secret')).as(secretShape)).toEqual(rotated)

  const taskId = await askFor(`${program.url}/hook`)
  await expect.poll(program.printed, { timeout: PATIENCE_MS, interval: 50 }).toContain(taskId)
  expect((await server.cliJson<{ secret: string }>('webhooks', 'secret', '--mode', 'test')).secret).toBe(
    rotated.secret,
  )
  const words = ['webhooks', 'secret', 'rotate', '--mode', 'test', '--overlap-hours', '0']
  const cut = await server.cliJson<{ secret: string }>(...words)
  expect(cut.secret).not.toBe(rotated.secret)
  const late = await askFor(`${program.url}/hook`)
  const path = `/v1/webhooks/deliveries?task_id=${late}`
  await expect
    .poll(async () => (await caller.get(path)).text, { timeout: PATIENCE_MS, interval: 50 })
    .toContain('"last_status":401')
  expect(program.printed()).not.toContain(late)
})

test('what is made once under a key is answered alike, and is there once', async () => {
  const key = { 'idempotency-key': 'once-1' }
  const wish = { url: `${receiver.url}/once` }
  const made = await caller.post('/v1/webhooks/endpoints', wish, key)
  const again = await caller.post('/v1/webhooks/endpoints', wish, key)
  expect([made.status, again.text]).toEqual([200, made.text])
  const { id } = made.as(z.looseObject({ id: z.string(), secret: z.string() }))
  const { data } = (await caller.get('/v1/webhooks/endpoints')).as(
    z.looseObject({ data: z.array(z.looseObject({ url: z.string() })) }),
  )
  expect(data.filter(({ url }) => url === wish.url)).toHaveLength(1)

  const file = {
    base64Data: 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=',
    uploadPath: 'a',
    fileName: 'a.gif',
  }
  const [one, two] = [
    await caller.post('/api/file-base64-upload', file, key),
    await caller.post('/api/file-base64-upload', file, key),
  ]
  expect([one?.status, two?.text]).toEqual([200, one?.text])
  await fetch(`${server.url}/v1/webhooks/endpoints/${id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${server.testKey}` },
  })
})

interface Document {
  readonly webhooks: Record<
    string,
    { post: { requestBody: { content: Record<string, { schema: object }> } } }
  >
}

test('what comes is what the OpenAPI document says, whatever API the task was asked for in', async () => {
  const document = JSON.parse((await caller.get('/openapi.json')).text) as Document
  const ajv = new Ajv2020({ strict: false, schemas: [{ $id: 'reference', ...document }] })
  addFormats.default(ajv)
  await caller.post('/v1/webhooks/endpoints', { url: `${receiver.url}/all` })
  const asked: readonly (readonly [string, string, object])[] = [
    ['kie', '/v1/flux/kontext/generate', { prompt: 'A cat' }],
    ['kie', '/v1/veo/generate', { prompt: 'A cat', model: 'veo3_fast' }],
    ['kie', '/v1/generate', { prompt: 'la', customMode: false, instrumental: false, model: 'V4_5' }],
    ['kie', '/v1/lyrics', { prompt: 'la' }],
    ['kie', '/v1/jobs/createTask', { model: 'google/nano-banana', input: { prompt: 'sandbox:task-fails' } }],
    ['tasks', '/v1/tasks/create', { model_id: 'nano-banana-2', prompt: 'A garden' }],
    ['studio', '/v1/images', { prompt: 'A sunset' }],
    ['imgeo', '/v1/generate', { model: 'black-forest-labs/flux-schnell', prompt: 'A cat' }],
  ]
  const schemas = new Map<string, string>()
  for (const [dialect, path, body] of asked) {
    const answer = await caller.post(path, body)
    const id = /"(?:taskId|task_id|generation_id|id)":\s*"([0-9a-f]{32})"/.exec(answer.text)?.[1]
    if (id !== undefined) schemas.set(id, dialect)
  }
  const count = asked.length + 2
  const heard = () => receiver.requests.filter(({ path }) => path === '/all')
  await expect
    .poll(() => heard().length, { timeout: PATIENCE_MS, interval: 50 })
    .toBeGreaterThanOrEqual(count)
  for (const { body } of heard()) {
    const [, dialect = 'imgeo'] = [...schemas].find(([id]) => body.includes(id)) ?? []
    const { schema } =
      document.webhooks[`${dialect}-task`]?.post.requestBody.content['application/json'] ?? {}
    const validate = ajv.compile({ $ref: `reference${(schema as { $ref: string }).$ref}` })
    expect(validate(JSON.parse(body)), `${JSON.stringify(validate.errors)} in ${body}`).toBe(true)
  }
})
