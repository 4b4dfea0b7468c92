import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAccounts } from '#modules/accounts/index.ts'
import { createKeyService, createKeyStore, DEFAULT_KEY_PREFIXES } from '#modules/keys/index.ts'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import type { Database } from '#platform/postgres/database.ts'
import { createPool } from '#platform/postgres/pool.ts'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import type { Wired } from '../wire.ts'
import { type Command, helpOf, readWords, UsageError } from './command.ts'
import { keyCap, keyChange, keyCreate, keyList, keyRevoke } from './key.ts'
import { workspaceKeepFiles, workspaceList, workspacePlan } from './workspace.ts'

const COMMANDS: readonly Command[] = [
  ...[keyCreate, keyList, keyRevoke, keyCap, keyChange],
  ...[workspaceList, workspacePlan, workspaceKeepFiles],
]
let created: TestDatabase
let database: Database
let wired: Wired

beforeAll(async () => {
  created = await createTestDatabase()
  database = createPool({ address: created.config, max: 4, applicationName: 'commands-test' })
  const ids = createIds(createClock())
  const accounts = createAccounts(database, ids)
  const keys = createKeyService({ store: createKeyStore(database), ids, prefixes: DEFAULT_KEY_PREFIXES })
  const known: Readonly<Record<string, { id: string }>> = {
    'gpt-4o': { id: 'gpt-4o' },
    '4o': { id: 'gpt-4o' },
  }
  wired = {
    accounts,
    keys,
    catalog: { find: (name: string) => known[name], nearest: () => ['gpt-4o'] },
    config: { credits: { nanoUsdPerCredit: 10_000_000n } },
    ledger: { balance: async () => ({ balanceNanoUsd: 0n, heldNanoUsd: 0n }) },
  } as unknown as Wired
  await accounts.createWorkspace({ name: 'acme', tier: 'starter' })
})
afterAll(async () => {
  await database.end()
  await created.drop()
})

/** Runs a command as it is typed. */
async function run(line: string) {
  const argv = line.split(' ')
  const command = COMMANDS.find(one => one.name === argv.slice(0, 2).join(' '))
  if (!command) throw new Error(`there is no command "${line}"`)
  const outcome = await command.run(readWords(command, argv.slice(2)), wired)
  return { text: outcome.text, json: JSON.parse(JSON.stringify(outcome.json)) }
}

test('every command has a help with an example of itself', () => {
  for (const command of COMMANDS) {
    expect(command.example).toContain(`npx tollgate ${command.name}`)
    expect(helpOf(command)).toContain(command.summary)
    const words = command.example.split(' ').slice(2 + command.name.split(' ').length)
    expect(() => readWords(command, words)).not.toThrow()
  }
})

test('a key is made with its dialect, and every term of it can be changed and taken away', async () => {
  const { json: key } = await run('key create --mode live --name a --models 4o --dialect kie --daily-cap 5')
  expect(key).toMatchObject({ name: 'a', allowed_models: ['gpt-4o'], dialect: 'kie', rate_limit: null })
  const changed = await run(
    `key change ${key.id} --name b --models openai/*,4o --rate 20/10 --expires 2031-01-31 --dialect imgeo`,
  )
  expect(changed.text).not.toContain(key.secret)
  expect(changed.json).toMatchObject({
    id: key.id,
    name: 'b',
    allowed_models: ['openai/*', 'gpt-4o'],
    rate_limit: { calls: 20, seconds: 10 },
    expires_at: '2031-01-31T00:00:00.000Z',
    dialect: 'imgeo',
    daily_cap: '5',
  })
  const { json: renamed } = await run(`key change ${key.id} --name c`)
  expect(renamed).toEqual({ ...changed.json, name: 'c' })
  const { json: freed } = await run(
    `key change ${key.id} --models none --rate none --expires none --dialect none`,
  )
  expect(freed).toEqual({
    ...renamed,
    allowed_models: null,
    rate_limit: null,
    expires_at: null,
    dialect: null,
  })
  expect((await run('key list')).json).toContainEqual(freed)
})

test.each([
  'key create --mode live --name x --dialect esperanto',
  'key change KEY',
  'key change KEY --dialect esperanto',
  'key change KEY --rate fast',
  'key change KEY --expires soon',
  'key change KEY --models gpt-nothing',
  'key change key_nobody --name x',
])('%s is not understood', async line => {
  const { json: key } = await run('key create --mode test --name x')
  await expect(run(line.replace('KEY', key.id))).rejects.toBeInstanceOf(UsageError)
  expect((await run('key list')).json).toContainEqual({ ...key, secret: undefined })
})

test('a workspace shows its plan and how long its files are kept', async () => {
  const shown = async () => (await run('workspace list')).json[0]
  expect(await shown()).toMatchObject({ plan: 'free', keep_files_days: null })
  await run('workspace plan enterprise --workspace acme')
  expect((await run('workspace keep-files 30')).text).toBe('"acme" keeps its files for 30 days.')
  expect(await shown()).toMatchObject({ plan: 'enterprise', keep_files_days: 30 })
  expect((await run('workspace list')).text).toMatch(/enterprise .*30 days/)
  expect((await run('workspace keep-files forever --workspace acme')).json.keep_files_days).toBeNull()
  expect((await run('workspace list')).text).toContain('forever')
  for (const wrong of ['0', '-1', '1.5', 'long', '99999', '']) {
    await expect(run(`workspace keep-files ${wrong}`)).rejects.toBeInstanceOf(UsageError)
  }
  await expect(run('workspace plan gold')).rejects.toBeInstanceOf(UsageError)
})
