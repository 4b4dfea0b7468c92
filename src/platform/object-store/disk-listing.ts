/** The keys of a disk store in order, without ever holding more than one folder's names in memory per level. */
import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { INCOMING_FOLDER } from './disk-place.ts'

export interface KeyRange {
  readonly prefix: string
  /** Keys up to and including this one are left out. */
  readonly after: string
}

/** The keys in the range, in byte order. What is removed meanwhile may be among them. */
export async function* keysOf(root: string, range: KeyRange): AsyncGenerator<string> {
  yield* keysBelow(root, '', range)
}

/** `base` is the key of the folder: empty, or ending in a slash. */
async function* keysBelow(folder: string, base: string, range: KeyRange): AsyncGenerator<string> {
  const groups = groupsOf(await entriesOf(folder))
  for (const start of [...groups.keys()].sort()) {
    if (!mayHold(base + start, range)) continue
    for (const child of await childrenOf(folder, start, groups.get(start) ?? [])) {
      const key = base + child
      if (!mayHold(key, range)) continue
      if (child.endsWith('/')) yield* keysBelow(join(folder, child), key, range)
      else if (key > range.after && key.startsWith(range.prefix)) yield key
    }
  }
}

/**
 * The entries by the first two characters of the keys below them, because the files of `.ab/` and the folders that
 * begin with `ab` are neighbours in the order of keys. A group holds its folders, with their slash.
 */
function groupsOf(entries: readonly Dirent[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { name } of entries.filter(entry => entry.isDirectory() && entry.name !== INCOMING_FOLDER)) {
    const isFanOut = name.startsWith('.')
    const start = isFanOut ? name.slice(1) : `${name}/`.slice(0, 2)
    const folders = groups.get(start) ?? []
    if (!isFanOut) folders.push(`${name}/`)
    groups.set(start, folders)
  }
  return groups
}

async function childrenOf(folder: string, start: string, folders: readonly string[]): Promise<string[]> {
  const files = await entriesOf(join(folder, `.${start}`))
  return [...files.filter(entry => entry.isFile()).map(entry => entry.name), ...folders].sort()
}

/** Whether a key that begins with `start` can be in the range. */
function mayHold(start: string, { prefix, after }: KeyRange): boolean {
  const isOnTheWay = prefix.startsWith(start) || start.startsWith(prefix)
  return isOnTheWay && (start > after || after.startsWith(start))
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
