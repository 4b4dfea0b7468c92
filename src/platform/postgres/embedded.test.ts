import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts'
import { type OwnerProgram, query, runOwner, temporaryFolder } from './embedded-owner.fixture.ts'

/** Generous, because it guards against hanging: alone on a machine a restart takes 0.1 s. */
const SOON_MS = 8_000

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let dataDir: string
const running: { stop(): Promise<unknown> }[] = []

let made: Awaited<ReturnType<typeof temporaryFolder>>

beforeAll(async () => {
  vi.setConfig({ testTimeout: 30_000 })
  made = await temporaryFolder()
  await (await startEmbeddedPostgres({ dataDir: made.path, durable: false })).stop()
})

afterAll(() => made.remove())

beforeEach(async () => {
  folder = await temporaryFolder()
  dataDir = join(folder.path, 'data')
})

/** For tests that are not about the making: a copy takes a tenth of the time. */
async function useReadyMade(): Promise<void> {
  await cp(join(made.path, 'postgres'), join(dataDir, 'postgres'), { recursive: true })
}

afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.stop()
  await folder.remove()
})

async function start(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedPostgres> {
  const database = await startEmbeddedPostgres({ dataDir, durable: false, ...options })
  running.push(database)
  return database
}

function launch(
  mode: 'start' | 'attach',
  options: object = {},
  prefix: readonly string[] = [],
): OwnerProgram {
  const program = runOwner(mode, { dataDir, durable: false, ...options }, prefix)
  running.push(program)
  return program
}

async function upAt(program: OwnerProgram): Promise<string> {
  const report = await program.report
  expect(report).toMatchObject({ up: true })
  return report?.connectionString ?? ''
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(5)
}

const isSilent = (url: string) =>
  query(url, 'SELECT 1')
    .then(() => false)
    .catch(() => true)

describe('a database of our own', () => {
  test('the second boot finds what the first one wrote, after a clean shutdown', async () => {
    const first = await start({ durable: true })
    await query(first.connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await first.stop()
    const second = await start({ durable: true })
    expect(await query(second.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).not.toContain('not properly shut down')
  })

  test('commits reach the disk unless a test asks otherwise', async () => {
    await useReadyMade()
    const database = await start({ durable: true })
    const settings = await query(
      database.connectionString,
      "SELECT string_agg(setting, ' ' ORDER BY name) AS on_disk FROM pg_settings " +
        "WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')",
    )
    expect(settings).toEqual([{ on_disk: 'on on on' }])
  })

  test('nobody else on the machine can reach it', async () => {
    const database = await start()
    const listening = await query(database.connectionString, 'SHOW listen_addresses')
    expect(listening).toEqual([{ listen_addresses: '' }])
    for (const path of [database.connection.host, dataDir, join(dataDir, 'postgres')]) {
      expect((await stat(path)).mode & 0o077).toBe(0)
    }
    expect((await stat(join(dataDir, 'postgres.log'))).mode & 0o077).toBe(0)
  })

  test('neither a missing locale nor our secrets reach the server', async () => {
    const env = ['env', 'LANG=xx_YY.nonexistent', 'LC_ALL=xx_YY', 'PGHOST=x', 'OPENAI_API_KEY=sk-x']
    const url = await upAt(launch('start', {}, env))
    expect(await query(url, "SELECT datcollate FROM pg_database WHERE datname = 'tollgate'")).toEqual([
      { datcollate: 'C' },
    ])
    const pid = (await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0]
    const environment = `/proc/${pid}/environ`
    if (existsSync(environment)) expect(await readFile(environment, 'utf8')).not.toContain('OPENAI')
  })

  test('a folder too deep for a socket works, and leaves nothing in the folder for temporary files', async () => {
    dataDir = join(folder.path, 'deep'.repeat(20), 'it\'s, "odd" $HOME')
    const database = await start()
    const socketDir = database.connection.host
    expect(await query(database.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(socketDir.startsWith(dataDir)).toBe(false)
    await database.stop()
    expect(existsSync(socketDir)).toBe(false)
  })

  test('a folder with something else in it is refused and left as it is', async () => {
    await mkdir(join(dataDir, 'postgres'), { recursive: true })
    await writeFile(join(dataDir, 'postgres/notes.txt'), 'mine')
    await expect(start()).rejects.toThrow('holds files but no database')
    expect(await readdir(join(dataDir, 'postgres'))).toEqual(['notes.txt'])
  })

  test("another release's database is refused before it is touched", async () => {
    await mkdir(join(dataDir, 'postgres'), { recursive: true })
    await writeFile(join(dataDir, 'postgres/PG_VERSION'), '15\n')
    await expect(start()).rejects.toThrow('was made by PostgreSQL 15')
  })

  test('a server that falls over is reported, and DATA_DIR is free again', async () => {
    await useReadyMade()
    const database = await start()
    const pid = Number((await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0])
    process.kill(pid, 'SIGKILL')
    expect(await database.exited).toMatchObject({ signal: 'SIGKILL' })
    const again = await start()
    expect(await query(again.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })
})

describe('one owner', () => {
  test('a second server is refused with a sentence, and soon', async () => {
    await useReadyMade()
    const first = launch('start')
    const url = await upAt(first)
    const refused = await launch('start').report
    expect(refused).toMatchObject({ up: false, name: 'DataDirInUse' })
    expect(refused?.message).toMatch(
      /^another Tollgate process \(pid \d+\) is using DATA_DIR .*stop it or choose/,
    )
    // Alone on a machine 0.1 s; without an answer from the owner it would be 10 s.
    expect(refused?.ms).toBeLessThan(5_000)
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('of two that start at once on an empty folder exactly one serves', async () => {
    const reports = await Promise.all([launch('start').report, launch('start').report])
    expect(reports.map(report => report?.up).sort()).toEqual([false, true])
  })

  test('a command line uses the database of a running server and leaves it running', async () => {
    await useReadyMade()
    const url = await upAt(launch('start'))
    await query(url, 'CREATE TABLE seen AS SELECT 7 AS number')
    const command = launch('attach')
    const report = await command.report
    expect(report).toMatchObject({ up: true, attached: true })
    expect(await query(report?.connectionString ?? '', 'SELECT number FROM seen')).toEqual([{ number: 7 }])
    expect(await command.stop()).toBe(0)
    expect(await query(url, 'SELECT number FROM seen')).toEqual([{ number: 7 }])
  })

  test('a command line without a server starts the database, and a server waits until it is done', async () => {
    await useReadyMade()
    const command = launch('attach')
    const report = await command.report
    expect(report).toMatchObject({ up: true, attached: false })
    const server = launch('start')
    await query(report?.connectionString ?? '', 'SELECT pg_sleep(0.5)')
    expect(await command.stop()).toBe(0)
    expect(await query(await upAt(server), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })
})

describe('killed at any moment', () => {
  test('a killed owner takes the database down with it', async () => {
    await useReadyMade()
    const owner = launch('start')
    const url = await upAt(owner)
    await owner.kill()
    await until(() => isSilent(url))
  })

  test('an owner killed while the database is made leaves nothing that stops the next one', async () => {
    for (const moment of [
      'postgres.unfinished',
      'postgres.unfinished/PG_VERSION',
      'postgres.unfinished/base/5',
    ]) {
      const owner = launch('start')
      await until(() => existsSync(join(dataDir, moment)))
      await owner.kill()
    }
    const next = launch('start')
    expect(await query(await upAt(next), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect((await readdir(dataDir)).sort()).toEqual([
      'lock',
      'postgres',
      'postgres-owner.json',
      'postgres.log',
      'run',
    ])
  })

  test('an owner killed at random moments, alone or with its server, is followed by one that serves at once', async () => {
    await useReadyMade()
    const first = launch('start', { durable: true })
    await query(await upAt(first), 'CREATE TABLE round (number integer)')
    await first.kill()
    for (let round = 1; round <= 6; round++) {
      const killed = launch('start', { durable: true })
      await delay(Math.random() * 400)
      const pid = await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8').catch(() => '')
      await killed.kill()
      if (round % 2 === 0 && pid !== '') killIfThere(Number(pid.split('\n')[0]))
      const next = launch('start', { durable: true })
      const url = await upAt(next)
      expect((await next.report)?.ms).toBeLessThan(SOON_MS)
      await query(url, `INSERT INTO round VALUES (${round})`)
      expect(await query(url, 'SELECT count(*)::int AS rounds FROM round')).toEqual([{ rounds: round }])
      await next.kill()
    }
  }, 60_000)
})

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It had already followed its owner.
  }
}
