/** An answer that may be a file: read in pieces by whoever stores it, at the pace it is stored at. */
import {
  type Exchange,
  ExchangeFailure,
  type OutboundAnswer,
  type OutboundHead,
  type OutboundRequest,
} from '#spec/ports.ts'

export type OpenedAnswer =
  | { readonly kind: 'whole'; readonly answer: OutboundAnswer }
  | { readonly kind: 'pieces'; readonly head: OutboundHead; readonly pieces: AsyncIterable<Uint8Array> }

/** More is no file that is wanted anywhere. The object store has a bound of its own below it. */
const MAX_FILE_BYTES = 4 * 1024 * 1024 * 1024

/**
 * Sends, and decides at the head whether the body is a file. Its pieces can be read once; one that is left unread holds the
 * vendor back, and leaving them early ends the call. Rejects with an ExchangeFailure, as do the pieces.
 */
export function openAnswer(
  exchange: Exchange,
  request: OutboundRequest,
  isFile: (head: OutboundHead) => boolean,
): Promise<OpenedAnswer> {
  const abandoned = new AbortController()
  const pipe = new Pipe(() => abandoned.abort())
  const signal = AbortSignal.any([request.signal, abandoned.signal])
  let isPiped = false
  return new Promise((resolve, reject) => {
    const onHead = (head: OutboundHead): 'stream' | 'collect' => {
      isPiped = isFile(head)
      if (isPiped) resolve({ kind: 'pieces', head, pieces: pipe.pieces() })
      return isPiped ? 'stream' : 'collect'
    }
    exchange
      .stream({ ...request, signal }, onHead, chunk => pipe.push(chunk))
      .then(
        ({ body, ...head }) => {
          if (isPiped) pipe.end(undefined)
          else resolve({ kind: 'whole', answer: { ...head, body: body ?? Buffer.alloc(0) } })
        },
        error => {
          if (isPiped) pipe.end(error)
          else reject(error)
        },
      )
  })
}

/** One piece at a time from who is pushed to, to who pulls. */
class Pipe {
  readonly #abandon: () => void
  #piece: Buffer | undefined
  #bytes = 0
  #ended: { readonly error: unknown } | undefined
  #taken = (): void => undefined
  #arrived = (): void => undefined

  constructor(abandon: () => void) {
    this.#abandon = abandon
  }

  /** Resolves when the piece has been taken. */
  push(piece: Buffer): Promise<void> {
    this.#bytes += piece.length
    if (this.#bytes > MAX_FILE_BYTES) return Promise.reject(new ExchangeFailure('too-large'))
    this.#piece = piece
    const taken = new Promise<void>(resolve => {
      this.#taken = resolve
    })
    this.#arrived()
    return taken
  }

  end(error: unknown): void {
    this.#ended = { error }
    this.#arrived()
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = await this.#next()
        if (piece === undefined) return
        yield piece
      }
    } finally {
      if (this.#ended === undefined) this.#abandon()
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    while (this.#piece === undefined && this.#ended === undefined) {
      await new Promise<void>(resolve => {
        this.#arrived = resolve
      })
    }
    const piece = this.#piece
    if (piece === undefined && this.#ended?.error !== undefined) throw this.#ended.error
    this.#piece = undefined
    this.#taken()
    return piece
  }
}
