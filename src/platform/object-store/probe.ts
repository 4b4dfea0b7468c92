/** The check at the start: a store that can't be written, read and emptied is found out before the first artifact. */
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { type ObjectStore, ObjectStoreFailure } from '#spec/object-store.ts'

/** Puts, reads, lists and deletes one small object. Rejects with `unavailable` where any of it does not work. */
export async function probeObjectStore(store: ObjectStore): Promise<void> {
  const name = randomBytes(16).toString('hex')
  const key = `probe/${name}.bin`
  const content = Buffer.from(name)
  await store.put(key, content, { contentType: 'application/octet-stream', maxBytes: content.length })
  try {
    const found = await store.get(key)
    const read = found === null ? undefined : await buffer(found.stream)
    if (read?.equals(content) !== true) throw new ObjectStoreFailure('unavailable', 'NotWhatWasWritten')
    const { objects } = await store.list(key)
    if (objects[0]?.key !== key) throw new ObjectStoreFailure('unavailable', 'NotListed')
  } finally {
    await store.delete(key)
  }
}
