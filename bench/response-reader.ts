/** Reads HTTP/1.1 answers off a socket: status, and the bytes of a sized or chunked body. No allocation per read. */

export interface ResponseEvents {
  /** Bytes of the body; a view that is only good during the call. */
  body(bytes: Buffer): void
  /** The answer is whole. */
  end(status: number): void
}

type State = 'head' | 'sized' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers'

export class ResponseReader {
  readonly #events: ResponseEvents
  #state: State = 'head'
  #status = 0
  /** Bytes still to come of the body, or of the chunk. */
  #left = 0
  /** A head or line that has not come whole. */
  #rest: Buffer | undefined

  constructor(events: ResponseEvents) {
    this.#events = events
  }

  /** Takes one read. Throws where the bytes are not HTTP as we know it. */
  push(read: Buffer): void {
    let bytes = read
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, read])
      this.#rest = undefined
    }
    let at = 0
    while (at < bytes.length) {
      const next = this.#step(bytes, at)
      if (next === undefined) {
        this.#rest = Buffer.from(bytes.subarray(at))
        return
      }
      at = next
    }
  }

  /** Reads one thing and says where the next begins, or `undefined` where it is not there whole. */
  #step(bytes: Buffer, at: number): number | undefined {
    switch (this.#state) {
      case 'head':
        return this.#head(bytes, at)
      case 'sized':
      case 'chunk':
        return this.#data(bytes, at)
      case 'chunk-size':
        return this.#line(bytes, at, line => this.#size(line))
      case 'chunk-end':
        return this.#line(bytes, at, () => (this.#state = 'chunk-size'))
      case 'trailers':
        return this.#line(bytes, at, line => {
          if (line === '') this.#whole()
        })
    }
  }

  #head(bytes: Buffer, at: number): number | undefined {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end < 0) return undefined
    const head = bytes.toString('latin1', at, end)
    this.#status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (length !== undefined) {
      this.#state = 'sized'
      this.#left = Number(length)
      if (this.#left === 0) this.#whole()
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) this.#state = 'chunk-size'
    else throw new Error('an answer has neither length nor chunks')
    return end + 4
  }

  #data(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left)
    this.#left -= end - at
    this.#events.body(bytes.subarray(at, end))
    if (this.#left === 0) {
      if (this.#state === 'sized') this.#whole()
      else this.#state = 'chunk-end'
    }
    return end
  }

  #line(bytes: Buffer, at: number, take: (line: string) => void): number | undefined {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) return undefined
    take(bytes.toString('latin1', at, end))
    return end + 2
  }

  #size(line: string): void {
    const size = Number.parseInt(line, 16)
    if (Number.isNaN(size)) throw new Error('a chunk has no size')
    this.#left = size
    this.#state = size === 0 ? 'trailers' : 'chunk'
  }

  #whole(): void {
    this.#state = 'head'
    this.#events.end(this.#status)
  }
}
