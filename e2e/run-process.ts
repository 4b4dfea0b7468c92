/** Child processes of the runner: in a group of their own, so that a bound in time ends all of it and nothing else. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'

const GRACE_MS = 15_000

export function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv | undefined
  /** What it prints is not shown. */
  readonly quiet?: boolean | undefined
  readonly withinMs: number
}

const running = new Set<ChildProcess>()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    for (const child of running) signalGroup(child, signal)
    process.exitCode = 130
  })
}

/** Runs it to its end, or to the bound. Resolves with the exit code; 127 where it cannot be started. */
export async function exitOf(command: readonly string[], options: CommandOptions): Promise<number> {
  const [file = '', ...words] = command
  const stdio = options.quiet ? 'ignore' : 'inherit'
  const child = spawn(file, words, {
    stdio: ['ignore', stdio, stdio],
    env: options.env ?? process.env,
    detached: true,
  })
  running.add(child)
  const patience = setTimeout(() => {
    say(`${file} took longer than ${Math.round(options.withinMs / 1000)} s and is ended`)
    signalGroup(child, 'SIGTERM')
  }, options.withinMs)
  const harder = setTimeout(() => signalGroup(child, 'SIGKILL'), options.withinMs + GRACE_MS)
  try {
    const [code] = (await once(child, 'exit')) as [number | null]
    return code ?? 1
  } catch {
    return 127
  } finally {
    clearTimeout(patience)
    clearTimeout(harder)
    running.delete(child)
  }
}

/** A suite: shown, with more settings, within the time that is left. */
export async function runWithin(
  command: readonly string[],
  withinMs: number,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  return await exitOf(command, { env: { ...process.env, ...env }, withinMs })
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has just ended.
  }
}
