/** The simulated vendor itself: requests in, answers, refusals and faults out. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { base64Of, embedding, type Flavour, planChat, wholeBody } from './answers.ts'
import {
  createFaultDice,
  DEFAULT_DIRECTIVES,
  type Directives,
  directivesOf,
  type Fault,
  type FaultProfile,
} from './faults.ts'
import { Meter, type MeterPrices } from './meter.ts'
import { REFUSALS, refusalBody } from './refusals.ts'
import { sendStream } from './send-stream.ts'

export interface VendorOptions {
  readonly flavour?: Flavour | undefined
  /** Nano-dollars per million tokens by model; without it everything is free. */
  readonly prices?: MeterPrices | undefined
  readonly faults?: FaultProfile | undefined
  readonly seed?: number | undefined
  readonly defaults?: Partial<Directives> | undefined
  /** Where set, any other key is refused with 401. */
  readonly apiKey?: string | undefined
  /** How many bodies are remembered. None, for a benchmark. */
  readonly keepRequests?: number | undefined
  /** How many calls the meter can list; its totals are of all. */
  readonly keepCalls?: number | undefined
  readonly dimensions?: number | undefined
}

/** A request as it came. */
export interface ReceivedRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

const JSON_HEAD = { 'content-type': 'application/json' }

export class SimulatedVendor {
  readonly meter: Meter
  requests: ReceivedRequest[] = []
  readonly #options: VendorOptions
  readonly #flavour: Flavour
  readonly #defaults: Directives
  readonly #draw: () => Fault | undefined
  readonly #keepRequests: number
  #served = 0

  constructor(options: VendorOptions) {
    this.#options = options
    this.#flavour = options.flavour ?? 'openai'
    this.#defaults = { ...DEFAULT_DIRECTIVES, ...options.defaults }
    this.#draw = createFaultDice(options.faults ?? {}, options.seed ?? 1)
    this.#keepRequests = options.keepRequests ?? 100
    this.meter = new Meter(options.prices ?? {}, options.keepCalls ?? 10_000)
  }

  reset(): void {
    this.requests = []
    this.meter.reset()
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === 'GET') {
      this.#serveRead(request, response)
      return
    }
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const body = pieces.length === 1 ? String(pieces[0]) : Buffer.concat(pieces).toString()
      this.#servePost(request, response, body)
    })
    request.on('error', () => undefined)
  }

  #serveRead(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === '/__meter') {
      send(response, 200, JSON.stringify(this.meter.read()))
      return
    }
    if (request.url === '/__requests') {
      send(response, 200, JSON.stringify(this.requests))
      return
    }
    if (request.url === '/v1/models') {
      const data = [{ id: 'sim-model', object: 'model', created: 1_700_000_000, owned_by: 'simulated' }]
      send(response, 200, JSON.stringify({ object: 'list', data }))
      return
    }
    send(
      response,
      404,
      '{"error":{"message":"Not found","type":"invalid_request_error","param":null,"code":null}}',
    )
  }

  #servePost(request: IncomingMessage, response: ServerResponse, raw: string): void {
    if (request.url === '/__reset') {
      this.reset()
      send(response, 200, '{}')
      return
    }
    this.#remember(request, raw)
    const id = `chatcmpl-sim-${++this.#served}`
    const body = parsed(raw)
    const model = typeof body?.model === 'string' ? body.model : ''
    const directives = directivesOf(this.#defaults, this.#draw(), model, request.headers['x-sim'], raw)
    if (!this.#admits(request)) directives.fault = 'error401'
    if (body === undefined || model === '') directives.fault = 'error400'
    if (this.#refuses(response, id, model, directives)) return
    if (request.url === '/v1/embeddings') {
      this.#embed(response, id, model, body ?? {}, raw, directives)
      return
    }
    this.#chat(response, id, model, body ?? {}, raw, directives)
  }

  #remember(request: IncomingMessage, body: string): void {
    if (this.#keepRequests === 0) return
    this.requests.push({ path: request.url ?? '', headers: request.headers, body })
    if (this.requests.length > this.#keepRequests) this.requests.shift()
  }

  #admits(request: IncomingMessage): boolean {
    const { apiKey } = this.#options
    return apiKey === undefined || request.headers.authorization === `Bearer ${apiKey}`
  }

  /** Whether the call ends here: refused, hung up on, or answered with something that is no answer. */
  #refuses(response: ServerResponse, id: string, model: string, directives: Directives): boolean {
    const { fault } = directives
    if (fault === undefined) return false
    const refusal = REFUSALS[fault]
    if (refusal !== undefined) {
      if (refusal.status === 429) response.setHeader('retry-after', String(directives.retryAfterSeconds))
      send(response, refusal.status, refusalBody(refusal, this.#flavour))
    } else if (fault === 'reset') response.socket?.resetAndDestroy()
    else if (fault === 'html')
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><h1>Hello</h1>')
    else if (fault === 'not-json') send(response, 200, '{"id":"half')
    else if (fault === 'error-200') send(response, 200, refusalBody(errorOf('error502'), this.#flavour))
    else if (fault !== 'hang') return false
    this.meter.record(id, model, false, 'failed', { prompt: 0, cached: 0, cacheWrite: 0, completion: 0 })
    return true
  }

  #chat(
    response: ServerResponse,
    id: string,
    model: string,
    body: Readonly<Record<string, unknown>>,
    raw: string,
    directives: Directives,
  ): void {
    const stream = body.stream === true
    const streamOptions = body.stream_options as { include_usage?: unknown } | undefined
    const includeUsage = this.#flavour === 'openrouter' || streamOptions?.include_usage === true
    const asked = {
      model,
      stream,
      includeUsage,
      choices: typeof body.n === 'number' ? body.n : 1,
      limit: limitOf(body),
      tool: body.tool_choice === 'none' ? undefined : firstTool(body.tools),
      promptBytes: raw.length,
    }
    const plan = planChat(asked, directives, id, this.#flavour)
    if (stream) {
      sendStream(response, plan, includeUsage, directives, this.meter)
      return
    }
    const sound = directives.fault !== 'no-choices'
    this.meter.record(id, plan.model, false, sound ? 'completed' : 'failed', plan.usage)
    send(response, 200, wholeBody(plan, directives.fault), id)
  }

  #embed(
    response: ServerResponse,
    id: string,
    model: string,
    body: Readonly<Record<string, unknown>>,
    raw: string,
    directives: Directives,
  ): void {
    const inputs = inputCount(body.input)
    const dimensions = typeof body.dimensions === 'number' ? body.dimensions : (this.#options.dimensions ?? 8)
    const data = Array.from({ length: inputs }, (_, index) => {
      const vector = embedding(index, dimensions)
      return {
        object: 'embedding',
        index,
        embedding: body.encoding_format === 'base64' ? base64Of(vector) : vector,
      }
    })
    if (directives.fault === 'no-choices') data.pop()
    const prompt = Math.ceil(raw.length / 4)
    const usage =
      directives.fault === 'no-usage' ? {} : { usage: { prompt_tokens: prompt, total_tokens: prompt } }
    const outcome = directives.fault === 'no-choices' ? 'failed' : 'completed'
    const name = model.split(':')[0] ?? ''
    this.meter.record(id, name, false, outcome, { prompt, cached: 0, cacheWrite: 0, completion: 0 })
    // In reverse, as the format allows: the index says which is which.
    send(response, 200, JSON.stringify({ object: 'list', model: name, data: data.reverse(), ...usage }), id)
  }
}

function send(response: ServerResponse, status: number, body: string, requestId?: string): void {
  const length = { 'content-length': Buffer.byteLength(body) }
  const id = requestId === undefined ? {} : { 'x-request-id': requestId }
  response.writeHead(status, { ...JSON_HEAD, ...length, ...id }).end(body)
}

function errorOf(fault: Fault): NonNullable<(typeof REFUSALS)[Fault]> {
  const refusal = REFUSALS[fault]
  if (refusal === undefined) throw new TypeError(`${fault} is no refusal`)
  return refusal
}

function parsed(raw: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const body: unknown = JSON.parse(raw)
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function limitOf(body: Readonly<Record<string, unknown>>): number | undefined {
  const limit = body.max_completion_tokens ?? body.max_tokens
  return typeof limit === 'number' ? limit : undefined
}

function firstTool(tools: unknown): string | undefined {
  const [first] = (Array.isArray(tools) ? tools : []) as { function?: { name?: string } }[]
  return first?.function?.name
}

function inputCount(input: unknown): number {
  return Array.isArray(input) && typeof input[0] !== 'number' ? input.length : 1
}
