/**
 * As whom the server runs. PostgreSQL refuses to run as root, and root is who many containers and small machines
 * run as. Linux only: elsewhere the server runs as whoever we are.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { copyServerBinaries, type ServerBinaries } from './binaries.ts'

const run = promisify(execFile)

/** 65534 is `nobody` on every Linux; initdb needs a user that has a name. */
const NOBODY = 65534
/** Where an unprivileged user can reach, for what it can't reach in DATA_DIR. */
export const SHARED_HOME = '/var/lib/tollgate'

export interface ServerUser {
  /** Words put before a command to run it as that user. */
  readonly prefix: readonly string[]
  /** Whom its folders must be given to; undefined when they are already ours. */
  readonly giveTo: { readonly uid: number; readonly gid: number } | undefined
  readonly binaries: ServerBinaries
  /** The folder of `postgres` and `run`: DATA_DIR, or a place that user can reach. */
  readonly home: string
}

export interface UserChoice {
  /** False skips the namespace, as if it had been refused. */
  readonly userNamespaces: boolean
  readonly sharedHome: string
}

/**
 * Decides by who owns the data that is there, then by what the system allows: an ordinary user runs it as itself
 * (one without a name as nobody in a namespace);
 * root runs it in a user namespace in which it is nobody, so that nothing is copied and no user is made; where
 * namespaces are refused, root runs it as the real nobody. Throws when the data belongs to somebody else.
 */
export async function chooseServerUser(
  dataDir: string,
  binaries: ServerBinaries,
  choice: UserChoice,
): Promise<ServerUser> {
  const dataFolder = join(dataDir, 'postgres')
  const owner = await stat(dataFolder).then(
    found => found.uid,
    () => undefined,
  )
  const self = process.getuid?.()
  if (self !== 0 || process.platform !== 'linux') {
    if (owner !== undefined && self !== undefined && owner !== self) {
      throw new Error(
        `${dataFolder} belongs to the user with id ${owner}, and this process runs as ${self}. ` +
          'Start Tollgate as that user or choose another DATA_DIR.',
      )
    }
    const prefix = hasName() ? [] : await asNobodyInNamespace()
    return { prefix, giveTo: undefined, binaries, home: dataDir }
  }
  const mayUseNamespace = choice.userNamespaces && (owner === undefined || owner === 0)
  if (mayUseNamespace && (await succeeds([...NAMESPACE, 'true']))) {
    return { prefix: NAMESPACE, giveTo: undefined, binaries, home: dataDir }
  }
  return await unprivilegedUser(dataDir, binaries, owner || NOBODY, choice.sharedHome)
}

const NAMESPACE = ['unshare', '-U', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`]

/** initdb needs a user with a name, which the arbitrary uid of a container has not. */
function hasName(): boolean {
  if (process.platform !== 'linux') return true
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}

async function asNobodyInNamespace(): Promise<readonly string[]> {
  if (await succeeds([...NAMESPACE, 'true'])) return NAMESPACE
  throw new Error(
    `The user with id ${process.getuid?.()} has no name on this system, which PostgreSQL needs. ` +
      'Add it to /etc/passwd, run Tollgate as another user, or set DATABASE_URL.',
  )
}

async function unprivilegedUser(
  dataDir: string,
  binaries: ServerBinaries,
  uid: number,
  sharedHome: string,
): Promise<ServerUser> {
  const { stdout } = await run('id', ['-g', '--', await nameOf(uid)])
  const gid = Number(stdout)
  const prefix = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
  const canRun = await succeeds([...prefix, join(binaries.root, 'bin', 'postgres'), '--version'])
  const reachable = await makeReachable(dataDir, prefix, gid)
  const folder = createHash('sha256').update(dataDir).digest('hex').slice(0, 16)
  const home = reachable ? dataDir : join(sharedHome, folder)
  await mkdir(home, { recursive: true, mode: 0o755 })
  return {
    prefix,
    giveTo: { uid, gid },
    binaries: canRun ? binaries : await copyServerBinaries(binaries, sharedHome),
    home,
  }
}

/** DATA_DIR is closed to others; that user's group may pass through it, and no more. */
async function makeReachable(dataDir: string, prefix: readonly string[], gid: number): Promise<boolean> {
  const canPass = () => succeeds([...prefix, 'test', '-x', dataDir])
  if (await canPass()) return true
  const before = await stat(dataDir)
  await chown(dataDir, before.uid, gid)
  await chmod(dataDir, before.mode | 0o010)
  if (await canPass()) return true
  await chmod(dataDir, before.mode)
  await chown(dataDir, before.uid, before.gid)
  return false
}

async function nameOf(uid: number): Promise<string> {
  try {
    const { stdout } = await run('id', ['-nu', '--', String(uid)])
    return stdout.trim()
  } catch {
    throw new Error(
      `PostgreSQL can't run as root here, and the user with id ${uid} has no name on this system. ` +
        'Run Tollgate as an ordinary user, or set DATABASE_URL.',
    )
  }
}

async function succeeds(words: readonly string[]): Promise<boolean> {
  const [command = '', ...args] = words
  return await run(command, args).then(
    () => true,
    () => false,
  )
}
