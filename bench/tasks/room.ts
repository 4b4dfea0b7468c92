/** A Tollgate and its database, which hold so many finished tasks. It can be started anew with other settings. */
import { mkdirSync, rmSync } from 'node:fs'
import { type Server, startServer } from '../server.ts'
import { createKeys, KEYS_PER_WORKSPACE } from '../tollgate-target.ts'
import { fillTables, runPatterns } from './fill.ts'

export interface Room {
  readonly finished: number
  readonly fillMs: number
  /** CPU time that PostgreSQL took for it. */
  readonly fillCpuMs: number
  /** Secrets of test keys, workspace by workspace. */
  readonly keys: readonly string[]
  /** Of the workspace that has all the finished tasks. */
  readonly ownersKeys: readonly string[]
  readonly server: Server
  /** Ends the server, has work done on its database if there is any, and starts it anew with these settings beside the common ones. */
  restart(settings: Readonly<Record<string, string>>): Promise<Server>
  close(): Promise<void>
}

/** The default configuration but for limits that would end a load at once, and files that the test provider makes without a wait. */
const SETTINGS = {
  PORT: '0',
  CREATION_RATE_LIMIT: '999999/1',
  PLAN_HOURLY_LIMITS: 'free:900000000',
  SANDBOX_IMAGE_MS: '0',
  SANDBOX_VIDEO_MS: '0',
  SANDBOX_SPEECH_MS: '0',
}

/** No step and no callback runs in a server of these. */
export const WITHOUT_WORKERS = { TASK_CONCURRENCY: '0', CALLBACK_CONCURRENCY: '0' } as const

export async function openRoom(dataDir: string, finished: number): Promise<Room> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const remove = () => rmSync(dataDir, { recursive: true, force: true })
  const start = (settings: Readonly<Record<string, string>>) =>
    startServer({ ...SETTINGS, DATA_DIR: dataDir, ...settings }, dataDir)
  let server: Server | undefined
  try {
    server = await start({})
    const keys = await server.withDatabase(wired => createKeys(wired, 'test'))
    const ownersKeys = keys.slice(0, KEYS_PER_WORKSPACE)
    const patterns = await runPatterns(server.port, ownersKeys[0] ?? '')
    await server.stop()
    server = await start(WITHOUT_WORKERS)
    const startedMs = performance.now()
    const { databaseMs } = server.cpu()
    await server.withDatabase(({ database }) => fillTables(database, patterns, finished))
    return new OpenRoom(start, remove, server, {
      finished,
      keys,
      ownersKeys,
      fillMs: performance.now() - startedMs,
      fillCpuMs: server.cpu().databaseMs - databaseMs,
    })
  } catch (error) {
    await server?.stop()
    remove()
    throw error
  }
}

class OpenRoom implements Room {
  readonly finished: number
  readonly fillMs: number
  readonly fillCpuMs: number
  readonly keys: readonly string[]
  readonly ownersKeys: readonly string[]
  readonly #start: (settings: Readonly<Record<string, string>>) => Promise<Server>
  readonly #remove: () => void
  #server: Server

  constructor(
    start: (settings: Readonly<Record<string, string>>) => Promise<Server>,
    remove: () => void,
    server: Server,
    made: Pick<Room, 'finished' | 'fillMs' | 'fillCpuMs' | 'keys' | 'ownersKeys'>,
  ) {
    this.#start = start
    this.#remove = remove
    this.#server = server
    this.finished = made.finished
    this.fillMs = made.fillMs
    this.fillCpuMs = made.fillCpuMs
    this.keys = made.keys
    this.ownersKeys = made.ownersKeys
  }

  get server(): Server {
    return this.#server
  }

  async restart(settings: Readonly<Record<string, string>>): Promise<Server> {
    await this.#server.stop()
    this.#server = await this.#start(settings)
    return this.#server
  }

  async close(): Promise<void> {
    await this.#server.stop()
    this.#remove()
  }
}
