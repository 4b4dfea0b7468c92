/** Tells a server that has fallen silent from a reader that takes its time. */
import type { Readable } from 'node:stream'
import { ObjectStoreFailure } from '#spec/object-store.ts'

/** The answer of a request, or any other stream, of which nothing is known but that it ends. */
type WatchedStream = Readable & { readonly socket?: unknown; readonly complete?: boolean }

/**
 * Destroys the stream with `unavailable` when its socket brings nothing for so long although there is room for more.
 * A stream that nobody reads fills up and is left alone.
 */
export function watchForStall(stream: WatchedStream, silentMs: number): void {
  let seen = receivedBytes(stream)
  const timer = setInterval(() => {
    const received = receivedBytes(stream)
    const wantsMore = stream.complete !== true && stream.readableLength < stream.readableHighWaterMark
    if (received === seen && wantsMore) stream.destroy(new ObjectStoreFailure('unavailable', 'Stalled'))
    seen = received
  }, silentMs)
  timer.unref()
  const leave = () => clearInterval(timer)
  stream.once('close', leave).once('end', leave)
}

function receivedBytes({ socket }: { readonly socket?: unknown }): number {
  if (typeof socket !== 'object' || socket === null || !('bytesRead' in socket)) return 0
  return Number(socket.bytesRead)
}
