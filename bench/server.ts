/** One Tollgate as `npm start` starts it, on the database of its data folder. */
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { readConfig } from '#app/config.ts'
import { openDatabaseForCommand } from '#app/database.ts'
import { type Wired, wire } from '#app/wire.ts'
import { createLogger } from '#platform/telemetry/logger.ts'
import { endChild, spawnServer } from './child.ts'
import { cpuMsOf, cpuMsOfFamily, proportionalMbOfFamily, residentMbOf } from './process-usage.ts'
import { pidOf, type TargetCpu, type TargetMemory } from './target.ts'

const MAIN = join(import.meta.dirname, '../src/main.ts')

export interface Server {
  readonly port: number
  /** When it said that it was ready, by the clock of `performance.now()`. */
  readonly readyAtMs: number
  cpu(): TargetCpu
  memory(): TargetMemory
  /** Runs work on the same database, as a command line would. */
  withDatabase<Result>(work: (wired: Wired) => Promise<Result>): Promise<Result>
  /** Ends it and leaves its data. */
  stop(): Promise<void>
}

/** `settings` are its whole environment. Its access log and what it says on standard error go into its data folder. */
export async function startServer(
  settings: Readonly<Record<string, string>>,
  dataDir: string,
  profileDir?: string,
): Promise<Server> {
  const profiling =
    profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, '--cpu-prof-interval=500']
  const log = openSync(join(dataDir, 'access.log'), 'a', 0o600)
  const child = spawnServer([...profiling, MAIN, 'serve'], settings, ['ignore', 'pipe', log])
  const stop = () => endChild(child, 60_000)
  try {
    const port = await announcedPort(child.stdout, dataDir)
    const readyAtMs = performance.now()
    const pid = pidOf(child)
    const postmaster = Number(
      readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'latin1').split('\n', 1)[0],
    )
    return {
      port,
      readyAtMs,
      cpu: () => ({ gatewayMs: cpuMsOf(pid), databaseMs: cpuMsOfFamily(postmaster) }),
      memory: () => ({ gatewayMb: residentMbOf(pid), databaseMb: proportionalMbOfFamily(postmaster) }),
      withDatabase: work => onDatabase(readConfig(settings), work),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function announcedPort(output: Readable | null, dataDir: string): Promise<number> {
  if (output === null) throw new Error('the output of Tollgate cannot be read')
  const lines = createInterface({ input: output })
  for await (const line of lines) {
    const port = /ready at http:\/\/[^:]+:(\d+)/.exec(line)?.[1]
    if (port !== undefined) {
      output.resume()
      return Number(port)
    }
  }
  throw new Error(
    `Tollgate did not start:\n${readFileSync(join(dataDir, 'access.log'), 'utf8').slice(-2000)}`,
  )
}

async function onDatabase<Result>(
  config: ReturnType<typeof readConfig>,
  work: (wired: Wired) => Promise<Result>,
): Promise<Result> {
  const logger = createLogger({ level: 'error', destination: 2 })
  const database = await openDatabaseForCommand(config, logger)
  const wired = await wire(config, database.address, logger, new AbortController().signal)
  try {
    return await work(wired)
  } finally {
    await wired.close()
    await database.stop()
    logger.close()
  }
}
