/** A checkout of its own, started the way its users start it: `npm start`, in a process group like a terminal's. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import process from 'node:process'

const ROOT = resolve(import.meta.dirname, '..')
const SHIPPED = [
  'bin',
  'catalog',
  'db',
  'src',
  'config.default.env',
  'package.json',
  'package-lock.json',
  '.npmrc',
]
const NOBODY = 65534

export const isRoot = process.getuid?.() === 0

export interface Checkout {
  readonly path: string
  /** Where it keeps its data unless it is told otherwise. */
  readonly dataDir: string
  remove(): Promise<void>
}

/**
 * Copies what is shipped, and the packages that are installed, into a fresh folder within `parent`. Files of packages are
 * hard links where the disk allows it. The owner of the folder is us, or `nobody`.
 */
export async function createCheckout(parent: string, owner: 'us' | 'nobody' = 'us'): Promise<Checkout> {
  const path = await mkdtemp(join(parent, 'tollgate-checkout-'))
  for (const name of SHIPPED) await cp(join(ROOT, name), join(path, name), { recursive: true })
  await copyPackages(await realpath(join(ROOT, 'node_modules')), join(path, 'node_modules'))
  if (owner === 'nobody') {
    await chmod(path, 0o755)
    await chown(path, NOBODY, NOBODY)
  }
  return {
    path,
    dataDir: join(path, 'data'),
    remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  }
}

async function copyPackages(from: string, to: string): Promise<void> {
  await mkdir(to)
  // Caches of running tools come and go.
  const names = (await readdir(from)).filter(name => !name.startsWith('.') || name === '.bin')
  const paths = names.map(name => join(from, name))
  try {
    execFileSync('cp', ['-al', ...paths, to], { stdio: 'ignore' })
  } catch {
    execFileSync('cp', ['-a', ...paths, to])
  }
}

export interface Started {
  readonly pid: number
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  output(): string
  isRunning(): boolean
  /** To the one process that was started, as a supervisor does. */
  signal(signal: NodeJS.Signals): void
  /** To it and all its children, as a terminal or a container's end does. */
  signalGroup(signal: NodeJS.Signals): void
  /** Resolves with the first match in what it prints. Rejects where it ends or takes too long. */
  said(pattern: RegExp, withinMs: number): Promise<RegExpExecArray>
}

export interface StartOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly as?: 'us' | 'nobody'
}

const groups = new Set<Started>()
process.once('exit', () => {
  for (const one of groups) one.signalGroup('SIGKILL')
})

/** Runs a command in a process group of its own, with none of the developer's settings. */
export function start(words: readonly string[], options: StartOptions): Started {
  const { cwd, env, as = 'us' } = options
  const asUser =
    as === 'nobody' ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : []
  const [word = '', ...args] = [...asUser, ...words]
  const child = spawn(word, args, {
    cwd,
    detached: true,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const started = watch(child)
  groups.add(started)
  void started.exited.then(() => groups.delete(started))
  return started
}

function watch(child: ChildProcess): Started {
  let output = ''
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      for (const listener of listeners) listener()
    })
  }
  const isRunning = () => child.exitCode === null && child.signalCode === null
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }))
  return {
    pid: child.pid ?? 0,
    exited,
    output: () => output,
    isRunning,
    signal: signal => void child.kill(signal),
    signalGroup(signal) {
      try {
        process.kill(-(child.pid ?? 0), signal)
      } catch {
        // The whole group has gone.
      }
    },
    async said(pattern, withinMs) {
      const found = Promise.withResolvers<RegExpExecArray>()
      const look = () => {
        const match = pattern.exec(output)
        if (match) found.resolve(match)
      }
      const fail = (why: string) => found.reject(new Error(`${why} before it said ${pattern}:\n${output}`))
      const timer = setTimeout(() => fail(`${withinMs} ms passed`), withinMs)
      listeners.add(look)
      void exited.then(() => setTimeout(() => fail('it ended'), 200))
      look()
      return await found.promise.finally(() => {
        clearTimeout(timer)
        listeners.delete(look)
      })
    },
  }
}

/** Runs a command to its end. */
export async function run(
  words: readonly string[],
  options: StartOptions,
): Promise<{ code: number | null; output: string }> {
  const started = start(words, options)
  const { code } = await started.exited
  await new Promise(resolve => setImmediate(resolve))
  return { code, output: started.output() }
}

/** Pids of every process that names a path in its command line: what was left running there. Linux only. */
export async function processesOn(path: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const lines = await Promise.all(
    pids.map(async pid => ({
      pid,
      line: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    })),
  )
  return lines.filter(({ line }) => line.includes(path)).map(({ pid }) => pid)
}
