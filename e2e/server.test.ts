/** What other end-to-end tests build on: servers that start, crash, come back, share a database and leave nothing behind. */
import { existsSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import {
  databaseUrlOf,
  type ServerOptions,
  startServer,
  startSharedDatabase,
  type TollgateServer,
} from './server.ts'

const started: TollgateServer[] = []

async function start(options?: ServerOptions): Promise<TollgateServer> {
  const server = await startServer(options)
  started.push(server)
  return server
}

afterEach(async () => {
  for (const server of started.splice(0).reverse()) await server.stop()
})

async function statusOf(server: TollgateServer, key: string): Promise<number> {
  const answer = await fetch(`${server.url}/v1/me`, { headers: { authorization: `Bearer ${key}` } })
  await answer.arrayBuffer()
  return answer.status
}

test('a stopped server ends well and takes its data folder with it', async () => {
  const server = await start()
  expect(await statusOf(server, server.testKey)).toBe(200)
  expect(existsSync(server.dataDir)).toBe(true)
  expect(await server.stop()).toEqual({ code: 0, signal: null })
  expect(existsSync(server.dataDir)).toBe(false)
  await expect(statusOf(server, server.testKey)).rejects.toThrow()
})

test('after a crash another server takes over the same data, and shows no second key', async () => {
  const first = await start()
  expect(await first.kill()).toEqual({ code: null, signal: 'SIGKILL' })
  const second = await start({ dataDir: first.dataDir })
  expect(second.testKey).toBe('')
  expect(await statusOf(second, first.testKey)).toBe(200)
})

test('two servers on one database know each other’s keys, and a revoked one is refused by both', async () => {
  const database = await startSharedDatabase()
  try {
    const [one, two] = await Promise.all([
      start({ databaseUrl: database.url }),
      start({ databaseUrl: database.url }),
    ])
    expect([one.testKey, two.testKey].filter(key => key !== '')).toHaveLength(1)
    const words = ['key', 'create', '--mode', 'test', '--name', 'both']
    const { id, secret } = await one.cliJson<{ id: string; secret: string }>(...words)
    expect(await Promise.all([statusOf(one, secret), statusOf(two, secret)])).toEqual([200, 200])
    await two.cliJson('key', 'revoke', id)
    const both = async () => await Promise.all([statusOf(one, secret), statusOf(two, secret)])
    await expect.poll(both, { timeout: 1_000, interval: 50 }).toEqual([401, 401])
    await Promise.all([one.stop(), two.stop()])
  } finally {
    await database.stop()
  }
})

test('a second server can use the built-in database of the first', async () => {
  const one = await start()
  const two = await start({ databaseUrl: await databaseUrlOf(one) })
  expect(await statusOf(two, one.testKey)).toBe(200)
  expect((await two.stop()).code).toBe(0)
})

test('a server that cannot start says why', async () => {
  await expect(startServer({ env: { PORT: 'many' } })).rejects.toThrow(/PORT/)
})

test('a command that fails is told by its code and its sentence', async () => {
  const server = await start()
  const unknown = await server.cli('key', 'revoke', 'key_nothing')
  expect(unknown).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('there is no key') })
  await expect(server.cliJson('nonsense')).rejects.toThrow(/no command/)
})
