/** The file is broken, or holds what is not drawn here; nothing else is thrown while one is read. */
export class UnreadableMesh extends Error {}

export function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new UnreadableMesh(`no ${what}`)
  return value
}

/** For what a picture can do without: `undefined` where it is unreadable. */
export function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnreadableMesh) return undefined
    throw error
  }
}
