/**
 * Where callbacks go, in a process of its own: one port that answers at once and counts, and one that is dead in the
 * worst way: it takes the connection and never answers. Only loopback.
 */
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import process from 'node:process'

/** Forgets what came and tells when so many different callbacks have come. */
export type ReceiverRequest = { readonly kind: 'expect'; readonly count: number }

export type ReceiverReply =
  | { readonly kind: 'listening'; readonly port: number; readonly deadPort: number }
  | { readonly kind: 'expecting' }
  /** Times in epoch milliseconds; `all` counts those that came twice too. */
  | { readonly kind: 'received'; readonly firstMs: number; readonly lastMs: number; readonly all: number }

const seen = new Set<string>()
let expected = Number.POSITIVE_INFINITY
let all = 0
let firstMs = 0

const living = createHttpServer((request, response) => {
  request.resume()
  request.on('end', () => {
    response.end('ok')
    received(String(request.headers['webhook-id']))
  })
})
const hanging = new Set<Socket>()
const dead = createServer(socket => {
  hanging.add(socket)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => hanging.delete(socket))
  socket.resume()
})

process.on('message', (request: ReceiverRequest) => {
  seen.clear()
  all = 0
  firstMs = 0
  expected = request.count
  reply({ kind: 'expecting' })
})
// Its parent is all it lives for.
process.on('disconnect', () => process.exit(0))
reply({ kind: 'listening', port: await listen(living), deadPort: await listen(dead) })

function received(id: string): void {
  const nowMs = performance.timeOrigin + performance.now()
  if (all === 0) firstMs = nowMs
  all += 1
  if (seen.has(id)) return
  seen.add(id)
  if (seen.size === expected) reply({ kind: 'received', firstMs, lastMs: nowMs, all })
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: 0, backlog: 1024 }, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('the receiver has no port'))
      else resolve(address.port)
    })
  })
}

function reply(message: ReceiverReply): void {
  process.send?.(message)
}
