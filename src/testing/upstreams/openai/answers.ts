/** What the simulated vendor says. Deterministic: the same request is answered with the same words. */
import type { Directives } from './faults.ts'
import type { MeterUsage } from './meter.ts'

/** Which vendor is spoken: OpenRouter adds comments, costs, numeric error codes and the reason `error`. */
export type Flavour = 'openai' | 'openrouter'

/** A request as far as the simulator reads it. */
export interface AskedChat {
  readonly model: string
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly choices: number
  readonly limit: number | undefined
  /** The first tool, where one may be called. */
  readonly tool: string | undefined
  readonly promptBytes: number
}

/** An answer decided: everything a whole body or a stream is written from. */
export interface PlannedChat {
  readonly id: string
  readonly model: string
  /** The name it answers under: a dated one, as vendors do. */
  readonly servedModel: string
  readonly choices: number
  readonly pieces: readonly string[]
  readonly tool: string | undefined
  readonly finishReason: 'stop' | 'length' | 'tool_calls'
  readonly usage: MeterUsage
  readonly reasoningTokens: number
  readonly flavour: Flavour
}

const WORDS = [
  'The ',
  'quick ',
  'brown ',
  'föx ',
  'jumps ',
  'over ',
  '"the" ',
  'lazy ',
  '🐕 ',
  'and\n',
  'rests. ',
  '东京 ',
]
const CREATED = 1_700_000_000

const piecesBySize = new Map<number, readonly string[]>()

function piecesOf(tokens: number): readonly string[] {
  let pieces = piecesBySize.get(tokens)
  if (pieces === undefined) {
    pieces = Array.from({ length: tokens }, (_, index) => WORDS[index % WORDS.length] ?? '')
    if (piecesBySize.size < 1000) piecesBySize.set(tokens, pieces)
  }
  return pieces
}

/** One token for four bytes of prompt, and one an event: easy to check by hand. */
export function planChat(
  asked: AskedChat,
  directives: Directives,
  id: string,
  flavour: Flavour,
): PlannedChat {
  const wanted = asked.tool === undefined ? directives.tokens : 5
  const visible = Math.max(
    0,
    Math.min(wanted, (asked.limit ?? Number.POSITIVE_INFINITY) - directives.reasoningTokens),
  )
  const prompt = Math.max(1, Math.ceil(asked.promptBytes / 4))
  const cached = Math.min(directives.cachedTokens, prompt)
  return {
    id,
    model: asked.model.split(':')[0] ?? '',
    servedModel: `${asked.model.split(':')[0]}-2026-08-01`,
    choices: asked.choices,
    pieces:
      asked.tool === undefined ? piecesOf(visible) : ['{"ci', 'ty": ', '"Pa', 'ris', '"}'].slice(0, visible),
    tool: asked.tool,
    finishReason: visible < wanted ? 'length' : asked.tool === undefined ? 'stop' : 'tool_calls',
    usage: {
      prompt,
      cached,
      cacheWrite: Math.min(directives.cacheWriteTokens, prompt - cached),
      completion: (visible + directives.reasoningTokens) * asked.choices,
    },
    reasoningTokens: directives.reasoningTokens * asked.choices,
    flavour,
  }
}

/** What a stream that was left after so many pieces has cost. */
export function usageAfter(plan: PlannedChat, pieces: number): MeterUsage {
  return { ...plan.usage, completion: plan.reasoningTokens + pieces }
}

/** The usage object as it is reported, truly or, on request, not. */
export function reportedUsage(plan: PlannedChat, fault: Directives['fault']): Record<string, unknown> {
  const { prompt, cached, cacheWrite, completion } = plan.usage
  const factor = fault === 'usage-x1000' ? 1000 : fault === 'usage-negative' ? -1 : 1
  const written = (tokens: number): unknown => (fault === 'usage-text' ? String(tokens) : tokens * factor)
  return {
    prompt_tokens: written(prompt),
    completion_tokens: written(completion),
    total_tokens: written(prompt + completion),
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: cacheWrite, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: plan.reasoningTokens, audio_tokens: 0 },
    ...(plan.flavour === 'openrouter' ? { cost: 0.00123, is_byok: false } : {}),
  }
}

const ID_PLACE = '{"id":""'
const KEPT_BODIES = 1000
const bodies = new Map<string, string>()

/** The body of an answer that is not streamed. Written once for all calls that differ in their id alone. */
export function wholeBody(plan: PlannedChat, fault: Directives['fault']): string {
  const { id, pieces, ...rest } = plan
  const key = JSON.stringify([rest, pieces.length, fault])
  let body = bodies.get(key)
  if (body === undefined) {
    body = writeBody({ ...plan, id: '' }, fault).slice(ID_PLACE.length)
    if (bodies.size >= KEPT_BODIES) bodies.clear()
    bodies.set(key, body)
  }
  return `{"id":"${id}"${body}`
}

function writeBody(plan: PlannedChat, fault: Directives['fault']): string {
  const message =
    plan.tool === undefined
      ? { role: 'assistant', content: plan.pieces.join(''), refusal: null, annotations: [] }
      : {
          role: 'assistant',
          content: null,
          refusal: null,
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: plan.tool, arguments: plan.pieces.join('') },
            },
          ],
        }
  const choices = Array.from({ length: plan.choices }, (_, index) => ({
    index,
    message,
    logprobs: null,
    finish_reason: plan.finishReason,
  }))
  return JSON.stringify({
    id: plan.id,
    object: 'chat.completion',
    created: CREATED,
    model: plan.servedModel,
    choices: fault === 'no-choices' ? [] : choices,
    ...(fault === 'no-usage' ? {} : { usage: reportedUsage(plan, fault) }),
    service_tier: 'default',
    vendor_extra: { kept: true },
  })
}

/** The events of a stream, without their line endings: role, pieces, finish, and usage where it was asked for. */
export function* chunks(
  plan: PlannedChat,
  includeUsage: boolean,
  fault: Directives['fault'],
): Generator<string> {
  const head = `{"id":"${plan.id}","object":"chat.completion.chunk","created":${CREATED},"model":${JSON.stringify(plan.servedModel)},"service_tier":"default","vendor_extra":{"kept":true},"choices":[`
  const tail = includeUsage ? '],"usage":null}' : ']}'
  const choice = (index: number, delta: string, finish = 'null') =>
    `${head}{"index":${index},"delta":${delta},"logprobs":null,"finish_reason":${finish}}${tail}`
  for (let index = 0; index < plan.choices; index++) yield choice(index, openingDelta(plan))
  for (const piece of plan.pieces) {
    for (let index = 0; index < plan.choices; index++) yield choice(index, pieceDelta(plan, piece))
  }
  const withLast = includeUsage && fault === 'usage-with-last'
  for (let index = 0; index < plan.choices; index++) {
    const finish = choice(index, '{}', `"${plan.finishReason}"`)
    const last = index === plan.choices - 1
    yield withLast && last
      ? `${finish.slice(0, -tail.length)}],"usage":${JSON.stringify(reportedUsage(plan, fault))}}`
      : finish
  }
  if (includeUsage && !withLast && fault !== 'no-usage') {
    yield `${head}],"usage":${JSON.stringify(reportedUsage(plan, fault))}}`
  }
}

function openingDelta(plan: PlannedChat): string {
  if (plan.tool === undefined) return '{"role":"assistant","content":"","refusal":null}'
  const call = `{"index":0,"id":"call_1","type":"function","function":{"name":${JSON.stringify(plan.tool)},"arguments":""}}`
  return `{"role":"assistant","content":null,"tool_calls":[${call}],"refusal":null}`
}

function pieceDelta(plan: PlannedChat, piece: string): string {
  const text = JSON.stringify(piece)
  return plan.tool === undefined
    ? `{"content":${text}}`
    : `{"tool_calls":[{"index":0,"function":{"arguments":${text}}}]}`
}

/** A unit vector of the asked size, the same for the same position. */
export function embedding(position: number, dimensions: number): number[] {
  const vector = Array.from({ length: dimensions }, (_, index) =>
    Math.fround(((index * 7 + position * 13) % 17) - 8),
  )
  const length = Math.hypot(...vector) || 1
  return vector.map(component => Math.fround(component / length))
}

/** OpenAI's `base64`: little-endian float32. */
export function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, component] of vector.entries()) bytes.writeFloatLE(component, index * 4)
  return bytes.toString('base64')
}
