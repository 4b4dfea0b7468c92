/** One PostgreSQL server for the whole test run, with a template database that is migrated once. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '#platform/postgres/embedded.ts'
import { migrate } from '#platform/postgres/migrate.ts'
import { type TestServer, withDatabase } from './postgres.ts'

const FOLDER = 'tollgate-test'

/** Called by vitest once, before any test; returns what it calls after the last one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = project.getProvidedContext().testDatabaseUrl
  const server = given === '' ? await startOwnServer() : givenServer(given)
  const templateName = `tollgate_template_${randomBytes(4).toString('hex')}`
  const failure = await makeTemplate(server.url, templateName)
  const { url: maintenanceUrl, cloneStrategy } = server
  project.provide('testPostgres', { maintenanceUrl, cloneStrategy, templateName, failure })
  return async () => {
    if (given !== '') await run(given, `DROP DATABASE IF EXISTS ${templateName} WITH (FORCE)`)
    await server.stop()
  }
}

interface RunningServer {
  readonly url: string
  readonly cloneStrategy: TestServer['cloneStrategy']
  stop(): Promise<void>
}

function givenServer(url: string): RunningServer {
  return { url, cloneStrategy: 'wal_log', stop: async () => {} }
}

async function startOwnServer(): Promise<RunningServer> {
  const parent = await roomiestFolder()
  await removeLeftovers(parent)
  const dataDir = await mkdtemp(join(parent, `${FOLDER}-${process.pid}-`))
  const server = await startEmbeddedPostgres({ dataDir, durable: false })
  return {
    url: server.connectionString,
    // Needs a checkpoint, which costs nothing where nothing is flushed, and writes no log.
    cloneStrategy: 'file_copy',
    async stop() {
      await server.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

const IN_MEMORY = '/dev/shm'
const ROOM_BYTES = 4 * 1024 ** 3

/** A clone takes 8 ms in memory and 100 ms on a disk. */
async function roomiestFolder(): Promise<string> {
  const found = await statfs(IN_MEMORY).catch(() => undefined)
  const hasRoom = found !== undefined && found.bavail * found.bsize >= ROOM_BYTES
  return hasRoom ? IN_MEMORY : tmpdir()
}

/** A broken migration fails the tests that need a database, and no other. */
async function makeTemplate(url: string, name: string): Promise<string> {
  await run(url, `CREATE DATABASE ${name}`)
  const migrations = join(import.meta.dirname, '../../db/migrations')
  try {
    await migrate({ connectionString: withDatabase(url, name) }, migrations)
    return ''
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  }
}

async function run(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Folders of test runs that were killed. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = new RegExp(`^${FOLDER}-(\\d+)-`).exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => {})
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM'
  }
}
