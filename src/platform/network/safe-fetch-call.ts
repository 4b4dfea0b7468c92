/** One request on a connection of its own, its answer as a stream that stops the socket while nobody reads. */
import { Readable } from 'node:stream'
import { Client, type Dispatcher, errors } from 'undici'
import type { Timeouts } from '#spec/ports.ts'
import type { SafeFetchError } from '#spec/safe-fetch.ts'
import { Deadlines } from './deadlines.ts'
import { type PinnedConnector, pinnedConnector, STRAYED } from './safe-fetch-connect.ts'
import { codeOf, failure, tooLarge } from './safe-fetch-failure.ts'

export interface SafeCallRequest {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string | undefined
  /** Judged already; nothing else is dialled. */
  readonly addresses: readonly string[]
  readonly maxBytes: number
  /** `fail`: a longer body is an error. `cut`: it ends there. */
  readonly beyond: 'fail' | 'cut'
  readonly timeouts: Timeouts
  readonly signal: AbortSignal
}

export interface SafeCallAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readable
}

/** Sends once. Rejects with a SafeFetchError until the head has come; from then on the body fails with one. */
export function safeCall(request: SafeCallRequest): Promise<SafeCallAnswer> {
  return new Promise((resolve, reject) => {
    if (request.signal.aborted) return reject(failure('aborted'))
    new SafeCall(request, resolve, reject).send()
  })
}

const MALFORMED: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

class SafeCall implements Dispatcher.DispatchHandler {
  readonly #request: SafeCallRequest
  readonly #resolve: (answer: SafeCallAnswer) => void
  readonly #reject: (error: Error) => void
  readonly #connector: PinnedConnector
  readonly #client: Client
  readonly #deadlines: Deadlines
  #controller: Dispatcher.DispatchController | undefined
  #body: Readable | undefined
  #bytes = 0
  #settled = false

  constructor(
    request: SafeCallRequest,
    resolve: (answer: SafeCallAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#request = request
    this.#resolve = resolve
    this.#reject = reject
    this.#connector = pinnedConnector(request.addresses, request.timeouts.connectMs)
    // Deadlines are our own: exact, and one of them spans the redirects.
    this.#client = new Client(request.url.origin, {
      connect: this.#connector.connect,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    this.#deadlines = new Deadlines(request.timeouts, reason => this.#fail(failure('timeout', reason)))
    request.signal.addEventListener('abort', this.#onAbort)
  }

  send(): void {
    const { url, method, headers, body } = this.#request
    const path = url.pathname + url.search
    this.#client.dispatch({ path, method, headers, body: body ?? null, reset: true }, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
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
    const body = new Readable({
      highWaterMark: 256 * 1024,
      read: () => this.#resume(),
      destroy: (error, callback) => {
        this.#settle()
        callback(error)
      },
    })
    // A failure before anybody reads must not end the process; who reads later still meets it.
    body.on('error', () => undefined)
    this.#body = body
    this.#resolve({ status, headers: joinRepeated(headers), body })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return
    this.#deadlines.received()
    const room = this.#request.maxBytes - this.#bytes
    this.#bytes += chunk.length
    if (chunk.length > room && this.#request.beyond === 'fail') {
      this.#fail(tooLarge(this.#request.maxBytes))
      return
    }
    const wantsMore = this.#body?.push(chunk.subarray(0, room)) ?? false
    if (chunk.length >= room && this.#request.beyond === 'cut') this.#end()
    else if (!wantsMore) {
      controller.pause()
      this.#deadlines.paused()
    }
  }

  onResponseEnd(): void {
    if (!this.#settled) this.#end()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const code = codeOf(error)
    if (code === 'UND_ERR_INVALID_ARG') this.#fail(new TypeError('a header of this request cannot be sent'))
    else this.#fail(this.#failureOf(error, code))
  }

  #failureOf(error: Error, code: string): SafeFetchError {
    if (code === STRAYED) return failure('blocked_address', code)
    if (this.#controller === undefined) return failure('connect_failed', code)
    const isMalformed = error instanceof errors.HTTPParserError || MALFORMED.has(code)
    return failure(isMalformed ? 'bad_response' : 'connection_lost', code)
  }

  #resume(): void {
    if (this.#settled || this.#controller?.paused !== true) return
    this.#deadlines.received()
    this.#controller.resume()
  }

  #end(): void {
    this.#settle()
    this.#body?.push(null)
  }

  #onAbort = (): void => this.#fail(failure('aborted'))

  #fail(error: Error): void {
    if (this.#settled) return
    this.#settle()
    if (this.#body === undefined) this.#reject(error)
    else this.#body.destroy(error)
  }

  #settle(): void {
    if (this.#settled) return
    this.#settled = true
    this.#deadlines.stop()
    this.#request.signal.removeEventListener('abort', this.#onAbort)
    this.#connector.abandon()
    this.#client.destroy().catch(() => undefined)
  }
}

function joinRepeated(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const joined = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    [value ?? ''].flat().join(', '),
  ])
  return Object.fromEntries(joined) as Record<string, string>
}
