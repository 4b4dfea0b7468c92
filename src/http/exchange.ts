/** One request and its one answer: the only place that writes to a client's response. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dialect, Endpoint, WireRequest } from '#spec/dialect.ts'
import type { GatewayError } from '#spec/errors.ts'
import type { WireAnswer, WireFile, WireReply, WireStream } from '#spec/gateway.ts'
import { HttpCall } from './call.ts'
import type { Connection, InFlight } from './connection.ts'
import type { Edge, Route } from './edge.ts'
import { asGatewayError } from './failure.ts'
import { FlushWatch } from './flush-watch.ts'
import * as headers from './headers.ts'
import { linger } from './linger.ts'
import { plainError } from './plain-error.ts'
import { pour } from './pour.ts'
import { hasBody } from './request-head.ts'
import { OutgoingStream, type StreamOwner } from './stream.ts'

/** In the log and the metrics: the client left before there was an answer (nginx's number for it). */
const CLIENT_LEFT = 499

export class Exchange implements WireReply, InFlight, StreamOwner {
  readonly call: HttpCall
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly route: Route
  readonly #edge: Edge
  readonly #connection: Connection
  /** Whose words the answer is in: the route's, or of the dialect that a shared path was handed over to. */
  #speaker: Dialect
  #answered = false
  #clientGone = false
  #handling = false
  #closed = false
  #askedBalance = false
  /** An answer that waits for the balance, which is asked for when its handler is done. */
  #unsent: WireAnswer | undefined = undefined
  #stream: OutgoingStream | undefined = undefined
  #streamHead: { contentType: string; headers?: Readonly<Record<string, string>> } | undefined = undefined
  #streamsOpen = false
  #saidClose = false
  /** The status of the error that broke off a stream. */
  #brokenOff: number | undefined = undefined
  /** Stops whatever reads the body; set by `body.ts`. */
  onClientGone: (() => void) | undefined = undefined
  readingBody = false

  constructor(edge: Edge, route: Route, request: IncomingMessage, response: ServerResponse) {
    this.#edge = edge
    this.route = route
    this.#speaker = route.dialect
    this.request = request
    this.response = response
    this.#connection = edge.connections.of(request.socket)
    this.#connection.begin(this, response)
    edge.drain.callOpened()
    const idempotencyKey = request.headers['idempotency-key']
    this.call = new HttpCall({
      requestId: edge.ids.next(),
      dialect: route.dialect.id,
      route: route.path,
      idempotencyKey: typeof idempotencyKey === 'string' ? idempotencyKey : undefined,
      startedMonotonicMs: edge.clock.monotonicMs(),
    })
  }

  get pulse() {
    return this.#edge.pulse
  }

  get config() {
    return this.#edge.config
  }

  /** The client left, or was answered already: nobody waits for this call any more. */
  get over(): boolean {
    return this.#clientGone || this.#answered
  }

  /** Calls in flight on this connection, this one included. */
  get pipelined(): number {
    return this.#connection.calls.size
  }

  /** Runs the endpoint. Never rejects: whatever it throws is answered. */
  async serve(endpoint: Endpoint, request: WireRequest): Promise<void> {
    if (this.over) return
    this.#handling = true
    try {
      // A read charges nothing, so nothing tells it the balance that every answer carries.
      if (endpoint.method === 'GET') await this.#learnBalance()
      if (this.over) return
      await this.#handle(endpoint, request)
      await this.#sendUnsent()
      if (!this.over) throw new Error(`${this.route.label} ended without an answer`)
    } catch (thrown) {
      await this.#sendUnsent()
      await this.refuse(thrown)
    } finally {
      this.#handling = false
      this.#closeWhenDone()
    }
  }

  #handle(endpoint: Endpoint, request: WireRequest): Promise<void> {
    const { call } = this
    const { gateway } = this.#edge
    const handOver = async (dialect: Dialect, to: Endpoint) => {
      this.#speaker = dialect
      call.dialect = dialect.id
      if (to.access === 'key') await this.enter(dialect)
      if (to.method === 'GET') await this.#learnBalance()
      await to.handle({ request, call, gateway, reply: this, handOver })
    }
    return endpoint.handle({ request, call, gateway, reply: this, handOver })
  }

  /** Checks the key, unless it is known already, and tells the dialect that a request has come. */
  async enter(dialect: Dialect): Promise<void> {
    const { gateway } = this.#edge
    if (!this.call.principal) await gateway.authenticate(this.call, this.request.headers.authorization)
    await dialect.enter?.(this.call, gateway)
  }

  /** At once where the balance is known; else as soon as the handler is done, with the balance. */
  send(answer: WireAnswer): void {
    this.#refuseSecondAnswer()
    const { principal, billing } = this.call
    const isTold = billing.availableNanoUsd !== undefined || this.#askedBalance
    if (isTold || !principal || !this.route.isApi) this.#sendWhole(answer, undefined)
    else this.#unsent = answer
  }

  async #sendUnsent(): Promise<void> {
    if (this.#unsent === undefined) return
    await this.#learnBalance()
    const answer = this.#unsent
    this.#unsent = undefined
    this.#sendWhole(answer, undefined)
  }

  async sendFile(file: WireFile): Promise<void> {
    if (this.#clientGone) return
    this.#refuseSecondAnswer()
    const { call, response, request } = this
    const head = headers.commonHeaders(call, file.contentType)
    head.push('Content-Length', String(file.sizeBytes))
    if (this.#mustClose()) this.#sayClose(head)
    headers.pushAll(head, file.headers)
    response.writeHead(file.status, head)
    const isBodyless = request.method === 'HEAD' || file.sizeBytes === 0
    const sent = isBodyless ? 0 : await pour(file.bytes, response, this.config.stallTimeoutMs)
    if (sent === undefined) this.cutOff()
    else response.end()
    this.#finished(file.status, sent ?? 0)
  }

  stream(head: { contentType: string; headers?: Readonly<Record<string, string>> }): WireStream {
    this.#refuseSecondAnswer()
    this.#stream?.stop()
    this.#streamHead = head
    this.#stream = new OutgoingStream(this, head.contentType)
    if (this.#clientGone) this.#stream.stop()
    return this.#stream
  }

  /** As `fail`, with the balance in its headers where the key is known. */
  async refuse(thrown: unknown): Promise<void> {
    await this.#learnBalance()
    this.fail(thrown)
  }

  /** Asks for the balance, where there is a key and no step of the call has told it. A database that is away has none to tell. */
  async #learnBalance(): Promise<void> {
    const { call } = this
    if (!call.principal || call.billing.availableNanoUsd !== undefined || this.over) return
    if (this.#askedBalance) return
    this.#askedBalance = true
    try {
      const availableNanoUsd = await this.#edge.gateway.balance(call)
      call.billing = { ...call.billing, availableNanoUsd }
    } catch {
      // The answer says what it has to say without it.
    }
  }

  /** Answers with an error in the dialect's shape, or cuts the connection where a stream has begun. */
  fail(thrown: unknown, extraHeaders?: Readonly<Record<string, string>>): void {
    const error = asGatewayError(thrown)
    if (this.over) {
      if (this.#answered) this.#logFailure(error, 'a handler failed after its answer')
      return
    }
    this.#logFailure(error, 'a call failed')
    if (this.#stream?.headSent) {
      this.#breakOff(this.#stream, error)
      return
    }
    const answer = this.#renderError(error)
    this.#sendWhole(
      extraHeaders ? { ...answer, headers: { ...answer.headers, ...extraHeaders } } : answer,
      error,
    )
  }

  clientGone(): void {
    this.#clientGone = true
    this.call.abort()
    this.#stream?.stop()
    this.onClientGone?.()
    this.#closeWhenDone()
  }

  bodyFailed(error: GatewayError): boolean {
    if (!this.readingBody || this.over || this.request.complete) return false
    this.onClientGone?.()
    this.fail(error)
    return true
  }

  /** For `OutgoingStream`: the client does not read, or the stream cannot be finished. */
  cutOff(): void {
    this.#connection.socket.destroy()
  }

  /** For `OutgoingStream`. */
  writeHead(): void {
    const { call, response } = this
    const streamHead = this.#streamHead
    const head = headers.commonHeaders(call, streamHead?.contentType ?? 'application/octet-stream')
    head.push('Cache-Control', 'no-store', 'X-Accel-Buffering', 'no')
    if (this.route.isApi) headers.pushStreamBilling(head, call, this.#edge.gateway.credits)
    if (this.#wantsTrailers) head.push('Trailer', headers.TRAILER_NAMES)
    if (this.#mustClose()) this.#sayClose(head)
    headers.pushAll(head, streamHead?.headers)
    response.writeHead(200, head)
    this.#streamsOpen = true
    this.#edge.metrics.streamOpened()
    this.route.metrics.firstByte(this.#ageMs())
  }

  /** For `OutgoingStream`. */
  trailersOf(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
    if (!this.#wantsTrailers) return undefined
    return { ...headers.billingTrailers(this.call, this.#edge.gateway.credits), ...given }
  }

  /** For `OutgoingStream`. */
  ended(): void {
    this.#finished(200, this.#stream?.bytesOut ?? 0)
  }

  /** `TE: trailers`; HTTP/1.0 and HEAD have no chunks to put them behind. */
  get #wantsTrailers(): boolean {
    const { headers, httpVersion, method } = this.request
    if (httpVersion !== '1.1' || method === 'HEAD' || !this.route.isApi) return false
    return /\btrailers\b/i.test(String(headers.te ?? ''))
  }

  #sendWhole(answer: WireAnswer, error: GatewayError | undefined): void {
    if (this.#clientGone) return
    this.#refuseSecondAnswer()
    this.#stream?.stop()
    const { call, response, request } = this
    const bytes = typeof answer.body === 'string' ? Buffer.byteLength(answer.body) : answer.body.length
    const head = headers.commonHeaders(call, answer.contentType)
    head.push('Content-Length', String(bytes))
    if (this.route.isApi) headers.pushBilling(head, call, this.#edge.gateway.credits)
    if (error) headers.pushRetryAdvice(head, error, call)
    headers.pushAll(head, answer.headers)
    const unread = hasBody(request) && !request.complete
    if (unread || this.#mustClose()) this.#sayClose(head)
    response.writeHead(answer.status, head)
    if (unread) linger(request, response, answer.body, this.config.lingerMs)
    else response.end(answer.body)
    this.#finished(answer.status, bytes)
  }

  #refuseSecondAnswer(): void {
    if (this.#answered || this.#unsent !== undefined || this.#stream?.headSent)
      throw new Error('a second answer to one request')
  }

  /** The dialect's own shape; where even that fails, a plain one. */
  #renderError(error: GatewayError): WireAnswer {
    try {
      return this.#speaker.renderError(error, this.call, this.#edge.gateway)
    } catch (thrown) {
      this.#edge.logger.error({ err: thrown, dialect: this.#speaker.id }, 'an error could not be rendered')
      return plainError(error)
    }
  }

  #mustClose(): boolean {
    const { drain, config } = this.#edge
    if (drain.phase !== 'serving' || this.#connection.refused) return true
    return config.maxRequestsPerConnection > 0 && this.#connection.requests >= config.maxRequestsPerConnection
  }

  #sayClose(head: string[]): void {
    this.#saidClose = true
    head.push('Connection', 'close')
  }

  #finished(status: number, bytesOut: number): void {
    this.#answered = true
    this.#connection.calls.delete(this)
    // The head of a stream may have gone out before the drain began.
    if (this.#mustClose() && !this.#saidClose) this.#connection.retire()
    FlushWatch.start(this)
    this.#record(status, bytesOut)
    this.#closeWhenDone()
  }

  /**
   * Ends a stream that cannot be finished: what was written still goes out, and the missing last chunk tells the client
   * that it is not whole. HTTP/1.0 has no chunks, so there only a reset can tell.
   */
  #breakOff(stream: OutgoingStream, error: GatewayError): void {
    this.#brokenOff = error.status
    stream.stop()
    const { socket } = this.#connection
    if (this.request.httpVersion === '1.0' || this.response.socket === null) socket.destroy()
    else {
      FlushWatch.start(this)
      socket.destroySoon()
    }
  }

  #closeWhenDone(): void {
    if (this.#closed || this.#handling || !this.over) return
    this.#closed = true
    if (this.#clientGone && !this.#answered)
      this.#record(this.#brokenOff ?? CLIENT_LEFT, this.#stream?.bytesOut ?? 0)
    this.#edge.drain.callClosed()
  }

  #ageMs(): number {
    return this.#edge.clock.monotonicMs() - this.call.startedMonotonicMs
  }

  #record(status: number, bytesOut: number): void {
    const ms = this.#ageMs()
    if (this.#streamsOpen) this.#edge.metrics.streamClosed()
    this.#streamsOpen = false
    this.route.metrics.answered(status, ms)
    this.#logAccess(status, ms, bytesOut)
  }

  #logAccess(status: number, ms: number, bytesOut: number): void {
    const { call, route } = this
    if (!route.isApi) return
    this.#edge.accessLog({
      requestId: call.wireId,
      dialect: this.#speaker.id,
      route: route.label,
      status,
      ms,
      bytesOut,
      workspaceId: call.principal?.workspaceId,
      keyId: call.principal?.keyId,
      model: call.model,
      provider: call.servedBy,
      chargedNanoUsd: call.billing.chargedNanoUsd,
    })
  }

  /**
   * Refusals are in the access log, and failures of providers are told where they happen. What is left is ours: a bug
   * or an unknown outcome needs a person; a refusal whose cause only the operator may read is for whoever asks why.
   */
  #logFailure(error: GatewayError, event: string): void {
    const isOurs = error.retry === 'unknown'
    const isOperators = error.code === 'model_unavailable' || error.code === 'model_without_price'
    const isAway = error.code === 'database_unavailable' || error.code === 'storage_unavailable'
    if (!isOurs && !isOperators && !isAway) return
    const { call, route } = this
    const fields = { requestId: call.wireId, route: route.label, code: error.code }
    if (isOurs) this.#edge.logger.error({ ...fields, err: error }, event)
    else
      this.#edge.logger.info(
        { ...fields, reason: error.cause instanceof Error ? error.cause.message : undefined },
        event,
      )
  }
}
