/** Starting, asking and ending the benchmark's own processes. */
import { type ChildProcess, fork, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'

/** Starts a program of this folder that talks over IPC. What it prints on standard error is passed on. */
export function forkProgram(file: string, words: readonly string[] = []): ChildProcess {
  return fork(join(import.meta.dirname, file), words, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Starts a server that knows nothing of us and must not outlive us: the kernel asks it to end when we die, however we die. */
export function spawnServer(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  stdio: StdioOptions,
): ChildProcess {
  const env = { PATH: SYSTEM_PATH, ...environment }
  return spawn('setpriv', ['--pdeathsig', 'TERM', process.execPath, ...words], { env, stdio })
}

/** The next message that `wanted` recognises. Rejects where the process ends first. */
export async function nextMessage<Message>(
  child: ChildProcess,
  wanted: (message: unknown) => message is Message,
): Promise<Message> {
  const { promise, resolve, reject } = Promise.withResolvers<Message>()
  const onMessage = (message: unknown) => {
    if (wanted(message)) resolve(message)
  }
  const onExit = (code: number | null) => reject(new Error(`${child.spawnfile} ended with ${code}`))
  child.on('message', onMessage)
  child.once('exit', onExit)
  try {
    return await promise
  } finally {
    child.off('message', onMessage)
    child.off('exit', onExit)
  }
}

/** The port that a program of this folder says it listens on. */
export async function listeningPort(child: ChildProcess): Promise<number> {
  return (await nextMessage(child, isListening)).port
}

function isListening(message: unknown): message is { readonly kind: 'listening'; readonly port: number } {
  return isMessage(message) && message.kind === 'listening'
}

/** Anything with a kind. */
export function isMessage(message: unknown): message is { readonly kind: string } {
  return typeof message === 'object' && message !== null && 'kind' in message
}

/** Asks a process to end, then makes it. Resolves when it is gone. */
export async function endChild(child: ChildProcess, patienceMs = 5_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = new AbortController()
  const late = delay(patienceMs, 'late' as const, { signal: timer.signal }).catch(() => 'gone' as const)
  if ((await Promise.race([gone, late])) === 'late') child.kill('SIGKILL')
  timer.abort()
  await gone
}
