/** From a spawned launch to a database that answers: waiting for the lock, for recovery, and saying what failed. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '#spec/ports.ts'
import { askServer, connectionThrough, type EmbeddedConnection } from './embedded-connection.ts'
import { DataDirInUse } from './errors.ts'
import { LAUNCH_EXIT } from './launch.ts'
import { type OwnerRecord, ownerLives, readOwnerRecord } from './owner-record.ts'
import { logSince, type ServerExit, type ServerProcess } from './server-process.ts'

/** What a process does while another owns DATA_DIR. `attach` ends the waiting with the owner's connection. */
export type Manners = 'refuse-servers' | 'attach-to-servers'

/** A command line gives DATA_DIR back soon, so it is waited for this long. */
const WAIT_FOR_OWNER_MS = 10_000
/** With no living owner in sight the lock belongs to a server that is shutting down: it will be free. */
const WAIT_FOR_SHUTDOWN_MS = 60_000
const SILENCE_MS = 60_000
const POLL_MS = 50

/**
 * Resolves with undefined once the lock is ours, or with the running server's connection to use instead. Throws
 * DataDirInUse when the owner will not give DATA_DIR back.
 */
export async function waitForLock(
  server: ServerProcess,
  dataDir: string,
  manners: Manners,
): Promise<EmbeddedConnection | undefined> {
  const patience = startPatience()
  for (;;) {
    const news = await Promise.race([
      server.locked.then(() => 'locked' as const),
      server.exited,
      delay(POLL_MS).then(() => 'waiting' as const),
    ])
    if (news === 'locked') return undefined
    if (news !== 'waiting') throw await launchFailed(server, news, dataDir)
    const connection = await consultOwner(dataDir, manners, patience)
    if (connection) return connection
  }
}

/** The same where no kernel lock tells: resolves with undefined once no living owner is recorded. */
export async function waitForOwner(
  dataDir: string,
  manners: Manners,
): Promise<EmbeddedConnection | undefined> {
  const patience = startPatience()
  while (await livingOwner(dataDir)) {
    const connection = await consultOwner(dataDir, manners, patience)
    if (connection) return connection
    await delay(POLL_MS)
  }
  return undefined
}

/** The connection of a server that runs on DATA_DIR, if one does and answers. */
export async function findRunningServer(dataDir: string): Promise<EmbeddedConnection | undefined> {
  const record = await readOwnerRecord(dataDir)
  if (record?.role !== 'server' || record.state !== 'running') return undefined
  const connection = connectionThrough(record.socketDir)
  return (await askServer(connection)) === 'answers' ? connection : undefined
}

interface Patience {
  readonly startedAt: number
  /** How often in a row a server was found answering whose process can't be seen from here. */
  unseenServer: number
}

function startPatience(): Patience {
  return { startedAt: Date.now(), unseenServer: 0 }
}

async function consultOwner(
  dataDir: string,
  manners: Manners,
  patience: Patience,
): Promise<EmbeddedConnection | undefined> {
  const owner = await livingOwner(dataDir)
  if (manners === 'attach-to-servers') {
    const connection = await findRunningServer(dataDir)
    if (connection) return connection
  } else if (owner) {
    if (owner.role === 'server' && owner.state !== 'stopping') throw inUse(dataDir, owner)
  } else {
    // An owner in another container. Asked twice, since a server whose owner was killed may answer once more.
    patience.unseenServer = (await findRunningServer(dataDir)) ? patience.unseenServer + 1 : 0
    if (patience.unseenServer > 2) throw inUse(dataDir, undefined)
  }
  const boundMs = owner ? WAIT_FOR_OWNER_MS : WAIT_FOR_SHUTDOWN_MS
  if (Date.now() - patience.startedAt > boundMs) throw inUse(dataDir, owner)
  return undefined
}

async function livingOwner(dataDir: string): Promise<OwnerRecord | undefined> {
  const record = await readOwnerRecord(dataDir)
  return record && (await ownerLives(record)) ? record : undefined
}

function inUse(dataDir: string, owner: OwnerRecord | undefined): DataDirInUse {
  const who = owner ? `another Tollgate process (pid ${owner.pid})` : 'another process'
  return new DataDirInUse(`${who} is using DATA_DIR ${dataDir}; stop it or choose another DATA_DIR`)
}

/** Recovery after a crash may take long and is waited for; a server that says nothing is not. */
export async function waitUntilServing(
  server: ServerProcess,
  connection: EmbeddedConnection,
  dataDir: string,
  logger: Logger | undefined,
): Promise<void> {
  let heardAt = Date.now()
  let reportedAt = Date.now()
  for (;;) {
    const answer = await Promise.race([askServer(connection), server.exited])
    if (answer === 'answers') return
    if (typeof answer === 'object') throw await launchFailed(server, answer, dataDir)
    if (answer === 'busy') heardAt = Date.now()
    if (Date.now() - heardAt > SILENCE_MS) {
      throw new Error(`The database in ${dataDir} does not answer. ${await logSentence(server, dataDir)}`)
    }
    if (Date.now() - reportedAt > 10_000) {
      reportedAt = Date.now()
      logger?.info({ dataDir }, 'the database is recovering')
    }
    await Promise.race([delay(20), server.exited])
  }
}

async function launchFailed(server: ServerProcess, exit: ServerExit, dataDir: string): Promise<Error> {
  if (exit.code === LAUNCH_EXIT.busy) return inUse(dataDir, await livingOwner(dataDir))
  if (exit.code === LAUNCH_EXIT.foreignFolder) {
    const folder = join(dataDir, 'postgres')
    return new Error(`${folder} holds files but no database; move them away or choose another DATA_DIR.`)
  }
  const what = exit.code === LAUNCH_EXIT.initFailed ? 'could not be created' : 'stopped while starting'
  const how = exit.signal ?? `exit ${exit.code}`
  return new Error(`The database in ${dataDir} ${what} (${how}). ${await logSentence(server, dataDir)}`)
}

async function logSentence(server: ServerProcess, dataDir: string): Promise<string> {
  return `${join(dataDir, 'postgres.log')} ends:\n${await logSince(server.logStart, dataDir)}`
}
