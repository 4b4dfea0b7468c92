/** One outbound call as undici drives it: no promise, stream or copy per read. */
import type { Dispatcher } from 'undici'
import {
  ExchangeFailure,
  type ExchangeFailureReason,
  type OutboundHead,
  type OutboundRequest,
} from '#spec/ports.ts'
import { Deadlines } from './deadlines.ts'

export type CallResult = OutboundHead & { readonly body: Buffer | undefined }

/** What the caller does with the answer: decided at the head. */
export interface AnswerSink {
  onHead(head: OutboundHead): 'stream' | 'collect'
  onData(chunk: Buffer): void | Promise<void>
}

/** Codes of a kept-alive socket that died while a request waited to be written on it. */
const STALE_SOCKET = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_INFO'])

export class OutboundCall implements Dispatcher.DispatchHandler {
  readonly #request: OutboundRequest
  readonly #sink: AnswerSink
  readonly #dispatch: (call: OutboundCall) => void
  readonly #resolve: (result: CallResult) => void
  readonly #reject: (error: unknown) => void
  readonly #deadlines: Deadlines
  #controller: Dispatcher.DispatchController | undefined
  #head: OutboundHead | undefined
  #streaming = false
  #chunks: Buffer[] = []
  #collectedBytes = 0
  #flushing = false
  #blocked = false
  #dispatchedAgain = false
  #settled = false
  /** How the connection ended, kept until everything that was read is delivered. */
  #ended: ExchangeFailure | 'whole' | undefined

  constructor(
    request: OutboundRequest,
    sink: AnswerSink,
    dispatch: (call: OutboundCall) => void,
    resolve: (result: CallResult) => void,
    reject: (error: unknown) => void,
  ) {
    this.#request = request
    this.#sink = sink
    this.#dispatch = dispatch
    this.#resolve = resolve
    this.#reject = reject
    this.#deadlines = new Deadlines(request.timeouts, reason => this.#fail(new ExchangeFailure(reason)))
    request.signal.addEventListener('abort', this.#onAbort)
  }

  /** Undici calls it right before it writes: until then nothing was sent. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Throwing gives the connection back unused; aborting would destroy it.
    if (this.#settled) throw new ExchangeFailure('aborted')
    this.#controller = controller
    this.#deadlines.sent()
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#settled || status < 200) return
    this.#deadlines.received()
    this.#head = { status, headers: joinRepeated(headers) }
    try {
      this.#streaming = this.#sink.onHead(this.#head) === 'stream'
    } catch (error) {
      this.#fail(error)
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return
    this.#chunks.push(chunk)
    if (this.#streaming) {
      if (this.#blocked || this.#flushing) return
      // One read of the socket may hold many HTTP chunks: they are handed on together.
      this.#flushing = true
      this.#deadlines.received()
      queueMicrotask(this.#flush)
      return
    }
    this.#deadlines.received()
    this.#collectedBytes += chunk.length
    if (this.#collectedBytes > this.#request.maxResponseBytes) this.#fail(new ExchangeFailure('too-large'))
  }

  onResponseEnd(): void {
    this.#end('whole')
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#settled) return
    const code = codeOf(error)
    if (this.#controller === undefined && !this.#dispatchedAgain && STALE_SOCKET.has(code)) {
      this.#dispatchedAgain = true
      // Later: undici asserts that the client it is failing stays empty.
      queueMicrotask(() => this.#dispatch(this))
      return
    }
    this.#end(new ExchangeFailure(this.#reasonOf(code), new Error(code)))
  }

  #reasonOf(code: string): ExchangeFailureReason {
    if (this.#controller === undefined) return 'connect'
    if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return 'aborted'
    if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'too-large'
    return 'reset'
  }

  #end(how: ExchangeFailure | 'whole'): void {
    if (this.#settled) return
    this.#ended = how
    this.#deadlines.paused()
    if (this.#blocked || this.#flushing) return
    if (this.#streaming) this.#flush()
    else this.#finish(how)
  }

  #flush = (): void => {
    this.#flushing = false
    if (this.#settled) return
    const chunk = takeAll(this.#chunks)
    this.#chunks = []
    if (chunk !== undefined) {
      try {
        const ready = this.#sink.onData(chunk)
        if (ready !== undefined) {
          this.#waitFor(ready)
          return
        }
      } catch (error) {
        this.#fail(error)
        return
      }
    }
    if (this.#ended !== undefined) this.#finish(this.#ended)
  }

  #waitFor(ready: Promise<void>): void {
    this.#blocked = true
    this.#controller?.pause()
    this.#deadlines.paused()
    ready.then(this.#unblock, error => this.#fail(error))
  }

  #unblock = (): void => {
    this.#blocked = false
    if (this.#settled) return
    if (this.#ended === undefined) {
      this.#deadlines.received()
      this.#controller?.resume()
    }
    if (!this.#flushing && !this.#blocked) this.#flush()
  }

  #finish(how: ExchangeFailure | 'whole'): void {
    const head = this.#head
    if (how !== 'whole' || head === undefined) {
      this.#fail(how === 'whole' ? new ExchangeFailure('reset') : how)
      return
    }
    this.#settle()
    const body = this.#streaming ? undefined : (takeAll(this.#chunks) ?? Buffer.alloc(0))
    this.#resolve({ status: head.status, headers: head.headers, body })
  }

  #onAbort = (): void => this.#fail(new ExchangeFailure('aborted'))

  #fail(error: unknown): void {
    if (this.#settled) return
    this.#settle()
    this.#chunks = []
    this.#controller?.abort(error instanceof Error ? error : new ExchangeFailure('aborted'))
    this.#reject(error)
  }

  #settle(): void {
    this.#settled = true
    this.#deadlines.stop()
    this.#request.signal.removeEventListener('abort', this.#onAbort)
  }
}

function takeAll(chunks: readonly Buffer[]): Buffer | undefined {
  return chunks.length < 2 ? chunks[0] : Buffer.concat(chunks)
}

/** A code and never a message: undici's messages name hosts, and its parser errors carry bytes of the answer. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'UNKNOWN'
}

function joinRepeated(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  for (const name in headers) {
    const value = headers[name]
    if (Array.isArray(value)) headers[name] = value.join(', ')
  }
  return headers as Record<string, string>
}
