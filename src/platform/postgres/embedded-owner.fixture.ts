/** Runs embedded-owner.program.ts for a test, so that an owner can be killed without killing the test. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import pg from 'pg'

export interface Report {
  readonly up: boolean
  readonly ms: number
  readonly attached?: boolean
  readonly connectionString?: string
  readonly name?: string
  readonly message?: string
}

export interface OwnerProgram {
  /** Its one line; undefined when it ended without one. */
  readonly report: Promise<Report | undefined>
  /** `kill -9`, and wait until it is gone. */
  kill(): Promise<void>
  /** SIGTERM, and wait until it is gone. Resolves with its exit code. */
  stop(): Promise<number | null>
}

export const PROGRAM = join(import.meta.dirname, 'embedded-owner.program.ts')
export const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

/** `prefix`: words before the command, for example to change the user. */
export function runOwner(
  mode: 'start' | 'attach',
  options: Readonly<Record<string, unknown>>,
  prefix: readonly string[] = [],
): OwnerProgram {
  const [word = '', ...args] = [...prefix, process.execPath, PROGRAM, mode, JSON.stringify(options)]
  const child = spawn(word, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = new Promise<number | null>(resolve => child.once('exit', resolve))
  return {
    report: firstLine(child),
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
    async stop() {
      child.kill('SIGTERM')
      return await gone
    },
  }
}

async function firstLine(child: ChildProcess): Promise<Report | undefined> {
  if (child.stdout === null) return undefined
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line)
  return undefined
}

/** A server whose owner was killed writes a little longer. */
const PATIENT = { maxRetries: 50, retryDelay: 50 }

/** A folder that is removed by the returned function. Mode 0700, as DATA_DIR is. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tollgate-pg-'))
  await chmod(path, 0o700)
  return { path, remove: () => rm(path, { recursive: true, force: true, ...PATIENT }) }
}

export async function query(connectionString: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

export const isRoot = process.getuid?.() === 0

/** Whether `nobody` can run this checkout: it can't when that is in root's home. */
export const nobodyCanRun = isRoot && succeeds([...AS_NOBODY, process.execPath, '--check', PROGRAM])

function succeeds([word = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(word, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
