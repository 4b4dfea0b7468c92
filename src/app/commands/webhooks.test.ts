import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAccounts } from '#modules/accounts/index.ts'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import type { Database } from '#platform/postgres/database.ts'
import { createPool } from '#platform/postgres/pool.ts'
import { GatewayError } from '#spec/errors.ts'
import { renderId, renderTaskId, type Uuid } from '#spec/ids.ts'
import { createTestMedia, openTestObjects } from '#testing/media.ts'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import type { Wired } from '../wire.ts'
import { helpOf, readWords, UsageError } from './command.ts'
import { tasks } from './tasks.ts'
import { webhooks } from './webhooks.ts'

const clock = createClock()
const ids = createIds(clock)
const COMMANDS = [...tasks, ...webhooks]
let created: TestDatabase
let database: Database
let wired: Wired
let workspaceId: Uuid
let objects: Awaited<ReturnType<typeof openTestObjects>>

beforeAll(async () => {
  created = await createTestDatabase()
  database = createPool({ address: created.config, max: 4, applicationName: 'commands-test' })
  const accounts = createAccounts(database, ids)
  objects = await openTestObjects()
  const media = createTestMedia({ database, clock, ids, objects: objects.store })
  const config = { credits: { nanoUsdPerCredit: 10_000_000n } }
  wired = { accounts, config, parts: { media } } as unknown as Wired
  workspaceId = (await accounts.createWorkspace({ name: 'acme', tier: 'starter' })).id
})
afterAll(async () => {
  await database.end()
  await created.drop()
  await objects.remove()
})

/** Runs a command as it is typed. */
async function run(line: string) {
  const argv = line.split(' ')
  const command = COMMANDS.find(one => line === one.name || line.startsWith(`${one.name} `))
  if (!command) throw new Error(`there is no command "${line}"`)
  const outcome = await command.run(readWords(command, argv.slice(command.name.split(' ').length)), wired)
  return { text: outcome.text, json: JSON.parse(JSON.stringify(outcome.json)) }
}

async function insertTask(state: 'queued' | 'failed'): Promise<Uuid> {
  const id = ids.next()
  const work = { attempts: [{ reference: id, callbackToken: 'secret-token', offering: 0, count: 1, state }] }
  await database.query(
    `insert_task_${state}`,
    `insert into task (workspace_id, mode, id, key_id, state, operation, dialect, family, requested_model, model, request,
       wire, terms, held_nano_usd, work, deadline_at, ended_at)
     values ($1, 'test', $2, $2, '${state}', 'image', 'openai', 'image', 'flux', 'flux-1', $3, '{}', '{}', 25000000, $4, now(),
       ${state === 'failed' ? 'now()' : 'null'})`,
    [workspaceId, id, { prompt: 'the-secret-prompt' }, work],
  )
  return id
}

test('every command has a help with an example of itself', () => {
  for (const command of COMMANDS) {
    expect(command.example).toContain(`npx tollgate ${command.name}`)
    expect(helpOf(command)).toContain(command.summary)
    const words = command.example.split(' ').slice(2 + command.name.split(' ').length)
    expect(() => readWords(command, words)).not.toThrow()
  }
})

test('an endpoint is added, listed without its secret, switched, rotated and removed', async () => {
  const added = await run('webhooks add --url https://example.com/hooks --mode test')
  expect(added.text).toContain(added.json.secret)
  expect(added.json.secret).toMatch(/^whsec_/)
  const listed = await run('webhooks list --mode test')
  expect(listed.json).toMatchObject([{ id: added.json.id, url: 'https://example.com/hooks', enabled: true }])
  expect(listed.text).not.toContain('whsec_')
  expect((await run('webhooks list')).json).toEqual([])
  expect((await run(`webhooks switch ${added.json.id} off --mode test`)).json.enabled).toBe(false)
  expect((await run(`webhooks switch ${added.json.id} on --mode test`)).json.enabled).toBe(true)
  const rotated = await run(`webhooks rotate ${added.json.id} --mode test`)
  expect(rotated.json.secret).not.toBe(added.json.secret)
  await run(`webhooks remove ${added.json.id} --mode test`)
  expect((await run('webhooks list --mode test')).json).toEqual([])
})

test('the secret of callback URLs is shown, rotated with an overlap or without, and is another in each mode', async () => {
  const before = await run('webhooks secret')
  expect(before.json).toEqual({
    secret: expect.stringMatching(/^whsec_/),
    old_secrets_sign_until: null,
  })
  expect(before.text).toBe(before.json.secret)
  const rotated = await run('webhooks secret rotate --overlap-hours 48')
  expect(rotated.json.secret).not.toBe(before.json.secret)
  const hoursLeft = (Date.parse(rotated.json.old_secrets_sign_until) - Date.now()) / 3_600_000
  expect(hoursLeft).toBeGreaterThan(47)
  expect(hoursLeft).toBeLessThanOrEqual(48)
  expect(rotated.text).toContain(rotated.json.old_secrets_sign_until)
  expect((await run('webhooks secret')).json).toEqual(rotated.json)
  const cut = await run('webhooks secret rotate --overlap-hours 0')
  expect(cut.json.old_secrets_sign_until).toBeNull()
  for (const wrong of ['-1', '169', 'x', '1e2', '']) {
    const argv = `webhooks secret rotate --overlap-hours=${wrong}`
    await expect(run(argv), argv).rejects.toThrow(UsageError)
  }
  expect((await run('webhooks secret')).json).toEqual(cut.json)
  expect((await run('webhooks secret --mode test')).json.secret).not.toBe(before.json.secret)
})

test('deliveries are listed by task, shown with their task, and replayed', async () => {
  const taskId = await insertTask('failed')
  const id = ids.next()
  await database.query(
    'insert_delivery',
    `insert into delivery (workspace_id, mode, id, task_id, url, lane, event, dialect, body, state, tries, ended_at)
     values ($1, 'test', $2, $3, 'https://example.com', 'lane', 'task.failed', 'openai', '{}', 'exhausted', 12, now())`,
    [workspaceId, id, taskId],
  )
  const dlv = renderId('delivery', id)
  const listed = await run(`webhooks deliveries --task ${renderTaskId(taskId)} --mode test`)
  expect(listed.json).toMatchObject([{ id: dlv, state: 'exhausted', tries: 12 }])
  expect(listed.text).toContain(dlv)
  const shown = await run(`tasks show ${renderTaskId(taskId)}`)
  expect(shown.json).toMatchObject({
    state: 'failed',
    attempts: [{ state: 'failed' }],
    deliveries: [{ id: dlv }],
  })
  expect((await run(`webhooks replay ${dlv} --mode test`)).json).toMatchObject({
    state: 'pending',
    tries: 12,
  })
})

test('tasks are listed by state, with amounts in credits and without prompts or tokens of callbacks', async () => {
  const id = await insertTask('queued')
  const listed = await run('tasks list --mode test --state queued')
  expect(listed.json).toMatchObject([{ id: renderTaskId(id), state: 'queued', held: '2.5', charged: '0' }])
  const shown = await run(`tasks show ${renderTaskId(id)}`)
  for (const text of [listed.text, JSON.stringify(listed.json), shown.text]) {
    expect(text).not.toContain('the-secret-prompt')
    expect(text).not.toContain('secret-token')
  }
  expect((await run('tasks list')).json).toEqual([])
})

test('what is not understood is said in a sentence', async () => {
  const unknownEndpoint = renderId('endpoint', ids.next())
  for (const line of [
    'webhooks add',
    'webhooks remove nothing',
    `webhooks switch ${unknownEndpoint} sideways`,
    'webhooks deliveries --task nothing',
    'webhooks deliveries --limit 0',
    'webhooks replay nothing',
    'tasks list --state sleeping',
    'tasks list --mode both',
    `tasks show ${renderTaskId(ids.next())}`,
  ]) {
    await expect(run(line), line).rejects.toThrow(UsageError)
  }
  await expect(run(`webhooks remove ${unknownEndpoint}`)).rejects.toThrow(GatewayError)
})
