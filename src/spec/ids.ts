/**
 * Ids are UUIDs of version 7 (RFC 9562): the first 48 bits are milliseconds, so they sort by time, and they
 * are made by us and never by the database, so a lost commit can be looked up by an id that was known before.
 *
 * In the database an id is a bare `uuid`. On the wire it carries the prefix of its kind (`req_…`, `key_…`), so
 * that an id pasted into a support mail says what it names. Secrets never share a prefix with an id.
 */
export type Uuid = string & { readonly __uuid: unique symbol }

/** The kinds of id a client can see, and their prefixes. */
export const ID_PREFIX = {
  request: 'req',
  key: 'key',
  workspace: 'ws',
  endpoint: 'whe',
  delivery: 'dlv',
  message: 'msg',
} as const

export type IdKind = keyof typeof ID_PREFIX

/** Writes an id for the wire: `req_` and 32 hex digits. */
export function renderId(kind: IdKind, id: Uuid): string {
  return `${ID_PREFIX[kind]}_${id.replaceAll('-', '')}`
}

const WIRE_ID = /^([a-z]+)_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/

/** Reads an id of the given kind from the wire (or a bare UUID), or `undefined` where it is not one. */
export function parseId(kind: IdKind, text: string): Uuid | undefined {
  const match = WIRE_ID.exec(text)
  if (match) {
    if (match[1] !== ID_PREFIX[kind]) return undefined
    return `${match[2]}-${match[3]}-${match[4]}-${match[5]}-${match[6]}` as Uuid
  }
  return isUuid(text) ? text : undefined
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether the text is a UUID in lower-case canonical form. */
export function isUuid(text: string): text is Uuid {
  return UUID.test(text)
}

/** The Unix time in milliseconds that a version 7 id carries. */
export function timeOfId(id: Uuid): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** A task's id on the wire: 32 hex digits, which every client of the seed APIs takes. It is the id of the request that made it. */
export function renderTaskId(id: Uuid): string {
  return id.replaceAll('-', '')
}

const TASK_ID = /^(?:req_)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/

/** Reads a task's id in any spelling we ever gave out, or `undefined`: then no such task can exist. */
export function parseTaskId(text: string): Uuid | undefined {
  const match = TASK_ID.exec(text)
  if (!match) return undefined
  return `${match[1]}-${match[2]}-${match[3]}-${match[4]}-${match[5]}` as Uuid
}
