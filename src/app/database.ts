/** Which database this process uses: the operator's, or the built-in one under DATA_DIR. */
import { join } from 'node:path'
import type { DatabaseAddress } from '#platform/postgres/database.ts'
import { attachOrStartEmbeddedPostgres, startEmbeddedPostgres } from '#platform/postgres/embedded.ts'
import { migrate } from '#platform/postgres/migrate.ts'
import type { Logger } from '#spec/ports.ts'
import { type Config, ROOT } from './config.ts'

export interface OpenedDatabase {
  readonly address: DatabaseAddress
  /** True for a built-in database that this process owns: no other node can be using it. */
  readonly isOwn: boolean
  /** Resolves when a built-in database of this process has ended by itself. */
  readonly lost: Promise<unknown>
  stop(): Promise<void>
}

/** There is no database to work with. The message is a sentence for the person who started us. */
export class NoDatabase extends Error {
  constructor(message: string, options: { readonly cause: unknown }) {
    super(message, options)
    this.name = 'NoDatabase'
  }
}

const NEVER = new Promise<never>(() => {})

/** For a server: owns the built-in database, or connects. Migrated when it resolves. */
export async function openDatabase(config: Config, logger: Logger): Promise<OpenedDatabase> {
  if (config.databaseUrl !== undefined) return await connectGiven(config, config.databaseUrl, logger)
  const embedded = await startEmbeddedPostgres({ dataDir: config.dataDir, logger }).catch(builtInFailed)
  return await migrated(embedded.connectionString, true, embedded.exited, () => embedded.stop(), logger)
}

/** For a command line: the database of the server that runs, else the same one for as long as the command takes. */
export async function openDatabaseForCommand(config: Config, logger: Logger): Promise<OpenedDatabase> {
  if (config.databaseUrl !== undefined) return await connectGiven(config, config.databaseUrl, logger)
  const embedded = await attachOrStartEmbeddedPostgres({ dataDir: config.dataDir, logger }).catch(
    builtInFailed,
  )
  return await migrated(
    embedded.connectionString,
    !embedded.attached,
    embedded.exited,
    () => embedded.stop(),
    logger,
  )
}

async function connectGiven(config: Config, url: string, logger: Logger): Promise<OpenedDatabase> {
  const setting = config.databaseDirectUrl === undefined ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL'
  try {
    await migrate({ connectionString: config.databaseDirectUrl ?? url }, MIGRATIONS, logger)
  } catch (cause) {
    throw new NoDatabase(`The database of ${setting} can't be used: ${reasonOf(cause)}`, { cause })
  }
  return { address: { connectionString: url }, isOwn: false, lost: NEVER, stop: async () => {} }
}

/** What the built-in database says of itself is a sentence already. */
function builtInFailed(cause: unknown): never {
  throw new NoDatabase(reasonOf(cause), { cause })
}

/** Node gives no message where it tried several addresses, only their code. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return cause.message || ('code' in cause ? String(cause.code) : cause.name)
}

const MIGRATIONS = join(ROOT, 'db/migrations')

async function migrated(
  connectionString: string,
  isOwn: boolean,
  lost: Promise<unknown>,
  stop: () => Promise<void>,
  logger: Logger,
): Promise<OpenedDatabase> {
  try {
    await migrate({ connectionString }, MIGRATIONS, logger)
  } catch (cause) {
    await stop()
    throw new NoDatabase(reasonOf(cause), { cause })
  }
  return { address: { connectionString }, isOwn, lost, stop }
}
