/**
 * The run contract, from a checkout of its own: how it starts, for whom and from where; what it says when it cannot;
 * what the signals do; and that no kill during a boot keeps the next one from working. `E2E_SCALE=5` makes five times the kills.
 */
import { once } from 'node:events'
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type Checkout,
  createCheckout,
  isRoot,
  processesOn,
  run,
  type Started,
  start,
} from './checkout.fixture.ts'
import { createClient, createDice } from './client.fixture.ts'

const SCALE = Number(process.env.E2E_SCALE ?? 1)
const SEED = Number(process.env.E2E_SEED ?? Date.now() % 1_000_000)
const BOOT_MS = 15_000
const READY = /^Tollgate is ready at (http:\/\/\S+)$/m
const TEST_KEY = /Your test key \(shown once\):\s+(\S+)/
const NOBODY = 65534

vi.setConfig({ testTimeout: 60_000 })

let checkout: Checkout
const folders: string[] = []
const running: Started[] = []

beforeAll(async () => {
  checkout = await createCheckout(tmpdir())
})
afterEach(async () => {
  for (const one of running.splice(0)) {
    one.signalGroup('SIGKILL')
    await one.exited
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})
afterAll(() => checkout?.remove())

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-contract-'))
  folders.push(folder)
  return folder
}

interface Served extends Started {
  readonly url: string
  readonly testKey: string | undefined
}

/** `npm start`, until it is ready; a boot has 15 seconds. */
async function serve(
  at: Checkout,
  env: Readonly<Record<string, string>> = {},
  as: 'us' | 'nobody' = 'us',
): Promise<Served> {
  const server = start(['npm', 'start'], { cwd: at.path, env, as })
  running.push(server)
  const [, url = ''] = await server.said(READY, BOOT_MS)
  return { ...server, url, testKey: TEST_KEY.exec(server.output())?.[1] }
}

const chat = (stream: boolean) => ({
  body: { model: 'gpt-4o', stream, messages: [{ role: 'user', content: 'Tell me a long story.' }] },
})

async function expectServes(server: Served, key = server.testKey ?? ''): Promise<void> {
  const client = createClient(server.url, key)
  expect((await client.call(chat(false))).whole, 'a chat').toBe(true)
  expect((await client.get('/health')).status).toBe(200)
  client.close()
}

/** Stopped by itself after a last checkpoint, and nothing of it runs any more. */
async function expectCleanlyStopped(dataDir: string): Promise<void> {
  const log = await readFile(join(dataDir, 'postgres.log'), 'utf8')
  expect(log.trimEnd().split('\n').at(-1)).toContain('database system is shut down')
  expect(await processesOn(dataDir)).toEqual([])
}

async function stop(server: Served, dataDir: string): Promise<void> {
  server.signal('SIGTERM')
  await server.exited
  await expectCleanlyStopped(dataDir)
}

describe('npm start', () => {
  test('in a fresh checkout serves with a test key that was printed, and keeps its data there', async () => {
    const fresh = await createCheckout(tmpdir())
    folders.push(fresh.path)
    const server = await serve(fresh, { LANG: 'xx', LC_ALL: 'xx_XX.nonsense' })
    await expectServes(server)
    await stop(server, fresh.dataDir)
    const again = await serve(fresh)
    expect(again.testKey, 'a key at the second boot').toBeUndefined()
    await expectServes(again, server.testKey)
    await stop(again, fresh.dataDir)
  })

  test('from another folder keeps its data in the checkout all the same', async () => {
    const server = start([process.execPath, join(checkout.path, 'src/main.ts'), 'serve'], {
      cwd: await makeFolder(),
    })
    running.push(server)
    await server.said(READY, BOOT_MS)
    server.signal('SIGTERM')
    expect((await server.exited).code).toBe(0)
    await expectCleanlyStopped(checkout.dataDir)
  })

  test('makes the live key and the credits that it was told to, once', async () => {
    const dataDir = await makeFolder()
    const key = 'sk-my-own-key-of-24-letters-or-more'
    const env = { DATA_DIR: dataDir, TOLLGATE_API_KEY: key, TOLLGATE_CREDITS: '12.5' }
    for (let boot = 0; boot < 2; boot++) {
      const server = await serve(checkout, env)
      const client = createClient(server.url, key)
      const me = JSON.parse((await client.get('/v1/me')).text)
      expect(me).toMatchObject({ mode: 'live', balance: 12.5, available: 12.5 })
      client.close()
      await stop(server, dataDir)
    }
  })

  test.runIf(isRoot)("of root works in root's home, where nobody else can look", async () => {
    const inHome = await createCheckout(homedir())
    folders.push(inHome.path)
    const server = await serve(inHome)
    await expectServes(server)
    await stop(server, inHome.dataDir)
  })

  test.runIf(isRoot)('of an ordinary user works in a checkout of its own', async () => {
    const own = await createCheckout(tmpdir(), 'nobody')
    const home = await makeFolder()
    folders.push(own.path)
    await chown(home, NOBODY, NOBODY)
    const server = await serve(own, { HOME: home }, 'nobody')
    await expectServes(server)
    await stop(server, own.dataDir)
  })
})

describe('what cannot be is said in a sentence', () => {
  test('a second server on the same data', async () => {
    const dataDir = await makeFolder()
    const server = await serve(checkout, { DATA_DIR: dataDir })
    const second = await run(['npm', 'start'], { cwd: checkout.path, env: { DATA_DIR: dataDir } })
    expect(second.code).toBe(1)
    expect(second.output).toMatch(/tollgate: another Tollgate process \(pid \d+\) is using DATA_DIR .*\n/)
    expect(second.output).not.toContain('    at ')
    await expectServes(server)
    await stop(server, dataDir)
  })

  test('a port that is in use', async () => {
    const dataDir = await makeFolder()
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    const address = blocker.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    const refused = await run(['npm', 'start'], {
      cwd: checkout.path,
      env: { DATA_DIR: dataDir, PORT: port },
    })
    blocker.close()
    expect(refused.code).toBe(1)
    expect(refused.output).toContain(`Port ${port} of 127.0.0.1 is in use`)
    expect(refused.output).not.toContain('    at ')
    await expectCleanlyStopped(dataDir)
  })

  test('a database that is not there', async () => {
    const env = { DATABASE_URL: 'postgresql://tollgate:not-to-be-shown@127.0.0.1:1/tollgate' }
    const refused = await run(['npm', 'start'], { cwd: checkout.path, env })
    expect(refused.code).toBe(1)
    expect(refused.output).toMatch(/^tollgate: .*database/m)
    expect(refused.output).not.toContain('    at ')
    expect(refused.output).not.toContain('not-to-be-shown')
  })

  test('a setting that makes no sense', async () => {
    const refused = await run(['npm', 'start'], { cwd: checkout.path, env: { PORT: 'http' } })
    expect(refused.code).toBe(1)
    expect(refused.output).toMatch(/^tollgate: PORT: /m)
  })
})

test('the command line works with the server up and down, and says the same', async () => {
  const dataDir = await makeFolder()
  const server = await serve(checkout, { DATA_DIR: dataDir })
  const tollgate = async (...words: string[]) => {
    const options = { cwd: checkout.path, env: { DATA_DIR: dataDir, npm_config_loglevel: 'error' } }
    const { code, output } = await run(['npx', '--no-install', 'tollgate', ...words, '--json'], options)
    expect(`${words.join(' ')}: ${code}`, output).toBe(`${words.join(' ')}: 0`)
    return JSON.parse(output.slice(output.search(/[[{]/)))
  }
  const key = await tollgate('key', 'create', '--mode', 'live', '--name', 'while it runs')
  await tollgate('grant', '--credits', '100')
  const client = createClient(server.url, key.secret)
  expect(JSON.parse((await client.get('/v1/me')).text)).toMatchObject({ balance: 100 })
  client.close()
  await stop(server, dataDir)

  const [workspace] = await tollgate('workspace', 'list')
  expect(workspace.live.available).toBe('100')
  const later = await tollgate('key', 'create', '--mode', 'test', '--name', 'while it is down')
  expect((await tollgate('audit')).violations).toEqual([])
  await expectCleanlyStopped(dataDir)

  const again = await serve(checkout, { DATA_DIR: dataDir })
  await expectServes(again, later.secret)
  await stop(again, dataDir)
})

describe('an open stream is served to its end, and the database is stopped cleanly', () => {
  const ways: readonly (readonly [string, (server: Started) => void])[] = [
    ['SIGTERM to npm', server => server.signal('SIGTERM')],
    ['SIGTERM to the group', server => server.signalGroup('SIGTERM')],
    ['Ctrl-C', server => server.signalGroup('SIGINT')],
  ]
  test.each(ways)('after %s', async (_name, send) => {
    const dataDir = await makeFolder()
    const env = { DATA_DIR: dataDir, SANDBOX_TOKENS_PER_SECOND: '20' }
    const server = await serve(checkout, env)
    const client = createClient(server.url, server.testKey ?? '')
    const streaming = client.call(chat(true))
    await delay(700)
    send(server)
    const answer = await streaming
    client.close()
    expect(answer.ms, 'the stream outlived the signal').toBeGreaterThan(1_200)
    expect(`${answer.status} ${answer.whole} ${answer.error}`).toBe('200 true undefined')
    const { code, signal } = await server.exited
    expect(`${code} ${signal}`).toMatch(/^(0 null|143 null|130 null|null SIG(TERM|INT))$/)
    await vi.waitFor(() => expectCleanlyStopped(dataDir), { timeout: 5_000 })
  })
})

test(
  'killed at any moment of a boot, the making of the database included, the next start works',
  async () => {
    const dice = createDice(SEED)
    for (let folder = 0; folder < 2 * SCALE; folder++) {
      const dataDir = await makeFolder()
      for (let kill = 0; kill < 4; kill++) {
        const server = start(['npm', 'start'], { cwd: checkout.path, env: { DATA_DIR: dataDir } })
        running.push(server)
        await delay(200 + dice() * 2_000)
        server.signalGroup('SIGKILL')
        await server.exited
      }
      const server = await serve(checkout, { DATA_DIR: dataDir })
      const audit = await run([process.execPath, 'bin/tollgate.js', 'audit'], {
        cwd: checkout.path,
        env: { DATA_DIR: dataDir },
      })
      expect(audit.output, `E2E_SEED=${SEED}`).toContain('The ledger is whole')
      await stop(server, dataDir)
    }
  },
  90_000 * SCALE,
)
