/** The way in, the same for every store: what comes is measured, counted against its bound, and hashed. */
import { createHash } from 'node:crypto'
import { ObjectStoreFailure, type PutOptions, type StoredObject } from '#spec/object-store.ts'

export interface Intake {
  /** The source's chunks. Throws `too-large` and `aborted`; an error of the source is let through. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** What came in. Meaningful once the chunks have ended. */
  total(): StoredObject
}

const CONTENT_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/

/** Opens the source of a put. Throws a TypeError where the content type could not be written in a header. */
export function openIntake(
  source: AsyncIterable<Uint8Array> | Uint8Array,
  { contentType, maxBytes, signal }: PutOptions,
): Intake {
  if (!CONTENT_TYPE.test(contentType)) throw new TypeError('a content type is lower-case type/subtype')
  const hash = createHash('sha256')
  let sizeBytes = 0

  async function* measured(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source instanceof Uint8Array ? [source] : untilAborted(source, signal)) {
      if (signal?.aborted) throw new ObjectStoreFailure('aborted')
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) throw new ObjectStoreFailure('too-large')
      hash.update(chunk)
      yield chunk
    }
  }

  return { chunks: measured(), total: () => ({ sizeBytes, sha256: hash.copy().digest('hex') }) }
}

/** The source, left as soon as the signal says so, even while a chunk is awaited that never comes. */
async function* untilAborted(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (signal === undefined) return yield* source
  const abort = Promise.withResolvers<never>()
  abort.promise.catch(() => {})
  const onAbort = () => abort.reject(new ObjectStoreFailure('aborted'))
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const iterator = source[Symbol.asyncIterator]()
  let hasEnded = false
  try {
    while (true) {
      const step = await Promise.race([iterator.next(), abort.promise])
      if (step.done === true) {
        hasEnded = true
        return
      }
      yield step.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not awaited: a generator that waits for its next chunk would return only after that.
    if (!hasEnded) void iterator.return?.().then(undefined, () => {})
  }
}
