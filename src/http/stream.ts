/** A streamed answer: head at the first write, backpressure, heartbeats, and an end for readers that stall. */
import type { ServerResponse } from 'node:http'
import type { WireStream } from '#spec/gateway.ts'
import { ChunkedWriter } from './chunked.ts'
import type { HttpConfig } from './config.ts'
import type { Pulse, Pulsed } from './pulse.ts'

const HEARTBEAT = ': keep-alive\n\n'

/** What a stream needs from the exchange it belongs to. */
export interface StreamOwner {
  readonly response: ServerResponse
  readonly pulse: Pulse
  readonly config: Pick<HttpConfig, 'heartbeatMs' | 'headFlushMs' | 'streamBufferBytes' | 'stallTimeoutMs'>
  /** Writes the head into the response; called once. */
  writeHead(): void
  /** The client did not take what was written: cut it off. */
  cutOff(): void
  /** The trailers to send, `undefined` where the client did not ask for any. */
  trailersOf(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined
  /** The last byte was handed over. */
  ended(): void
}

/** Each write must hold whole events: a heartbeat may go out between any two writes. */
export class OutgoingStream implements WireStream, Pulsed {
  readonly #owner: StreamOwner
  /** Only server-sent events have comments; other formats get no heartbeat and no early head. */
  readonly #hasComments: boolean
  #over = false
  /** Set when the head is out. */
  #writer: ChunkedWriter | undefined = undefined
  #lastWriteMs: number
  #stalledSinceMs: number | undefined = undefined
  #drained: Promise<void> | undefined = undefined
  #resume: (() => void) | undefined = undefined
  #bytesOut = 0

  constructor(owner: StreamOwner, contentType: string) {
    this.#owner = owner
    this.#hasComments = contentType.startsWith('text/event-stream')
    owner.pulse.add(this)
    this.#lastWriteMs = owner.pulse.nowMs
  }

  get open(): boolean {
    return !this.#over
  }

  get headSent(): boolean {
    return this.#writer !== undefined
  }

  get bytesOut(): number {
    return this.#bytesOut
  }

  write(bytes: string | Buffer): Promise<void> | undefined {
    if (this.#over || bytes.length === 0) return undefined
    const { response, pulse, config } = this.#owner
    const writer = this.#head()
    const byteLength = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length
    this.#lastWriteMs = pulse.nowMs
    this.#bytesOut += byteLength
    if (writer.write(bytes, byteLength) || response.writableLength <= config.streamBufferBytes) {
      return this.#drained
    }
    return this.#waitForDrain()
  }

  end(trailers: Readonly<Record<string, string>>): void {
    if (this.#over) return
    this.stop()
    this.#head().end(this.#owner.trailersOf(trailers))
    this.#owner.ended()
  }

  /** The client has gone, or another answer took this one's place: nothing more is written. */
  stop(): void {
    this.#over = true
    this.#owner.pulse.delete(this)
    this.#resume?.()
  }

  tick(nowMs: number): void {
    const { config, response } = this.#owner
    if (this.#stalledSinceMs !== undefined) {
      // Behind another answer on a pipelined connection, it is not the reader who is slow.
      if (response.socket === null) this.#stalledSinceMs = nowMs
      if (nowMs - this.#stalledSinceMs >= config.stallTimeoutMs) this.#owner.cutOff()
      return
    }
    if (!this.#hasComments) return
    const silentMs = nowMs - this.#lastWriteMs
    if (silentMs >= (this.#writer ? config.heartbeatMs : config.headFlushMs)) this.write(HEARTBEAT)
  }

  #head(): ChunkedWriter {
    if (!this.#writer) {
      this.#owner.writeHead()
      this.#writer = new ChunkedWriter(this.#owner.response)
    }
    return this.#writer
  }

  #waitForDrain(): Promise<void> {
    this.#stalledSinceMs ??= this.#owner.pulse.nowMs
    this.#drained ??= new Promise(resolve => {
      const resume = () => {
        this.#owner.response.off('drain', resume)
        this.#drained = undefined
        this.#resume = undefined
        this.#stalledSinceMs = undefined
        resolve()
      }
      this.#resume = resume
      this.#owner.response.once('drain', resume)
    })
    return this.#drained
  }
}
