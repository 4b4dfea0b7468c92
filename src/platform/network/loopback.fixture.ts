/** Servers on the loopback, and requests to them, for the tests of the exchange. */
import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import {
  ExchangeFailure,
  type ExchangeFailureReason,
  type OutboundRequest,
  type Timeouts,
} from '#spec/ports.ts'

export const PATIENT: Timeouts = {
  connectMs: 5_000,
  firstByteMs: 5_000,
  betweenChunksMs: 5_000,
  totalMs: 10_000,
}

const cleanups: (() => Promise<unknown>)[] = []

/** Stops every server started since the last time. */
export async function stopServers(): Promise<void> {
  for (const cleanup of cleanups.splice(0)) await cleanup()
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Serves HTTP on a free port of the loopback until `stopServers`. */
export async function serve(handler: Handler): Promise<{ url: string; connections: () => number }> {
  let connections = 0
  const server = http.createServer(handler)
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { url: urlOf(server.address()), connections: () => connections }
}

/** Serves bare sockets likewise. */
export async function serveRaw(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = net.createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  return urlOf(server.address())
}

const urlOf = (address: AddressInfo | string | null) =>
  `http://127.0.0.1:${(address as AddressInfo).port}/v1/chat?a=1`

/** A request with patient bounds. */
export function request(url: string, overrides: Partial<OutboundRequest> = {}): OutboundRequest {
  return {
    method: 'POST',
    url,
    headers: { authorization: 'Bearer sk-very-secret', 'content-type': 'application/json' },
    body: '{"hello":"world"}',
    timeouts: PATIENT,
    signal: new AbortController().signal,
    maxResponseBytes: 1_000_000,
    ...overrides,
  }
}

/** The ExchangeFailure a call ends with. Throws where it ends otherwise. */
export async function failureOf(call: Promise<unknown>): Promise<ExchangeFailure> {
  const error: unknown = await call.then(
    () => 'no failure',
    reason => reason,
  )
  if (error instanceof ExchangeFailure) return error
  throw new Error(`expected an ExchangeFailure, got ${String(error)}`)
}

export async function reasonOf(call: Promise<unknown>): Promise<ExchangeFailureReason> {
  return (await failureOf(call)).reason
}

/** An address of the loopback that nobody listens on. */
export async function unusedPort(): Promise<string> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = urlOf(server.address())
  await new Promise(resolve => server.close(resolve))
  return url
}
