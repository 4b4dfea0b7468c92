/** The file is broken, or holds what is not drawn here; nothing else is thrown while one is read. */
export class UnreadableMesh extends Error {}

export function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new UnreadableMesh(`no ${what}`)
  return value
}
