/** A body from elsewhere, written at the pace of its reader. */
import type { ServerResponse } from 'node:http'

/**
 * Writes the bytes into the response and gives how many they were; `undefined` where the source broke off, the client left,
 * or it took nothing for so long. The source is always closed.
 */
export async function pour(
  bytes: AsyncIterable<Uint8Array>,
  response: ServerResponse,
  stallTimeoutMs: number,
): Promise<number | undefined> {
  let sent = 0
  try {
    for await (const chunk of bytes) {
      if (response.destroyed) return undefined
      sent += chunk.byteLength
      if (!response.write(chunk) && !(await drained(response, stallTimeoutMs))) return undefined
    }
    return sent
  } catch {
    return undefined
  }
}

function drained(response: ServerResponse, stallTimeoutMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const over = (isDrained: boolean) => () => {
      clearTimeout(timer)
      response.off('drain', onDrain)
      response.off('close', onClose)
      resolve(isDrained)
    }
    const onDrain = over(true)
    const onClose = over(false)
    const timer = setTimeout(onClose, stallTimeoutMs)
    response.once('drain', onDrain)
    response.once('close', onClose)
  })
}
