/** Looking at the beginning of a stream before deciding where it goes. */

export interface PeekedSource {
  /** As many bytes as were asked, or all there are. */
  readonly head: Uint8Array
  /** Everything, the head included. Leaving it early closes the source. */
  readonly whole: AsyncIterable<Uint8Array>
  /** Closes the source, where the whole is not wanted after all. */
  close(): Promise<void>
}

/** Reads the first bytes of a source. Its errors are let through. */
export async function peekSource(
  source: AsyncIterable<Uint8Array>,
  headBytes: number,
): Promise<PeekedSource> {
  const iterator = source[Symbol.asyncIterator]()
  const head = new Uint8Array(headBytes)
  let length = 0
  let rest: Uint8Array = new Uint8Array(0)
  while (length < headBytes) {
    const step = await iterator.next()
    if (step.done === true) break
    const taken = Math.min(step.value.length, headBytes - length)
    head.set(step.value.subarray(0, taken), length)
    length += taken
    rest = step.value.slice(taken)
  }
  const close = async () => {
    await iterator.return?.()
  }
  const filled = head.subarray(0, length)
  return { head: filled, whole: continued([filled, rest], iterator, close), close }
}

async function* continued(
  read: readonly Uint8Array[],
  iterator: AsyncIterator<Uint8Array>,
  close: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let hasEnded = false
  try {
    for (const part of read) if (part.length > 0) yield part
    for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) yield step.value
    hasEnded = true
  } finally {
    if (!hasEnded) await close()
  }
}
