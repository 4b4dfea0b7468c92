/** Tollgate as `npm start` starts it, on a database of its own on this disk, with keys that have caps. */
import { execFile } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { readConfig } from '#app/config.ts'
import { openDatabaseForCommand } from '#app/database.ts'
import { type Wired, wire } from '#app/wire.ts'
import { createLogger } from '#platform/telemetry/logger.ts'
import { endChild, spawnServer } from './child.ts'
import { cpuMsOf, cpuMsOfFamily, proportionalMbOfFamily, residentMbOf } from './process-usage.ts'
import { pidOf, type Target } from './target.ts'

const ROOT = join(import.meta.dirname, '..')

export const WORKSPACES = 20
export const KEYS_PER_WORKSPACE = 10
/** No limit here is ever reached; each is looked at and counted for every call. */
const GRANT_NANO_USD = 10_000_000_000_000n
const DAILY_CAP_NANO_USD = 1_000_000_000_000n
const MONTHLY_CAP_NANO_USD = 5_000_000_000_000n

export interface TollgateTarget extends Target {
  /** Secrets of keys, workspace by workspace. */
  readonly keys: readonly string[]
  /** Runs work on the same database, as a command line would. */
  withDatabase<Result>(work: (wired: Wired) => Promise<Result>): Promise<Result>
  /** `tollgate audit` in a process of its own: what it found broken. */
  audit(): Promise<{ readonly invariants: number; readonly violations: readonly unknown[] }>
}

export interface TollgateOptions {
  readonly upstreamPort: number
  readonly dataDir: string
  /** Where a CPU profile of the server is written when it ends. */
  readonly profileDir?: string | undefined
}

export async function startTollgate(options: TollgateOptions): Promise<TollgateTarget> {
  const { dataDir, profileDir } = options
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const environment = {
    DATA_DIR: dataDir,
    PORT: '0',
    OPENAI_API_KEY: 'sk-upstream-of-the-benchmark',
    OPENAI_BASE_URL: `http://127.0.0.1:${options.upstreamPort}/v1`,
  }
  const profiling =
    profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, '--cpu-prof-interval=500']
  const log = openSync(join(dataDir, 'access.log'), 'a', 0o600)
  const words = [...profiling, join(ROOT, 'src/main.ts'), 'serve']
  const child = spawnServer(words, environment, ['ignore', 'pipe', log])
  const stop = async () => {
    await endChild(child, 60_000)
    rmSync(dataDir, { recursive: true, force: true })
  }
  try {
    const port = await announcedPort(child.stdout, dataDir)
    const pid = pidOf(child)
    const postmaster = Number(
      readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'latin1').split('\n', 1)[0],
    )
    const withDatabase = <Result>(work: (wired: Wired) => Promise<Result>) =>
      onDatabase(readConfig(environment), work)
    return {
      name: 'tollgate',
      port,
      headers: [],
      keys: await withDatabase(createKeys),
      cpu: () => ({ gatewayMs: cpuMsOf(pid), databaseMs: cpuMsOfFamily(postmaster) }),
      memory: () => ({ gatewayMb: residentMbOf(pid), databaseMb: proportionalMbOfFamily(postmaster) }),
      withDatabase,
      audit: () => audit(environment),
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

/** Workspaces with credits, each with keys that have a daily and a monthly cap. */
async function createKeys({ accounts, keys, ledger, ids, config }: Wired): Promise<string[]> {
  const secrets: string[] = []
  for (let number = 1; number <= WORKSPACES; number++) {
    const tier = config.ladder[0].tier
    const workspace = await accounts.createWorkspace({ name: `bench ${number}`, tier })
    await ledger.grant({ workspaceId: workspace.id, mode: 'live' }, ids.next(), GRANT_NANO_USD, 'benchmark')
    for (let key = 1; key <= KEYS_PER_WORKSPACE; key++) {
      const { secret } = await keys.create({
        workspaceId: workspace.id,
        mode: 'live',
        name: `bench ${number}.${key}`,
        caps: { dailyNanoUsd: DAILY_CAP_NANO_USD, monthlyNanoUsd: MONTHLY_CAP_NANO_USD },
      })
      secrets.push(secret)
    }
  }
  return secrets
}

/** Its exit code says whether something is broken; what, is in its output. An audit that could not finish proves nothing. */
async function audit(environment: Readonly<Record<string, string>>) {
  const words = [join(ROOT, 'src/main.ts'), 'audit', '--json']
  const run = promisify(execFile)(process.execPath, words, { env: environment })
  const { stdout, stderr } = await run.catch((failed: { stdout: string; stderr: string }) => failed)
  if (!stdout.startsWith('{')) {
    return { invariants: 0, violations: [`the audit did not finish: ${stderr.split('\n', 1)[0]}`] }
  }
  const found = JSON.parse(stdout) as { invariants: unknown[]; violations: unknown[] }
  return { invariants: found.invariants.length, violations: found.violations }
}
