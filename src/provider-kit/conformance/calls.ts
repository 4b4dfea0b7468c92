/** Requests and receivers that the conformance suite shares, for any vendor. */
import { parseSseEvent, sseEventEnds } from '#lib/sse.ts'
import type { ChatRequest, ChatStreamPart } from '#spec/chat.ts'
import type { EmbedRequest } from '#spec/embed.ts'
import { type ProviderContext, ProviderFailure } from '#spec/provider.ts'

/** What the suite asks a simulated vendor to do, by words in the prompt. */
export const CIRCUMSTANCES = [
  'answers',
  'hits its rate limit',
  'has no quota left',
  'refuses the credential',
  'fails',
  'is overloaded',
  'refuses the request',
  'finds the request too long',
  'refuses the content',
  'says success and means an error',
  'sends no JSON',
  'sends a web page',
  'sends no choices',
  'never answers',
  'drops the connection',
  'stops within the stream',
  'cuts the stream',
  'ends the stream without a finish',
  'sends a broken event',
  'sends an error event within the stream',
  'sends an error event first',
  'drips byte by byte',
  'splits characters',
  'ends lines with CRLF',
  'sends comments',
  'omits the end mark',
  'reports usage with the last event',
  'reports no usage',
  'reports negative usage',
  'reads from a cache',
] as const

export type Circumstance = (typeof CIRCUMSTANCES)[number]

export const CLIENT_MODEL = 'client/name-of-it'
export const UPSTREAM_MODEL = 'sim-model'

export function chatRequest(prompt: string, overrides: Partial<ChatRequest> = {}): ChatRequest {
  return {
    operation: 'chat',
    model: CLIENT_MODEL,
    messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
    stream: false,
    tools: [],
    choices: 1,
    stop: [],
    includeUsage: false,
    ...overrides,
  }
}

/** The same request from a client who speaks the provider's own format, as dialects hand it over. */
export function wireChatRequest(
  format: string,
  prompt: string,
  fields: Readonly<Record<string, unknown>> = {},
  overrides: Partial<ChatRequest> = {},
): ChatRequest {
  const body = { model: CLIENT_MODEL, messages: [{ role: 'user', content: prompt }], ...fields }
  return chatRequest(prompt, { wire: { format, body }, ...overrides })
}

export function embedRequest(inputs: readonly string[], overrides: Partial<EmbedRequest> = {}): EmbedRequest {
  return { operation: 'embed', model: CLIENT_MODEL, inputs, encoding: 'float', ...overrides }
}

export function contextOf(overrides: Partial<ProviderContext> = {}): ProviderContext {
  return {
    upstreamModel: UPSTREAM_MODEL,
    signal: new AbortController().signal,
    timeouts: { connectMs: 2_000, firstByteMs: 4_000, betweenChunksMs: 4_000, totalMs: 8_000 },
    clampOutputTokens: undefined,
    ...overrides,
  }
}

/** A receiver that keeps everything, and how often it was called. */
export class Collected {
  readonly parts: ChatStreamPart[] = []
  calls = 0

  readonly receive = (parts: readonly ChatStreamPart[]): void => {
    this.calls += 1
    this.parts.push(...parts)
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts.map(part => (part.type === 'wire' ? part.bytes : Buffer.alloc(0))))
  }

  /** The events of the wire parts, parsed. */
  get events(): Record<string, unknown>[] {
    const { bytes } = this
    const events: Record<string, unknown>[] = []
    let from = 0
    for (const end of sseEventEnds(bytes)) {
      events.push(
        JSON.parse(parseSseEvent(bytes.subarray(from, end)).data ?? 'null') as Record<string, unknown>,
      )
      from = end
    }
    return events
  }

  get outputBytes(): number {
    return this.parts.reduce((sum, part) => sum + (part.type === 'wire' ? part.outputBytes : 0), 0)
  }

  /** The text of the typed parts of the first choice. */
  get text(): string {
    return this.parts.map(part => (part.type === 'text-delta' && part.choice === 0 ? part.text : '')).join('')
  }
}

/** The ProviderFailure a call ends with. Throws where it ends otherwise. */
export async function failureOfCall(call: Promise<unknown>): Promise<ProviderFailure> {
  const outcome: unknown = await call.then(
    () => undefined,
    error => error,
  )
  if (outcome instanceof ProviderFailure) return outcome
  throw new Error(`expected a ProviderFailure, got ${String(outcome)}`)
}
