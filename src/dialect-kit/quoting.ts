/**
 * `POST /quote/<path of a call>`: what that call would cost, for every dialect and without any of them knowing. The call's own
 * endpoint handles the request, with a gateway that takes down what it is asked to make and makes nothing.
 */
import { z } from 'zod'
import type { Dialect, Endpoint, EndpointExchange, EndpointReference } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Gateway, StoredFile, WireAnswer, WireReply } from '#spec/gateway.ts'
import type { CreditScale } from '#spec/money.ts'
import type { Operation } from '#spec/operation.ts'
import type { Quote } from '#spec/receipt.ts'
import { endpoint } from './define-dialect.ts'

/** How a quote is written: the same whatever dialect the call is of. */
export interface QuoteWords {
  /** Of the answer's body. */
  readonly schema: z.ZodType
  readonly answer: (operation: Operation, quote: Quote, credits: CreditScale) => WireAnswer
  /** A call that can be quoted, its path as the parameter `*`. */
  readonly example: EndpointReference['example']
}

/** An endpoint that may be quoted, and whose it is. */
interface QuotableCall {
  readonly dialect: Dialect
  readonly endpoint: Endpoint
}

/**
 * The dialects with the quotes of all their calls, which are served by one of them: a key that is not good and a path that
 * is no call are answered in its shape. The calls of `elsewhere`, dialects that are served outside the mounts of these, are
 * quoted too, by their whole path. Throws where there is no dialect of that id.
 */
export function withQuotes(
  dialects: readonly Dialect[],
  ownerId: string,
  words: QuoteWords,
  elsewhere: readonly Dialect[] = [],
): readonly Dialect[] {
  if (!dialects.some(({ id }) => id === ownerId)) throw new Error(`there is no dialect "${ownerId}"`)
  const quotes = quoteEndpoint([...dialects, ...elsewhere], words)
  return dialects.map(dialect =>
    dialect.id === ownerId ? { ...dialect, endpoints: [...dialect.endpoints, quotes] } : dialect,
  )
}

/**
 * The endpoint of quotes. Once its path has named a call, the request is of that call's dialect, as if it had been made: its
 * id (fixed prices belong to a dialect), its door, its errors. A path that several claim is decided by the same rules, if
 * the dialects are given as they are served. Nothing is stored, held or made; a call that would be charged nothing in any
 * case has no quote.
 */
export function quoteEndpoint(dialects: readonly Dialect[], words: QuoteWords): Endpoint {
  const calls: readonly QuotableCall[] = dialects.flatMap(dialect =>
    dialect.endpoints
      .filter(({ method }) => method === 'POST')
      .map(one => ({ dialect, endpoint: bounded(one) })),
  )
  return endpoint({
    method: 'POST',
    path: '/quote/*',
    bodyLimitBytes: Math.max(...calls.map(({ endpoint: { bodyLimitBytes } }) => bodyLimitBytes)),
    reference: {
      summary: 'What a call would cost',
      description:
        'Send the body of the call to `/quote` and the path of the call: `/quote/images`, `/quote/jobs/createTask`. Nothing is made and nothing is charged.',
      tag: 'Account',
      body: { schema: z.looseObject({}).describe('The body of the call') },
      answer: { schema: words.schema },
      example: words.example,
    },
    async handle(exchange) {
      const path = exchange.request.params['*'] ?? ''
      const found = callAt(calls, path)
      if (found === undefined) {
        throw new GatewayError(
          'not_found',
          'There is no call at this path to quote. Use /quote and the path of the call, such as /quote/chat/completions.',
        )
      }
      await handOverToQuote(exchange, found, paramsOf(found.endpoint.path, path), words)
    },
  })
}

/** The endpoint with its own bound of a body: the edge has only held it to the largest of all calls. */
function bounded(call: Endpoint): Endpoint {
  return {
    ...call,
    async handle(exchange) {
      if ((exchange.request.body?.length ?? 0) > call.bodyLimitBytes) {
        throw new GatewayError('payload_too_large', `The body is larger than ${call.bodyLimitBytes} bytes.`)
      }
      await call.handle(exchange)
    },
  }
}

/** Hands the request to a dialect, whose endpoint is then asked what it would make. */
async function handOverToQuote(
  exchange: EndpointExchange,
  { dialect, endpoint: asked }: QuotableCall,
  params: Readonly<Record<string, string>>,
  words: QuoteWords,
): Promise<void> {
  if (exchange.handOver === undefined) throw new Error('this edge cannot hand a request over')
  await exchange.handOver(dialect, { ...asked, handle: inner => quoteCall(inner, asked, params, words) })
}

async function quoteCall(
  exchange: EndpointExchange,
  { handle }: Endpoint,
  params: Readonly<Record<string, string>>,
  words: QuoteWords,
): Promise<void> {
  const { request, call, gateway, reply } = exchange
  let operation: Operation | undefined
  let isHandedOver = false
  try {
    await handle({
      request: { ...request, params },
      call,
      gateway: quotingGateway(gateway, asked => {
        operation = asked
      }),
      reply: UNHEARD,
      async handOver(dialect, to) {
        isHandedOver = true
        await handOverToQuote(exchange, { dialect, endpoint: to }, params, words)
      },
    })
  } catch (thrown) {
    // What stopped the endpoint is ours where it had said what it wanted.
    if (operation === undefined) throw thrown
  }
  if (isHandedOver) return
  if (operation === undefined) throw nothingToQuote()
  reply.send(words.answer(operation, await gateway.quote(call, operation), gateway.credits))
}

/** Where the answers go of endpoints that make nothing. */
const UNHEARD: WireReply = {
  send() {},
  async sendFile() {},
  stream() {
    throw nothingToQuote()
  },
}

function nothingToQuote(): GatewayError {
  return new GatewayError('invalid_request', 'There is nothing to quote: this call makes nothing that costs.')
}

/** Stops an endpoint where the rest of it is no longer of interest. Never leaves this file. */
class Stop extends Error {}

/** The gateway for reading; whatever would be made is told to `ask` and stops the endpoint, whatever else would be changed is refused. */
function quotingGateway(gateway: Gateway, ask: (operation: Operation) => void): Gateway {
  const stop = (operation: Operation): never => {
    ask(operation)
    throw new Stop('the call is quoted, not made')
  }
  const refuse = (): never => {
    throw nothingToQuote()
  }
  return {
    credits: gateway.credits,
    authenticate: (call, authorization) => gateway.authenticate(call, authorization),
    hourlyLimit: call => gateway.hourlyLimit(call),
    balance: call => gateway.balance(call),
    account: call => gateway.account(call),
    receipt: (call, requestId) => gateway.receipt(call, requestId),
    publicModels: () => gateway.publicModels(),
    fixedPrice: (dialect, model) => gateway.fixedPrice(dialect, model),
    models: call => gateway.models(call),
    model: (call, name) => gateway.model(call, name),
    findTask: (call, id) => gateway.findTask(call, id),
    listTasks: (call, query) => gateway.listTasks(call, query),
    findArtifact: (call, url) => gateway.findArtifact(call, url),
    openFile: path => gateway.openFile(path),
    chat: async (_call, request) => stop(request),
    streamChat: async (_call, request) => stop(request),
    embed: async (_call, request) => stop(request),
    submit: async (_call, { request }) => stop(request),
    submitAndWait: async (_call, { request }) => stop(request),
    storeFile: async (call, source, { fileName }): Promise<StoredFile> => ({
      id: call.requestId,
      // RFC 2606: a name that never resolves.
      url: 'https://quoted.invalid/file',
      fileName: fileName ?? 'file',
      contentType: 'application/octet-stream',
      sizeBytes: 'bytes' in source ? source.bytes.length : 0,
      createdAt: new Date(0),
    }),
    quote: async () => refuse(),
    cancelTask: async () => refuse(),
    watchTask: async () => refuse(),
    webhooks: refuse,
    keyed: (_call, work) => work(() => undefined),
  }
}

/** The call at a path without its first slash; where several patterns fit, the one that says most. */
function callAt(calls: readonly QuotableCall[], path: string): QuotableCall | undefined {
  const fitting = calls.filter(({ endpoint: { path: pattern } }) =>
    fits(segmentsOf(pattern), segmentsOf(path)),
  )
  const [best] = fitting.sort((a, b) => vagueness(a.endpoint.path) - vagueness(b.endpoint.path))
  return best
}

function fits(pattern: readonly string[], asked: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === '*'
  const fixed = isOpen ? pattern.slice(0, -1) : pattern
  if (isOpen ? asked.length <= fixed.length : asked.length !== fixed.length) return false
  return fixed.every((segment, at) => segment.startsWith(':') || segment === asked[at])
}

/** Parameters count one, an open end more than any number of them. */
function vagueness(pattern: string): number {
  return segmentsOf(pattern).reduce((sum, one) => sum + (one === '*' ? 100 : one.startsWith(':') ? 1 : 0), 0)
}

function paramsOf(pattern: string, path: string): Readonly<Record<string, string>> {
  const asked = segmentsOf(path)
  return Object.fromEntries(
    segmentsOf(pattern).flatMap((segment, at) => {
      if (segment === '*') return [['*', asked.slice(at).join('/')]]
      return segment.startsWith(':') ? [[segment.slice(1), asked[at] ?? '']] : []
    }),
  )
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter(segment => segment !== '')
}
