/** The Node server under Fastify: its limits, and what it says to those who do not speak HTTP. */
import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { renderId } from '#spec/ids.ts'
import type { Edge } from './edge.ts'
import { bodyMalformed, bodyTooSlow } from './failure.ts'

/** Makes the server with every limit set. */
export function createHttpServer(edge: Edge, listener: RequestListener): Server {
  const { config } = edge
  const server = createServer(
    {
      headersTimeout: config.headersTimeoutMs,
      requestTimeout: config.requestTimeoutMs,
      connectionsCheckingInterval: config.connectionsCheckingIntervalMs,
      keepAliveTimeout: config.keepAliveTimeoutMs,
      maxHeaderSize: config.maxHeaderBytes,
      // Asked for in `request-head.ts`, where the answer can carry a request id.
      requireHostHeader: false,
      noDelay: true,
      joinDuplicateHeaders: false,
    },
    listener,
  )
  // One more than allowed is kept, so that too many can be told from just enough; Node drops the rest silently.
  server.maxHeadersCount = config.maxHeaders + 1
  if (config.maxConnections > 0) server.maxConnections = config.maxConnections
  server.on('connection', (socket: Socket) => edge.connections.of(socket))
  // `100 Continue` is sent when the body is wanted, which is after the key was checked.
  server.on('checkContinue', listener)
  // Other expectations are not ours to meet; the request is served as if it had none.
  server.on('checkExpectation', listener)
  server.on('drop', () => edge.metrics.connectionRefused('too_many_connections'))
  return server
}

interface SocketRefusal {
  readonly status: number
  readonly reason: string
  readonly message: string
}

const MALFORMED: SocketRefusal = {
  status: 400,
  reason: 'malformed',
  message: 'The request is not well-formed HTTP/1.1.',
}

/** By Node's error codes; every other is `MALFORMED`. */
const REFUSALS: Readonly<Record<string, SocketRefusal>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: 'header_overflow',
    message: 'The head of the request is too large.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    reason: 'chunk_extensions_overflow',
    message: 'The chunk extensions are too large.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    reason: 'request_timeout',
    message: 'The request did not arrive in time.',
  },
}

const GONE = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE'])

/** Answers what is not HTTP, too large a head or too slow a one with plain JSON, and closes the connection. */
export function refuseConnection(edge: Edge, error: NodeJS.ErrnoException, socket: Socket): void {
  const connection = edge.connections.of(socket)
  if (connection.refused) return
  const code = error.code ?? ''
  // A broken connection, or one that ended in the middle of a message, has nobody to talk to.
  if (GONE.has(code) || !socket.writable) {
    socket.destroy()
    return
  }
  // A body that is late or malformed belongs to a call, which can say so in its own dialect.
  const failure = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? bodyTooSlow() : bodyMalformed()
  for (const call of connection.calls) if (call.bodyFailed(failure)) return
  connection.refused = true
  const refusal = REFUSALS[code] ?? MALFORMED
  // Raw bytes must not land inside another call's answer: that one is finished, and then the connection closed.
  if (connection.calls.size === 0) {
    socket.end(rawAnswer(refusal, renderId('request', edge.ids.next())))
    setTimeout(() => socket.destroy(), edge.config.lingerMs).unref()
  }
  edge.metrics.connectionRefused(refusal.reason)
  edge.logger.debug({ status: refusal.status, reason: refusal.reason, code }, 'connection refused')
}

function rawAnswer(refusal: SocketRefusal, requestId: string): string {
  const body = JSON.stringify({ error: { code: refusal.reason, message: refusal.message } })
  return [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
