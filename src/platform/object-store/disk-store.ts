/** Objects as files of one folder of this machine (README, "disk"). */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, mkdir, open, readdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import {
  assertObjectKey,
  type FoundObject,
  type GetOptions,
  type ListedObject,
  type ListPage,
  type ObjectStat,
  type ObjectStore,
  ObjectStoreFailure,
  type PutOptions,
  type StoredObject,
} from '#spec/object-store.ts'
import { keysOf } from './disk-listing.ts'
import { INCOMING_FOLDER, type Place, placeOf } from './disk-place.ts'
import { type Intake, openIntake } from './intake.ts'
import { servedRange } from './served-range.ts'

export interface DiskStoreOptions {
  /** Made where it is missing; nobody but this user may enter it. */
  readonly folder: string
}

/** Files of crashed puts are removed at the start when they are older: another process may be writing a younger one. */
const LEFTOVER_MS = 24 * 3_600_000
const PRIVATE_FOLDER = 0o700
const PRIVATE_FILE = 0o600
const LONGEST_PAGE = 1_000
/** A folder may be removed, because it is empty, between its making and its first file. */
const MOST_PLACINGS = 10

/** Opens the store. Rejects with `unavailable` where the folder can't be made or entered. */
export async function openDiskStore({ folder }: DiskStoreOptions): Promise<ObjectStore> {
  const store = new DiskStore(resolve(folder))
  await store.open()
  return store
}

class DiskStore implements ObjectStore {
  readonly #root: string
  readonly #incoming: string

  constructor(root: string) {
    this.#root = root
    this.#incoming = join(root, INCOMING_FOLDER)
  }

  async open(): Promise<void> {
    await orUnavailable(async () => {
      await makeFolder(this.#incoming)
      await chmod(this.#root, PRIVATE_FOLDER)
    })
    await this.sweepLeftovers(LEFTOVER_MS)
  }

  async put(
    key: string,
    source: AsyncIterable<Uint8Array> | Uint8Array,
    options: PutOptions,
  ): Promise<StoredObject> {
    assertObjectKey(key)
    const intake = openIntake(source, options)
    const incoming = join(this.#incoming, randomBytes(16).toString('hex'))
    try {
      await writeWhole(incoming, intake)
      await orUnavailable(() => putInPlace(incoming, placeOf(this.#root, key)))
    } catch (error) {
      await rm(incoming, { force: true }).catch(() => {})
      throw error
    }
    return intake.total()
  }

  async get(key: string, { range, signal }: GetOptions = {}): Promise<FoundObject | null> {
    assertObjectKey(key)
    if (signal?.aborted) throw new ObjectStoreFailure('aborted')
    const { file } = placeOf(this.#root, key)
    const handle = await orNull(() => open(file, constants.O_RDONLY | constants.O_NOFOLLOW))
    if (handle === null) return null
    try {
      const { size } = await handle.stat()
      const served = servedRange(range, size)
      const bounds = served === undefined ? {} : { start: served.first, end: served.last }
      const stream = handle.createReadStream({ ...bounds, ...(signal === undefined ? {} : { signal }) })
      return { stream, sizeBytes: size, range: served }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async stat(key: string): Promise<ObjectStat | null> {
    assertObjectKey(key)
    const found = await orNull(() => stat(placeOf(this.#root, key).file))
    return found === null ? null : { sizeBytes: found.size, modifiedAt: found.mtime }
  }

  async delete(key: string): Promise<void> {
    assertObjectKey(key)
    const { folder, file } = placeOf(this.#root, key)
    await orNull(async () => {
      await unlink(file)
      await syncFolder(folder)
      await this.#removeEmpty(folder)
    })
  }

  async list(prefix: string, after = '', limit = LONGEST_PAGE): Promise<ListPage> {
    return await orUnavailable(async () => {
      const objects: ListedObject[] = []
      for await (const key of keysOf(this.#root, { prefix, after })) {
        const found = await this.stat(key).catch(unlessInvalid)
        if (found === null) continue
        if (objects.length === limit) return { objects, next: objects.at(-1)?.key }
        objects.push({ key, ...found })
      }
      return { objects, next: undefined }
    })
  }

  async presign(): Promise<null> {
    return null
  }

  async sweepLeftovers(olderThanMs: number): Promise<number> {
    return await orUnavailable(async () => {
      let swept = 0
      for (const name of await readdir(this.#incoming)) {
        const file = join(this.#incoming, name)
        const found = await orNull(() => stat(file))
        if (found === null || Date.now() - Math.floor(found.mtimeMs) < olderThanMs) continue
        await rm(file, { force: true })
        swept += 1
      }
      return swept
    })
  }

  close(): void {}

  /** Removes the folder and those above it, up to the first that is not empty. */
  async #removeEmpty(folder: string): Promise<void> {
    for (let empty = folder; empty !== this.#root; empty = dirname(empty)) {
      const isRemoved = await rmdir(empty).then(
        () => true,
        () => false,
      )
      if (!isRemoved) return
    }
  }
}

/** Writes the chunks into a new file and sees them on the disk. */
async function writeWhole(file: string, intake: Intake): Promise<void> {
  const handle = await orUnavailable(() => open(file, 'wx', PRIVATE_FILE))
  try {
    for await (const chunk of intake.chunks) await orUnavailable(() => handle.writeFile(chunk))
    await orUnavailable(() => handle.sync())
  } finally {
    await handle.close()
  }
}

async function putInPlace(incoming: string, { folder, file }: Place): Promise<void> {
  for (let placing = 1; ; placing++) {
    try {
      await makeFolder(folder)
      await rename(incoming, file)
      break
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || placing === MOST_PLACINGS) throw error
    }
  }
  // Its folder is gone only where the object was deleted meanwhile.
  await orNull(() => syncFolder(folder))
}

/** Makes the folder and those above it, and sees their names on the disk. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER })
  if (first === undefined) return
  const outermost = dirname(first)
  for (let made = dirname(folder); made.startsWith(outermost); made = dirname(made)) {
    await syncFolder(made)
    if (made === outermost) return
  }
}

/** A rename is on the disk once its folder is. Windows keeps folders by itself, and can't open one. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function orNull<Result>(ask: () => Promise<Result>): Promise<Result | null> {
  return await orUnavailable(async () => {
    try {
      return await ask()
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null
      throw error
    }
  })
}

/** Every error of the system becomes `unavailable` with its code (`ENOSPC`, `EACCES` …) and without its path. */
async function orUnavailable<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof ObjectStoreFailure) throw error
    throw new ObjectStoreFailure('unavailable', codeOf(error))
  }
}

/** What somebody else put into the folders is not ours. */
function unlessInvalid(error: unknown): null {
  if (error instanceof ObjectStoreFailure && error.reason === 'invalid-key') return null
  throw error
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
