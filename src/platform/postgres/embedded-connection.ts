/** How to reach the embedded database, and the folder its socket lives in. */
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

/** No password: the socket's folder is the key. */
export interface EmbeddedConnection {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly ssl: false
}

export const SUPERUSER = 'tollgate'
const DATABASE = 'tollgate'
const PORT = 5432
/** A socket's path has a terminating zero in 108 bytes on Linux, in 104 on macOS. */
const LONGEST_SOCKET_PATH = 103

export function connectionThrough(socketDir: string): EmbeddedConnection {
  return { host: socketDir, port: PORT, user: SUPERUSER, database: DATABASE, ssl: false }
}

/** `postgresql://…?host=/folder`, as libpq and pg understand it. */
export function urlOf(connection: EmbeddedConnection): string {
  const host = encodeURIComponent(connection.host)
  return `postgresql://${connection.user}@/${connection.database}?host=${host}&port=${connection.port}`
}

/** `silent`: nothing is there. `busy`: a server that starts up or shuts down. */
export type ServerAnswer = 'answers' | 'busy' | 'silent'

export async function askServer(connection: EmbeddedConnection): Promise<ServerAnswer> {
  const client = new pg.Client({ ...connection, database: 'postgres', connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('SELECT 1')
    return 'answers'
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === '57P03' ? 'busy' : 'silent'
  } finally {
    await client.end().catch(() => {})
  }
}

export async function ensureDatabase(connection: EmbeddedConnection): Promise<void> {
  const client = new pg.Client({ ...connection, database: 'postgres' })
  client.on('error', () => {})
  await client.connect()
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE])
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`)
  } finally {
    await client.end()
  }
}

/** `run` in `home` where that path is short enough for a socket, else a fresh folder of the system's. Mode 0700. */
export async function makeSocketDir(
  home: string,
  giveTo: { readonly uid: number; readonly gid: number } | undefined,
): Promise<string> {
  const near = join(home, 'run')
  if (Buffer.byteLength(join(near, `.s.PGSQL.${PORT}`)) <= LONGEST_SOCKET_PATH) {
    await mkdir(near, { recursive: true, mode: 0o700 })
    return near
  }
  const short = Buffer.byteLength(tmpdir()) <= 60 && giveTo === undefined ? tmpdir() : '/tmp'
  const fresh = await mkdtemp(join(short, TEMPORARY))
  if (giveTo !== undefined) await chown(fresh, giveTo.uid, giveTo.gid)
  return fresh
}

const TEMPORARY = 'tollgate-run-'

/** Removes it if it was a fresh one. */
export async function removeSocketDir(socketDir: string): Promise<void> {
  if (socketDir.includes(`/${TEMPORARY}`)) await rm(socketDir, { recursive: true, force: true })
}
