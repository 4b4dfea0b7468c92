/**
 * What there is to beat: a proxy of the same parts as Tollgate (Fastify in front, undici behind) that does nothing but
 * pass a call on. No key, no price, no ledger, no log. The body goes through as bytes, an answer read by read.
 *
 * node bench/bare-proxy.ts <origin of the upstream>
 */
import process from 'node:process'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { type Dispatcher, Pool } from 'undici'

const [origin] = process.argv.slice(2)
if (origin === undefined) throw new Error('bare-proxy needs the origin of the upstream')
const upstream = new Pool(origin, { connections: null, pipelining: 1, keepAliveTimeout: 60_000 })

const app = Fastify({ keepAliveTimeout: 75_000, bodyLimit: 1_048_576 })
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
app.removeContentTypeParser('application/json')
app.post('/v1/chat/completions', (request, reply) => {
  reply.hijack()
  upstream.dispatch(
    {
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { authorization: request.headers.authorization, 'content-type': 'application/json' },
      body: request.body as Buffer,
    },
    new PassOn(request, reply),
  )
})
const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.send?.({ kind: 'listening', port: Number(new URL(url).port) })
process.on('disconnect', () => process.exit(0))

/** Hands each read of the upstream to the client as one write. */
class PassOn implements Dispatcher.DispatchHandler {
  readonly #client: FastifyReply['raw']

  constructor(request: FastifyRequest, reply: FastifyReply) {
    this.#client = reply.raw
    request.raw.on('error', () => {})
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#client.on('close', () => {
      if (!this.#client.writableFinished) controller.abort(new Error('the client left'))
    })
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    const length = headers['content-length']
    const type = String(headers['content-type'])
    this.#client.writeHead(
      status,
      length === undefined
        ? { 'content-type': type }
        : { 'content-type': type, 'content-length': String(length) },
    )
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#client.write(chunk)) return
    controller.pause()
    this.#client.once('drain', () => controller.resume())
  }

  onResponseEnd(): void {
    this.#client.end()
  }

  onResponseError(): void {
    if (this.#client.headersSent) this.#client.destroy()
    else this.#client.writeHead(502).end()
  }
}
