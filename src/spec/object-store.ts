/**
 * Where the bytes of artifacts and uploads live. Implemented on a disk and on S3 by `platform/object-store`.
 *
 * A store keeps bytes under a key and knows nothing else: whose they are, what they are and when they go is in the
 * rows of the module that put them there. Bytes are what the vendor or the client sent; nothing may trust them.
 */
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type ByteReader, readerOf } from '#lib/byte-reader.ts'

/**
 * `folder/folder/name.ext`: one to eight folders, then a name of at least two characters with exactly one extension;
 * lower-case letters, digits, `-` and `_` (so that a disk that folds case keeps keys apart), at most 512 characters.
 * Neither `..`, nor an absolute path, nor a file that is also a folder can be written in it.
 */
const OBJECT_KEY = /^(?:[a-z0-9][a-z0-9_-]{0,63}\/){1,8}[a-z0-9][a-z0-9_-]{1,127}\.[a-z0-9]{1,8}$/
const LONGEST_KEY = 512

/** Whether the text is a key of an object. */
export function isObjectKey(text: string): boolean {
  return text.length <= LONGEST_KEY && OBJECT_KEY.test(text)
}

export interface PutOptions {
  /** Lower-case `type/subtype`, decided from the bytes. Only a presigned link ever shows it. */
  readonly contentType: string
  /** One byte more, and nothing is kept: `too-large`. */
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
}

export interface StoredObject {
  readonly sizeBytes: number
  /** Of the bytes, lower-case hex. */
  readonly sha256: string
}

/** First and last byte, counted from 0, both included, as in HTTP. `last` is cut to the end; `undefined`: to the end. */
export interface ByteRange {
  readonly first: number
  readonly last?: number | undefined
}

export interface GetOptions {
  readonly range?: ByteRange | undefined
  readonly signal?: AbortSignal | undefined
}

export interface FoundObject {
  /** The asked bytes. Read it to its end or destroy it: it holds a file or a connection open. */
  readonly stream: Readable
  /** Of the whole object, whatever part was asked. */
  readonly sizeBytes: number
  /** What the stream gives; `undefined` for the whole object. */
  readonly range: Required<ByteRange> | undefined
}

export interface ObjectStat {
  readonly sizeBytes: number
  readonly modifiedAt: Date
}

export interface ListedObject extends ObjectStat {
  readonly key: string
}

export interface ListPage {
  /** In order of their keys, byte by byte. */
  readonly objects: readonly ListedObject[]
  /** Give it as `after` for what follows; `undefined` where this was the last page. */
  readonly next: string | undefined
}

export interface PresignOptions {
  /** At most 604,800 (7 days). */
  readonly expiresInSeconds: number
  readonly responseContentType?: string | undefined
  readonly responseContentDisposition?: string | undefined
}

/**
 * Every method rejects with an ObjectStoreFailure. A key of another shape is `invalid-key`, and nothing is touched.
 */
export interface ObjectStore {
  /**
   * Keeps the bytes under the key, durably, in place of what was there. All or nothing: until it resolves readers find
   * what was there before, and a crash leaves no part of it. Memory is bounded whatever the size. An error of the
   * source is let through as it is. After `unavailable` the object may be there, but only whole.
   */
  put(key: string, source: AsyncIterable<Uint8Array> | Uint8Array, options: PutOptions): Promise<StoredObject>
  /** The object, or `null` where there is none. A range that begins past the end is `range-not-satisfiable`. */
  get(key: string, options?: GetOptions): Promise<FoundObject | null>
  stat(key: string): Promise<ObjectStat | null>
  /** Idempotent: an object that is not there is gone. */
  delete(key: string): Promise<void>
  /** Objects whose key begins with the prefix and comes after `after`: a page of at most `limit` (1 to 1,000). */
  list(prefix: string, after?: string, limit?: number): Promise<ListPage>
  /** A link anybody may read the object with until it expires: a secret. `null` where the store has no door of its own. */
  presign(key: string, options: PresignOptions): Promise<string | null>
  /** Removes what puts that never ended left behind, where it is older than this. Gives how many. */
  sweepLeftovers(olderThanMs: number): Promise<number>
  /** Lets connections go. Nothing may be asked any more. */
  close(): void
}

export type ObjectStoreFailureReason =
  | 'invalid-key'
  /** More than `maxBytes` came. Nothing was kept. */
  | 'too-large'
  /** Our own signal. Nothing was kept. */
  | 'aborted'
  | 'range-not-satisfiable'
  /** The store refused, could not be reached or is full. */
  | 'unavailable'

/** `message` names no host, no path and no credential: at most the store's own error code. */
export class ObjectStoreFailure extends Error {
  readonly reason: ObjectStoreFailureReason
  /** Of the whole object, with `range-not-satisfiable`, where the store said it. */
  readonly sizeBytes: number | undefined

  constructor(reason: ObjectStoreFailureReason, detail?: string, sizeBytes?: number) {
    super(`object store: ${reason}${detail === undefined ? '' : ` (${detail})`}`)
    this.name = 'ObjectStoreFailure'
    this.reason = reason
    this.sizeBytes = sizeBytes
  }
}

/** Throws `invalid-key` unless the text is a key of an object. */
export function assertObjectKey(key: string): void {
  if (!isObjectKey(key)) throw new ObjectStoreFailure('invalid-key')
}

/** Reads here and there in an object, in blocks and so many of them at most (`lib/byte-reader`). */
export function objectReader(
  store: ObjectStore,
  key: string,
  sizeBytes: number,
  signal?: AbortSignal,
): ByteReader {
  return readerOf(sizeBytes, async (first, length) => {
    const found = await store.get(key, { range: { first, last: first + length - 1 }, signal })
    return found === null ? new Uint8Array(0) : await buffer(found.stream)
  })
}
