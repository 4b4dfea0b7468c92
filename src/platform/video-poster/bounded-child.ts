/** A program that reads what strangers made: it gets little time, little memory, no network address and no file to write. */
import { spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import process from 'node:process'
import type { Readable } from 'node:stream'

export interface ChildOrder {
  /** A path; it is not looked for. */
  readonly program: string
  readonly words: readonly string[]
  /** Given to it as its fourth descriptor. */
  readonly descriptor: number
  readonly mostOutputBytes: number
}

/**
 * Bounds that end with the program, whoever is still there to watch: seconds of processor, KiB of address space, no byte
 * written to any file, no core. A system that knows one of them not goes on without it.
 */
const RUN_BOUNDED = 'ulimit -c 0; ulimit -f 0; ulimit -n 64; ulimit -t 15; ulimit -v 2097152; exec "$0" "$@"'

/**
 * Runs it to its end and gives what it printed; `undefined` where it failed, printed too much or could not be started.
 * When the signal aborts it is killed. Never rejects; resolves when the process is gone.
 */
export async function runBounded(order: ChildOrder, signal: AbortSignal): Promise<Buffer | undefined> {
  if (signal.aborted) return undefined
  const child = spawn('/bin/sh', ['-c', RUN_BOUNDED, order.program, ...order.words], {
    cwd: '/',
    // The first of a group of its own, so that all of it ends with it: a program on the PATH may be a script around another.
    detached: true,
    // No setting and no secret of this process.
    env: {},
    stdio: ['ignore', 'pipe', 'ignore', order.descriptor],
  })
  const kill = () => {
    killGroup(child.pid)
    // Who has left the group may still hold the pipe: it is waited for no longer.
    child.stdout?.destroy()
  }
  signal.addEventListener('abort', kill, { once: true })
  const gone = new Promise<number | null>(resolve => {
    child.once('close', resolve)
    child.once('error', () => resolve(null))
  })
  yieldTo(child.pid)
  const output = collect(child.stdout as Readable, order.mostOutputBytes, kill)
  try {
    return (await gone) === 0 && !signal.aborted ? output() : undefined
  } finally {
    signal.removeEventListener('abort', kill)
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

/** Calls come first where there are fewer cores than work; what else the machine does need not. */
const PRIORITY = 5

function yieldTo(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, PRIORITY)
  } catch {
    // It has ended already.
  }
}

function collect(stdout: Readable, mostBytes: number, tooMuch: () => void): () => Buffer | undefined {
  const chunks: Buffer[] = []
  let size = 0
  stdout.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= mostBytes) chunks.push(chunk)
    else tooMuch()
  })
  stdout.on('error', () => undefined)
  return () => (size <= mostBytes ? Buffer.concat(chunks) : undefined)
}
