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
 * Copies the bytes of what is opened into a file of the system's temporary folder that has no name any more. `undefined`
 * where they are more than `mostBytes`, or the signal aborts; what throws is thrown on. Nothing is opened before there is
 * a place for it, and nothing that was opened stays so.
 */
export async function namelessFile(
  openSource: () => Promise<AsyncIterable<Uint8Array>>,
  { readers, mostBytes, signal }: { readers: number; mostBytes: number; signal: AbortSignal },
): Promise<NamelessFile | undefined> {
  const handles = await handlesOf(join(tmpdir(), `tollgate-film-${randomUUID()}`), readers)
  const close = async () => {
    for (const handle of handles.splice(0)) await handle.close()
  }
  let isWhole = false
  try {
    const [writer] = handles
    isWhole = writer !== undefined && (await fill(writer, openSource, mostBytes, signal))
    return isWhole ? { readers: handles.slice(1).map(({ fd }) => fd), close } : undefined
  } finally {
    if (!isWhole) await close()
  }
}

/** One that writes and so many that read; the name is gone, also where not all of them could be had. */
async function handlesOf(path: string, readers: number): Promise<FileHandle[]> {
  const handles = [await open(path, 'wx', 0o600)]
  try {
    while (handles.length <= readers) handles.push(await open(path, 'r'))
  } catch (error) {
    for (const handle of handles) await handle.close()
    throw error
  } finally {
    await unlink(path)
  }
  return handles
}

async function fill(
  file: FileHandle,
  openSource: () => Promise<AsyncIterable<Uint8Array>>,
  mostBytes: number,
  signal: AbortSignal,
): Promise<boolean> {
  const aborted = new Promise<undefined>(resolve => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  const opening = openSource()
  // A source that takes its time, or falls silent, is not waited for any longer than the signal is.
  const source = await Promise.race([opening, aborted])
  if (source === undefined) {
    opening.then(late => leave(late[Symbol.asyncIterator]())).catch(() => undefined)
    return false
  }
  const iterator = source[Symbol.asyncIterator]()
  let size = 0
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted])
      if (next === undefined || signal.aborted) return false
      if (next.done === true) return true
      size += next.value.byteLength
      if (size > mostBytes) return false
      await file.writeFile(next.value)
    }
  } finally {
    leave(iterator)
  }
}

/**
 * Asked once more before it is let go: a stream that was never begun would stay open. Not waited for: a source that hangs
 * does not end for being told to.
 */
function leave(iterator: AsyncIterator<Uint8Array>): void {
  iterator.next().catch(() => undefined)
  iterator.return?.()?.catch(() => undefined)
}
