/** Tollgate as `npm start` starts it, on a database of its own on this disk, with keys that have caps. */
import { execFile } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import type { Wired } from '#app/wire.ts'
import type { Mode } from '#spec/account.ts'
import { type Server, startServer } from './server.ts'
import type { Target } from './target.ts'

const ROOT = join(import.meta.dirname, '..')

export const WORKSPACES = 20
export const KEYS_PER_WORKSPACE = 10
/** No limit here is ever reached; each is looked at and counted for every call. */
const GRANT_NANO_USD = 10_000_000_000_000n
const DAILY_CAP_NANO_USD = 1_000_000_000_000n
const MONTHLY_CAP_NANO_USD = 5_000_000_000_000n

export interface TollgateTarget extends Target, Pick<Server, 'withDatabase'> {
  /** Secrets of keys, workspace by workspace. */
  readonly keys: readonly string[]
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
  const remove = () => rmSync(dataDir, { recursive: true, force: true })
  const server = await startServer(environment, dataDir, profileDir).catch(error => {
    remove()
    throw error
  })
  const stop = async () => {
    await server.stop()
    remove()
  }
  try {
    const { port, cpu, memory, withDatabase } = server
    return {
      name: 'tollgate',
      port,
      headers: [],
      keys: await withDatabase(wired => createKeys(wired, 'live')),
      cpu,
      memory,
      withDatabase,
      audit: () => audit(environment),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Workspaces with credits, each with keys that have a daily and a monthly cap. */
export async function createKeys(
  { accounts, keys, ledger, ids, config }: Wired,
  mode: Mode,
): Promise<string[]> {
  const secrets: string[] = []
  for (let number = 1; number <= WORKSPACES; number++) {
    const tier = config.ladder[0].tier
    const workspace = await accounts.createWorkspace({ name: `bench ${number}`, tier })
    await ledger.grant({ workspaceId: workspace.id, mode }, ids.next(), GRANT_NANO_USD, 'benchmark')
    for (let key = 1; key <= KEYS_PER_WORKSPACE; key++) {
      const { secret } = await keys.create({
        workspaceId: workspace.id,
        mode,
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
