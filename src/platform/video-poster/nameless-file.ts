/** A film on the disk, without a name: nothing finds it, and nothing is left of it however this process ends. */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface NamelessFile {
  /** Descriptors for one reader each, at the beginning of the file: some systems share the place of copies. */
  readonly readers: readonly number[]
  close(): Promise<void>
}

/**
 * Copies the bytes into a file of the system's temporary folder that has no name any more. `undefined` where they are
 * more than `mostBytes`, or the signal aborts; what throws is thrown on.
 */
export async function namelessFile(
  bytes: AsyncIterable<Uint8Array>,
  { readers, mostBytes, signal }: { readers: number; mostBytes: number; signal: AbortSignal },
): Promise<NamelessFile | undefined> {
  const path = join(tmpdir(), `tollgate-film-${randomUUID()}`)
  const writer = await open(path, 'wx', 0o600)
  const handles: FileHandle[] = [writer]
  const close = async () => {
    for (const handle of handles.splice(0)) await handle.close()
  }
  let isWhole = false
  try {
    while (handles.length <= readers) handles.push(await open(path, 'r'))
    await unlink(path)
    isWhole = await fill(writer, bytes, mostBytes, signal)
    return isWhole ? { readers: handles.slice(1).map(({ fd }) => fd), close } : undefined
  } finally {
    if (!isWhole) await close()
  }
}

async function fill(
  file: FileHandle,
  bytes: AsyncIterable<Uint8Array>,
  mostBytes: number,
  signal: AbortSignal,
): Promise<boolean> {
  const iterator = bytes[Symbol.asyncIterator]()
  const aborted = new Promise<undefined>(resolve => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  let size = 0
  try {
    for (;;) {
      if (signal.aborted) return false
      // A source that has fallen silent is not waited for any longer than the signal is.
      const next = await Promise.race([iterator.next(), aborted])
      if (next === undefined) return false
      if (next.done === true) return true
      size += next.value.byteLength
      if (size > mostBytes) return false
      await file.writeFile(next.value)
    }
  } finally {
    // Not waited for: a source that hangs does not end for being told to.
    iterator.return?.()?.catch(() => undefined)
  }
}
