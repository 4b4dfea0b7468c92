/** The server as a child of ours: started, watched, stopped. */
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFile, open, rename, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { type LaunchCommand, LOCKED } from './launch.ts'

export interface ServerExit {
  readonly code: number | undefined
  readonly signal: NodeJS.Signals | undefined
}

export interface ServerProcess {
  /** Where in the log this start begins, in bytes. */
  readonly logStart: number
  /** Resolves when the lock on DATA_DIR is ours. Stays pending when the process ends without it. */
  readonly locked: Promise<void>
  /** Resolves once the process is gone. Never rejects. */
  readonly exited: Promise<ServerExit>
  isRunning(): boolean
  signal(signal: NodeJS.Signals): void
  /** Ends it and whatever it started, at once. For a process that is not yet serving. */
  killAll(): void
}

/** Spawns in a session of its own: Ctrl-C in our terminal must not reach a database that is still needed. */
export async function spawnServer(command: LaunchCommand, dataDir: string): Promise<ServerProcess> {
  await boundLog(dataDir)
  const log = await open(logFile(dataDir), 'a', 0o600)
  const { size: logStart } = await log.stat()
  const [word = '', ...args] = command.words
  const lifeline = command.holdsKernelLock ? [] : ['pipe' as const]
  const child = spawn(word, args, {
    cwd: '/',
    detached: true,
    env: serverEnvironment(),
    stdio: ['ignore', log.fd, log.fd, 'pipe', ...lifeline],
  })
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', cause => reject(new Error(`${word} could not be started: ${cause.message}`)))
    })
  } finally {
    await log.close()
  }
  return watch(child, logStart)
}

function watch(child: ChildProcess, logStart: number): ServerProcess {
  const status = child.stdio[3]
  const lifeline = child.stdio[4]
  // Both break when the child dies, which `exited` tells better.
  status?.on('error', () => {})
  lifeline?.on('error', () => {})
  const locked = new Promise<void>(resolve => {
    if (status && 'on' in status) {
      status.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes(LOCKED)) resolve()
      })
    }
  })
  const exited = new Promise<ServerExit>(resolve => {
    child.once('exit', (code, signal) => {
      lifeline?.destroy()
      resolve({ code: code ?? undefined, signal: signal ?? undefined })
    })
  })
  const pid = child.pid ?? 0
  const isRunning = () => child.exitCode === null && child.signalCode === null
  return {
    logStart,
    locked,
    exited,
    isRunning,
    signal: signal => void child.kill(signal),
    killAll() {
      if (!isRunning()) return
      try {
        process.kill(-pid, 'SIGKILL')
      } catch {
        child.kill('SIGKILL')
      }
    },
  }
}

/** Only what the server needs: neither our secrets, nor a PG… variable or locale of whoever started us. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' }
}

const LOG_BOUND_BYTES = 16 * 1024 * 1024

/** Keeps the log and one older part of it, each of bounded size. The server goes on writing to the same file. */
export async function boundLog(dataDir: string): Promise<void> {
  const path = logFile(dataDir)
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || found.size < LOG_BOUND_BYTES) return
  await copyFile(path, `${path}.unfinished`)
  await rename(`${path}.unfinished`, `${path}.1`)
  await truncate(path)
}

/** The last lines that were logged since a place in the log, for an error message. */
export async function logSince(start: number, dataDir: string): Promise<string> {
  const file = await open(logFile(dataDir), 'r').catch(() => undefined)
  if (file === undefined) return ''
  try {
    const { size } = await file.stat()
    const from = Math.max(size - 4_000, start < size ? start : 0)
    const { buffer } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
    return buffer.toString().trim().split('\n').slice(-8).join('\n')
  } finally {
    await file.close()
  }
}

function logFile(dataDir: string): string {
  return join(dataDir, 'postgres.log')
}
