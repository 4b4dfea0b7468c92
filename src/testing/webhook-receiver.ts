/** A receiver of callbacks on the loopback: it remembers what it got and answers by a script. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface ReceivedWebhook {
  readonly path: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly atMonotonicMs: number
}

/** A status, with headers where it needs some; `hang` never answers; `break` closes the connection. */
export type WebhookAnswer =
  | number
  | { readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | 'hang'
  | 'break'

/** What is answered to a request, `index` counting all from 0. A promise holds the answer back. */
export type WebhookScript = (
  request: ReceivedWebhook,
  index: number,
) => WebhookAnswer | Promise<WebhookAnswer>

export interface WebhookReceiver {
  /** Without a path. */
  readonly url: string
  /** As `ALLOWED_PRIVATE_HOSTS` writes it. */
  readonly host: string
  readonly requests: readonly ReceivedWebhook[]
  /** From now on it answers so. */
  answer(script: WebhookScript): void
  /** Resolves when so many requests have come in all, with all of them. */
  received(count: number): Promise<readonly ReceivedWebhook[]>
  /** Breaks what is open and stops. */
  close(): Promise<void>
}

/** Answers 200 where nothing else is said. */
export async function startWebhookReceiver(script: WebhookScript = () => 200): Promise<WebhookReceiver> {
  const requests: ReceivedWebhook[] = []
  const waiting = new Set<() => void>()
  const sockets = new Set<Socket>()
  let current = script

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await read(request)
    const index = requests.push(received) - 1
    for (const check of [...waiting]) check()
    send(response, await current(received, index))
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${host}`,
    host,
    requests,
    answer(next) {
      current = next
    },
    received: count =>
      new Promise(resolve => {
        const check = () => {
          if (requests.length < count) return
          waiting.delete(check)
          resolve(requests)
        }
        waiting.add(check)
        check()
      }),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function read(request: IncomingMessage): Promise<ReceivedWebhook> {
  const body = await buffer(request)
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  )
  return {
    path: request.url ?? '',
    headers,
    body: body.toString('utf8'),
    atMonotonicMs: performance.now(),
  }
}

function send(response: ServerResponse, answer: WebhookAnswer): void {
  if (answer === 'hang') return
  if (answer === 'break') {
    response.destroy()
    return
  }
  const { status, headers } = typeof answer === 'number' ? { status: answer, headers: {} } : answer
  response.writeHead(status, headers).end()
}
