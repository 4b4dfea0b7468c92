/**
 * A real Tollgate for end-to-end tests: `src/main.ts serve` as a process of its own, on any free port, with a data
 * folder of its own, and the command line against the same database.
 *
 * Nothing outlives the test process: `stop()` ends a server and removes what was made for it, and whatever a failed
 * test leaves is killed when the process exits. Only processes started here are ever signalled.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { attachOrStartEmbeddedPostgres, startEmbeddedPostgres } from '#platform/postgres/embedded.ts'

const ROOT = resolve(import.meta.dirname, '..')
const MAIN = join(ROOT, 'src/main.ts')
const READY = /^Tollgate is ready at (http:\/\/\S+)$/m
const TEST_KEY = /Your test key \(shown once\):\s+(\S+)/
const START_MS = 45_000
const STOP_MS = 20_000
const COMMAND_MS = 45_000

export interface ServerOptions {
  /** Settings on top of the defaults: the names of config.default.env. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Not set: a fresh one, removed by `stop`. Set: used, and left as it is. */
  readonly dataDir?: string | undefined
  /** Not set: the built-in database under the data folder. */
  readonly databaseUrl?: string | undefined
}

export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface TollgateServer {
  /** `http://127.0.0.1:port`, without a path. */
  readonly url: string
  /** The key of the first boot. Empty where its database had its first boot before. */
  readonly testKey: string
  readonly dataDir: string
  readonly pid: number
  /** What the server and every command were started with. */
  readonly env: Readonly<Record<string, string>>
  /** Resolves when the process has ended, wanted or not. */
  readonly exited: Promise<ProcessExit>
  /** What it printed for a person: the address and, on first boot, the key. */
  greeting(): string
  /** Its log so far. */
  log(): string
  /** Runs `tollgate …` against this server's database. Never rejects for an exit code. */
  cli(...words: string[]): Promise<CommandResult>
  /** The same with `--json`, parsed. Throws with what was printed where the exit code is not 0. */
  cliJson<Value = Readonly<Record<string, unknown>>>(...words: string[]): Promise<Value>
  /** Ends it as a deployment would (SIGTERM), waits, and removes a data folder of its own. May be called twice. */
  stop(): Promise<ProcessExit>
  /** Ends it as a crash would (SIGKILL). Its data folder stays: start another on it, then `stop` both. */
  kill(): Promise<ProcessExit>
}

const children = new Set<ChildProcess>()
const folders = new Set<string>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})
// Without a handler a signal ends a process before it can end its children.
for (const [signal, code] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(code))
}

/** Starts one and resolves when it serves. Rejects with its log where it does not. */
export async function startServer(options: ServerOptions = {}): Promise<TollgateServer> {
  const ownFolder = options.dataDir === undefined ? await makeFolder() : undefined
  const dataDir = options.dataDir ?? ownFolder ?? ''
  const env = environment(dataDir, options)
  const child = launch(['serve'], env)
  const exited = exitOf(child)
  const output = collect(child)
  try {
    await ready(child, exited, output)
  } catch (cause) {
    child.kill('SIGKILL')
    await exited
    await removeFolder(ownFolder)
    throw new Error(`the server did not start:\n${output.stdout()}${output.stderr()}`, { cause })
  }
  const cli = (...words: string[]) => runCommand(words, env)
  return {
    url: READY.exec(output.stdout())?.[1] ?? '',
    testKey: TEST_KEY.exec(output.stdout())?.[1] ?? '',
    dataDir,
    pid: child.pid ?? 0,
    env,
    exited,
    greeting: output.stdout,
    log: output.stderr,
    cli,
    cliJson: async (...words) => parsed(words, await cli(...words, '--json')),
    async stop() {
      if (isRunning(child)) child.kill('SIGTERM')
      const exit = await endedWithin(child, exited, STOP_MS)
      await removeFolder(ownFolder)
      return exit
    },
    async kill() {
      child.kill('SIGKILL')
      return await exited
    },
  }
}

/** A database that servers share: start each with its `url` as `databaseUrl`. */
export interface SharedDatabase {
  readonly url: string
  stop(): Promise<void>
}

/** Starts a PostgreSQL that belongs to this test and to no server. */
export async function startSharedDatabase(): Promise<SharedDatabase> {
  const folder = await makeFolder()
  const database = await startEmbeddedPostgres({ dataDir: folder })
  return {
    url: database.connectionString,
    async stop() {
      await database.stop()
      await removeFolder(folder)
    },
  }
}

/** The address of a running server's built-in database, for a second server on it or to look into its tables. */
export async function databaseUrlOf(server: Pick<TollgateServer, 'dataDir'>): Promise<string> {
  const database = await attachOrStartEmbeddedPostgres({ dataDir: server.dataDir })
  if (database.attached) return database.connectionString
  await database.stop()
  throw new Error('no server runs on this data folder')
}

/** Nothing of the developer's own settings gets in, and no vendor's key. */
function environment(dataDir: string, options: ServerOptions): Readonly<Record<string, string>> {
  const inherited = ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR'].flatMap(name => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    ...Object.fromEntries(inherited),
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: dataDir,
    ...(options.databaseUrl !== undefined && { DATABASE_URL: options.databaseUrl }),
    ...options.env,
  }
}

function launch(words: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

async function exitOf(child: ChildProcess): Promise<ProcessExit> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return { code, signal }
}

interface Output {
  stdout(): string
  stderr(): string
}

function collect(child: ChildProcess): Output {
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      written[name] += text
    })
  }
  return { stdout: () => written.stdout, stderr: () => written.stderr }
}

/** Resolves when the sentence with the address is whole: it is written with the key in one piece. */
async function ready(child: ChildProcess, exited: Promise<ProcessExit>, output: Output): Promise<void> {
  const { promise, resolve: said, reject } = Promise.withResolvers<void>()
  const look = () => {
    if (READY.test(output.stdout()) && output.stdout().endsWith('\n')) said()
  }
  const timer = setTimeout(() => reject(new Error(`not ready after ${START_MS} ms`)), START_MS)
  child.stdout?.on('data', look)
  exited.then(({ code }) => reject(new Error(`it ended with code ${code}`)), reject)
  try {
    await promise
  } finally {
    clearTimeout(timer)
    child.stdout?.off('data', look)
  }
}

/** Waits for the end, and brings it about where it takes too long. */
async function endedWithin(
  child: ChildProcess,
  exited: Promise<ProcessExit>,
  ms: number,
): Promise<ProcessExit> {
  const timer = setTimeout(() => child.kill('SIGKILL'), ms)
  try {
    return await exited
  } finally {
    clearTimeout(timer)
  }
}

async function runCommand(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CommandResult> {
  const child = launch(words, env)
  const exited = exitOf(child)
  const output = collect(child)
  const closed = once(child, 'close')
  const { code } = await endedWithin(child, exited, COMMAND_MS)
  await closed
  return { code, stdout: output.stdout(), stderr: output.stderr() }
}

function parsed<Value>(words: readonly string[], { code, stdout, stderr }: CommandResult): Value {
  if (code === 0) return JSON.parse(stdout) as Value
  throw new Error(`tollgate ${words.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-e2e-'))
  folders.add(folder)
  return folder
}

async function removeFolder(folder: string | undefined): Promise<void> {
  if (folder === undefined) return
  // A database that is still on its way down may write once more.
  await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  folders.delete(folder)
}
