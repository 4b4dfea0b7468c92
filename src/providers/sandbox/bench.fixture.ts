/** For this folder's tests: a sandbox on a clock that only moves when it is slept on. */
import type { ChatMessage, ChatRequest, ChatStreamEnd, ChatStreamPart, ChatTool } from '#spec/chat.ts'
import type { Clock, Exchange } from '#spec/ports.ts'
import type { ProviderContext } from '#spec/provider.ts'
import { type ChatCapability, type EmbedCapability, ProviderFailure } from '#spec/provider.ts'
import { createSandbox, type SandboxOptions } from './index.ts'

export class StillClock implements Clock {
  #nowMs = 1_000
  /** Called before each sleep ends. */
  onSleep: (() => void) | undefined

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    this.onSleep?.()
    if (!signal?.aborted) this.#nowMs += delayMs
  }
}

/** The sandbox sends nothing anywhere. */
const NO_EXCHANGE: Exchange = {
  fetch: () => Promise.reject(new Error('the sandbox made an outbound call')),
  stream: () => Promise.reject(new Error('the sandbox made an outbound call')),
}

export function openSandbox(options?: SandboxOptions): {
  chat: ChatCapability
  embed: EmbedCapability
  clock: StillClock
} {
  const clock = new StillClock()
  const { chat, embed } = createSandbox(options).create(
    { baseUrl: '', apiKey: '' },
    { clock, exchange: NO_EXCHANGE },
  )
  if (!chat || !embed) throw new Error('the sandbox has chat and embeddings')
  return { chat, embed, clock }
}

export function contextOf(overrides: Partial<ProviderContext> = {}): ProviderContext {
  return {
    upstreamModel: 'openai/gpt-4o',
    signal: new AbortController().signal,
    timeouts: { connectMs: 1_000, firstByteMs: 60_000, betweenChunksMs: 30_000, totalMs: 600_000 },
    clampOutputTokens: undefined,
    ...overrides,
  }
}

export function user(text: string): ChatMessage {
  return { role: 'user', content: [{ type: 'text', text }] }
}

export function chatRequest(
  prompt: string | readonly ChatMessage[],
  overrides: Partial<ChatRequest> = {},
): ChatRequest {
  return {
    operation: 'chat',
    model: 'gpt-4o',
    messages: typeof prompt === 'string' ? [user(prompt)] : prompt,
    stream: false,
    tools: [],
    choices: 1,
    stop: [],
    includeUsage: true,
    ...overrides,
  }
}

export const WEATHER: ChatTool = {
  name: 'get_weather',
  description: 'The weather at a place',
  parameters: {
    type: 'object',
    properties: {
      location: { type: 'string', minLength: 2 },
      unit: { enum: ['celsius', 'fahrenheit'] },
      days: { type: 'integer', minimum: 1, maximum: 7 },
    },
    required: ['location', 'unit'],
    additionalProperties: false,
  },
}

export const MAIL: ChatTool = {
  name: 'send_mail',
  parameters: { type: 'object', properties: { to: { type: 'string', format: 'email' } }, required: ['to'] },
}

export interface Streamed {
  readonly parts: readonly ChatStreamPart[]
  readonly writes: readonly (readonly ChatStreamPart[])[]
  readonly end: ChatStreamEnd | undefined
  /** What ended it otherwise. */
  readonly failure: unknown
}

/** Reads a stream to its end, good or bad. */
export async function readStream(
  chat: ChatCapability,
  request: ChatRequest,
  context: ProviderContext = contextOf(),
): Promise<Streamed> {
  const writes: (readonly ChatStreamPart[])[] = []
  const receive = (parts: readonly ChatStreamPart[]) => {
    writes.push(parts)
  }
  const outcome = await chat.stream({ ...request, stream: true }, context, receive).then(
    end => ({ end, failure: undefined }),
    (failure: unknown) => ({ end: undefined, failure }),
  )
  return { parts: writes.flat(), writes, ...outcome }
}

/** The ProviderFailure a call ends with. Throws where it ends otherwise. */
export async function failureOf(call: Promise<unknown>): Promise<ProviderFailure> {
  const outcome = await call.then(
    () => new Error('the call succeeded'),
    (error: unknown) => error,
  )
  if (outcome instanceof ProviderFailure) return outcome
  throw outcome
}
