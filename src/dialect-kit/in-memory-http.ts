/**
 * Serves a dialect without a socket, in the order `http/` does: find the endpoint, check the key, bound the body,
 * hand over, and write whatever was thrown in the dialect's shape. For tests.
 */
import { createHash } from 'node:crypto'
import type { Dialect, Endpoint } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, Gateway, WireAnswer, WireFile, WireReply, WireStream } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'

/** 2026-01-01T00:00:00Z and a fixed tail, so that golden answers do not change. */
export const REQUEST_ID = '019b76da-a800-7000-8000-0123456789ab' as Uuid

export interface MemoryRequest {
  readonly method: string
  /** Path and query, without the mount. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer | undefined
}

export interface MemoryAnswer {
  readonly status: number
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly streamed: boolean
}

/** Answers one request. Rejects only where the dialect broke its contract, as by answering twice or not at all. */
export async function serveInMemory(
  dialect: Dialect,
  gateway: Gateway,
  request: MemoryRequest,
): Promise<MemoryAnswer> {
  const url = new URL(request.url, 'http://localhost')
  const isHead = request.method === 'HEAD'
  const found = findEndpoint(dialect, isHead ? 'GET' : request.method, url.pathname)
  const call = callFor(dialect, found?.endpoint.path ?? url.pathname, request)
  const reply = new MemoryReply()
  let speaker = dialect
  try {
    if (found === undefined) throw new GatewayError('not_found', 'There is no such path.')
    const { endpoint, params } = found
    const headers = lowerCase(request.headers ?? {})
    let isKnown = false
    const admit = async (by: Dialect) => {
      if (!isKnown) await gateway.authenticate(call, headers.authorization)
      isKnown = true
      await by.enter?.(call, gateway)
    }
    if (endpoint.access === 'key') await admit(dialect)
    const body = request.body === undefined ? undefined : Buffer.from(request.body)
    if ((body?.length ?? 0) > endpoint.bodyLimitBytes) {
      throw new GatewayError('payload_too_large', `The body is larger than ${endpoint.bodyLimitBytes} bytes.`)
    }
    const query = Object.fromEntries(url.searchParams)
    const handOver = async (to: Dialect, toEndpoint: Endpoint) => {
      speaker = to
      call.dialect = to.id
      if (toEndpoint.access === 'key') await admit(to)
      await toEndpoint.handle(exchange)
    }
    const exchange = { request: { params, query, headers, body, isHead }, call, gateway, reply, handOver }
    await endpoint.handle(exchange)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    reply.send(speaker.renderError(error, call, gateway))
  }
  return reply.answer()
}

interface Found {
  readonly endpoint: Endpoint
  readonly params: Readonly<Record<string, string>>
}

function findEndpoint(dialect: Dialect, method: string, path: string): Found | undefined {
  for (const endpoint of dialect.endpoints) {
    if (endpoint.method !== method) continue
    const match = patternOf(endpoint.path).exec(path)
    if (match) return { endpoint, params: paramsOf(endpoint.path, match) }
  }
  return undefined
}

function patternOf(path: string): RegExp {
  const source = path
    .replaceAll('.', '\\.')
    .replace(/\*$/, '(.*)')
    .replaceAll(/:[a-zA-Z]+/g, '([^/]+)')
  return new RegExp(`^${source}$`)
}

function paramsOf(path: string, match: RegExpExecArray): Record<string, string> {
  const names = [...path.matchAll(/:([a-zA-Z]+)|(\*)$/g)].map(name => name[1] ?? '*')
  return Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? '')]))
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** Handing a request over changes whose it is. */
type MemoryCall = Omit<Call, 'dialect'> & { dialect: string }

function callFor(dialect: Dialect, route: string, request: MemoryRequest): MemoryCall {
  return {
    requestId: REQUEST_ID,
    dialect: dialect.id,
    route,
    idempotencyKey: lowerCase(request.headers ?? {})['idempotency-key'],
    bodyDigest: () =>
      createHash('sha256')
        .update(request.body ?? '')
        .digest('hex'),
    startedMonotonicMs: 0,
    signal: new AbortController().signal,
    principal: undefined,
    billing: { chargedNanoUsd: 0n, heldNanoUsd: 0n, availableNanoUsd: undefined },
    servedBy: undefined,
  }
}

class MemoryReply implements WireReply {
  #answer: MemoryAnswer | undefined
  #ended = false

  send(answer: WireAnswer): void {
    if (this.#answer !== undefined) throw new Error('a second answer was sent')
    const { status, contentType, headers = {}, body } = answer
    this.#answer = { status, contentType, headers, body: Buffer.from(body), streamed: false }
    this.#ended = true
  }

  async sendFile({ status, contentType, headers, bytes }: WireFile): Promise<void> {
    const chunks: Uint8Array[] = []
    for await (const chunk of bytes) chunks.push(chunk)
    this.send({ status, contentType, headers, body: Buffer.concat(chunks) })
  }

  stream(head: Parameters<WireReply['stream']>[0]): WireStream {
    const chunks: Buffer[] = []
    return {
      open: true,
      get headSent() {
        return chunks.length > 0
      },
      write: (bytes: string | Buffer) => {
        if (this.#ended) throw new Error('something was written after the end')
        chunks.push(Buffer.from(bytes))
        return undefined
      },
      end: (): void => {
        this.#ended = true
        const { contentType, headers = {} } = head
        this.#answer = { status: 200, contentType, headers, body: Buffer.concat(chunks), streamed: true }
      },
    }
  }

  answer(): MemoryAnswer {
    if (this.#answer === undefined || !this.#ended) throw new Error('the dialect did not answer')
    return this.#answer
  }
}
