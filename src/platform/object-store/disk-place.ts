/**
 * Where an object's file is. Folders are those of the key; inside the last one a folder named after the first two
 * characters of the name (`.ab/abcdef.png`) keeps any single folder small where names are random. A key's own folders
 * never begin with a dot, so the two can't be confused, and the order of keys is the order of a walk.
 */
import { join } from 'node:path'

/** Where puts are written until they are whole. Same file system, and no key reaches it. */
export const INCOMING_FOLDER = '.incoming'

export interface Place {
  readonly folder: string
  readonly file: string
}

/** The place of a valid key under the root. */
export function placeOf(root: string, key: string): Place {
  const segments = key.split('/')
  const name = segments.pop() ?? ''
  const folder = join(root, ...segments, `.${name.slice(0, 2)}`)
  return { folder, file: join(folder, name) }
}
