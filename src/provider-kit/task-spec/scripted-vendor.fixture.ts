/** A vendor on the loopback that answers from a list, for specs whose hosts are the vendor's own names. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { createExchange } from '#platform/network/exchange.ts'
import type { Exchange, OutboundRequest } from '#spec/ports.ts'
import type { ProviderOutput, StartRequest, TaskCapability } from '#spec/task-provider.ts'
import { startRequest, taskContext } from '../task-conformance/bench.suite.ts'
import { defineTaskProvider } from './define-task-provider.ts'
import type { TaskProviderSpec } from './spec.ts'

export interface VendorReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON; a function sends pieces and decides when it ends. */
  readonly body?: object | Buffer | string | ((response: ServerResponse) => void)
}

export interface VendorRequest {
  readonly method: string
  /** The name that was called. */
  readonly host: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

export interface ScriptedVendor {
  readonly asked: VendorRequest[]
  readonly tasks: TaskCapability
  answers(...replies: readonly VendorReply[]): void
}

/** What says nothing of a vendor, for specs that are about something else. */
export const ANY_VENDOR = {
  homepage: 'https://vendor.test',
  stopsBillingOnAbort: false,
  operations: ['image'],
  inputForms: ['url'],
  withheldOptions: [],
  auth: { header: 'authorization', prefix: 'Bearer ' },
} as const

const NAME_HEADER = 'x-called-name'

/** The whole way is real but for the names: an exchange, sockets, and bytes on them. It closes with the test. */
export async function openScriptedVendor(
  spec: TaskProviderSpec,
  ...replies: VendorReply[]
): Promise<ScriptedVendor> {
  const asked: VendorRequest[] = []
  const server = createServer(async (request, response) => {
    const headers: Record<string, string | undefined> = {}
    for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value)
    const { [NAME_HEADER]: host = '', ...sent } = headers
    const { method = '', url: path = '' } = request
    asked.push({ method, host, path, headers: sent, body: await buffer(request) })
    const reply = replies.shift() ?? { status: 599, body: { error: 'one call too many' } }
    send(response, reply)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const exchange = createExchange()
  onTestFinished(async () => {
    await exchange.close()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const { tasks } = defineTaskProvider(spec).create(
    { baseUrl: spec.defaultBaseUrl, apiKey: 'secret-key' },
    {
      exchange: renamed(exchange, `http://127.0.0.1:${port}`),
      clock: { nowMs: () => 1_700_000_000_000, monotonicMs: () => 0, sleep: async () => undefined },
    },
  )
  if (tasks === undefined) throw new Error('no tasks')
  return {
    asked,
    tasks,
    answers: (...more) => {
      replies.push(...more)
    },
  }
}

function send(response: ServerResponse, { status = 200, headers = {}, body = '' }: VendorReply): void {
  if (typeof body === 'function') {
    response.writeHead(status, headers)
    body(response)
  } else if (typeof body === 'string' || Buffer.isBuffer(body)) {
    response.writeHead(status, headers).end(body)
  } else {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
}

/** Calls whatever host is named on the one server, which is told the name. */
function renamed(exchange: Exchange, origin: string): Exchange {
  const rename = (request: OutboundRequest): OutboundRequest => {
    const url = new URL(request.url)
    if (url.protocol !== 'https:') throw new Error(`${url.protocol} was called`)
    const headers = { ...request.headers, [NAME_HEADER]: url.host }
    return { ...request, headers, url: `${origin}${url.pathname}${url.search}` }
  }
  return {
    fetch: request => exchange.fetch(rename(request)),
    stream: (request, onHead, onData) => exchange.stream(rename(request), onHead, onData),
  }
}

/** The handle of a job that was started. */
export async function startedAt(
  { tasks }: ScriptedVendor,
  model: string,
  overrides: Partial<StartRequest> = {},
) {
  const started = await tasks.start(startRequest(model, overrides), taskContext())
  if (started.kind !== 'started') throw new Error(`expected a handle, got ${started.kind}`)
  return started.handle
}

/** Parsed by somebody else's parser. */
export function formOf({ headers, body }: VendorRequest): Promise<FormData> {
  const type = headers['content-type'] ?? ''
  return new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
}

/** The bytes of an output that is no address. */
export async function bytesOf(output: ProviderOutput | undefined): Promise<Buffer> {
  if (output === undefined || !('read' in output.source)) throw new Error('expected bytes')
  const read = await output.source.read()
  return read instanceof Uint8Array ? Buffer.from(read) : buffer(read)
}
