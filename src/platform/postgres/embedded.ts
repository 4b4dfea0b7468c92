/**
 * PostgreSQL of our own under DATA_DIR: one owner at a time, which is the process that started it; when that
 * process ends, however it ends, the database ends too. README.md has the rules this keeps.
 */
import { mkdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '#spec/ports.ts'
import { findServerBinaries } from './binaries.ts'
import { findRunningServer, type Manners, waitForLock, waitForOwner, waitUntilServing } from './claim.ts'
import {
  connectionThrough,
  type EmbeddedConnection,
  ensureDatabase,
  makeSocketDir,
  removeSocketDir,
  SUPERUSER,
  urlOf,
} from './embedded-connection.ts'
import { type LaunchCommand, type LaunchPlan, launchCommand } from './launch.ts'
import { type OwnerRecord, readOwnerRecord, writeOwnerRecord } from './owner-record.ts'
import { boundLog, type ServerExit, type ServerProcess, spawnServer } from './server-process.ts'
import { serverSettings } from './server-settings.ts'
import { chooseServerUser, SHARED_HOME } from './server-user.ts'

export interface EmbeddedPostgres {
  /** `postgresql://…?host=/folder`, as libpq and pg understand it. No secret in it. */
  readonly connectionString: string
  /** The same in parts. */
  readonly connection: EmbeddedConnection
  /** True when the database belongs to a running server that we only use. */
  readonly attached: boolean
  /**
   * Stops the server after a last checkpoint (open statements are broken off); harder after a bound. Resolves when
   * it is gone. May be called twice. For an attached database it does nothing.
   */
  stop(): Promise<void>
  /** Resolves when the server is gone, wanted or not. For an attached database it never resolves. */
  readonly exited: Promise<ServerExit>
}

export interface EmbeddedOptions {
  readonly dataDir: string
  readonly logger?: Logger | undefined
  /** False: no fsync. For throw-away test databases only. Default true. */
  readonly durable?: boolean | undefined
  /** False: as root, run as the real `nobody` as if user namespaces were refused. Default true. */
  readonly userNamespaces?: boolean | undefined
  /** Where data and binaries go that `nobody` can't reach where they are. Default /var/lib/tollgate. */
  readonly sharedHome?: string | undefined
  /** Replaces the way this system starts the server, so that another system's way can be tested here. */
  readonly command?: ((plan: LaunchPlan) => LaunchCommand) | undefined
}

const FAST_SHUTDOWN_MS = 20_000
const IMMEDIATE_SHUTDOWN_MS = 5_000
const LOG_CHECK_MS = 60_000

/**
 * Starts the database of DATA_DIR, making it where there is none, and resolves when it answers. Waits for a command
 * line that has it open. Throws DataDirInUse within about a second when a server has it.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = await makeDataDir(options.dataDir)
  return await own({ ...options, dataDir }, 'server', 'refuse-servers')
}

/**
 * For a command line: the database of the server that runs on DATA_DIR, else the database started for as long as
 * the command runs. Call `stop` either way.
 */
export async function attachOrStartEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = await makeDataDir(options.dataDir)
  const running = await findRunningServer(dataDir)
  return running ? attachedTo(running) : await own({ ...options, dataDir }, 'command', 'attach-to-servers')
}

async function makeDataDir(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    return await realpath(path)
  } catch (cause) {
    throw new Error(
      `DATA_DIR ${path} can't be created or entered by the user with id ${process.getuid?.()}.`,
      {
        cause,
      },
    )
  }
}

async function own(
  options: EmbeddedOptions,
  role: OwnerRecord['role'],
  manners: Manners,
): Promise<EmbeddedPostgres> {
  const { dataDir } = options
  const plan = await makePlan(options)
  const command = (options.command ?? launchCommand)(plan)
  if (!command.holdsKernelLock) {
    const running = await waitForOwner(dataDir, manners)
    if (running) return attachedTo(running)
  }
  const previous = await readOwnerRecord(dataDir)
  const server = await spawnServer(command, dataDir)
  try {
    const running = await waitForLock(server, dataDir, manners)
    if (running) {
      await discard(server, plan.socketDir)
      return attachedTo(running)
    }
    if (previous && previous.socketDir !== plan.socketDir) await removeSocketDir(previous.socketDir)
    await writeOwnerRecord(dataDir, { role, state: 'starting', socketDir: plan.socketDir })
    const connection = connectionThrough(plan.socketDir)
    await waitUntilServing(server, connection, dataDir, options.logger)
    await ensureDatabase(connection)
    await writeOwnerRecord(dataDir, { role, state: 'running', socketDir: plan.socketDir })
    return serving(server, connection, dataDir, role)
  } catch (cause) {
    await discard(server, plan.socketDir)
    throw cause
  }
}

async function makePlan(options: EmbeddedOptions): Promise<LaunchPlan> {
  const { dataDir } = options
  const durable = options.durable ?? true
  const installed = await findServerBinaries(join(dataDir, 'postgres-binaries'))
  const user = await chooseServerUser(dataDir, installed, {
    userNamespaces: options.userNamespaces ?? true,
    sharedHome: options.sharedHome ?? SHARED_HOME,
  })
  const dataFolder = join(user.home, 'postgres')
  await refuseOtherMajor(dataFolder, installed.major)
  if (user.home !== dataDir) options.logger?.warn({ dataFolder }, 'the database lives outside DATA_DIR')
  const socketDir = await makeSocketDir(user.home, user.giveTo)
  return {
    dataDir,
    dataFolder,
    socketDir,
    durable,
    binaries: user.binaries,
    superuser: SUPERUSER,
    userPrefix: user.prefix,
    giveTo: user.giveTo,
    settings: serverSettings(socketDir, { durable }),
  }
}

async function refuseOtherMajor(dataFolder: string, major: number): Promise<void> {
  const version = await readFile(join(dataFolder, 'PG_VERSION'), 'utf8').catch(() => undefined)
  if (version === undefined || Number(version) === major) return
  throw new Error(
    `${dataFolder} was made by PostgreSQL ${version.trim()}, and this Tollgate brings PostgreSQL ${major}. ` +
      'Go back to the earlier Tollgate and dump the database, or choose another DATA_DIR.',
  )
}

function serving(
  server: ServerProcess,
  connection: EmbeddedConnection,
  dataDir: string,
  role: OwnerRecord['role'],
): EmbeddedPostgres {
  const socketDir = connection.host
  const announceStop = async () => {
    const record = await readOwnerRecord(dataDir)
    if (record?.pid === process.pid) await writeOwnerRecord(dataDir, { role, state: 'stopping', socketDir })
  }
  const logKeeper = setInterval(() => void boundLog(dataDir).catch(() => {}), LOG_CHECK_MS).unref()
  void server.exited.then(() => clearInterval(logKeeper))
  // A server that fell over by itself has given DATA_DIR back.
  let stopped: Promise<void> | undefined
  void server.exited.then(() => stopped ?? announceStop()).catch(() => {})
  const stop = async () => {
    if (server.isRunning()) await announceStop()
    await stopServer(server)
    await removeSocketDir(socketDir)
  }
  return {
    connection,
    connectionString: urlOf(connection),
    attached: false,
    exited: server.exited,
    stop() {
      stopped ??= stop()
      return stopped
    },
  }
}

function attachedTo(connection: EmbeddedConnection): EmbeddedPostgres {
  return {
    connection,
    connectionString: urlOf(connection),
    attached: true,
    exited: new Promise(() => {}),
    stop: async () => {},
  }
}

async function discard(server: ServerProcess, socketDir: string): Promise<void> {
  server.killAll()
  await server.exited
  await removeSocketDir(socketDir)
}

async function stopServer(server: ServerProcess): Promise<void> {
  for (const [signal, boundMs] of [
    ['SIGINT', FAST_SHUTDOWN_MS],
    ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS],
  ] as const) {
    if (!server.isRunning()) return
    server.signal(signal)
    if (await within(server.exited, boundMs)) return
  }
  server.killAll()
  await server.exited
}

async function within(promise: Promise<unknown>, boundMs: number): Promise<boolean> {
  const timer = new AbortController()
  const late = delay(boundMs, false, { signal: timer.signal }).catch(() => false)
  const done = await Promise.race([promise.then(() => true), late])
  timer.abort()
  return done
}
