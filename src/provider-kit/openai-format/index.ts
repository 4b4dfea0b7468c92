/** OpenAI's chat and embeddings format as an upstream: what every vendor of the family shares. */
import type { ChatRequest, ChatResult, ChatStreamEnd } from '#spec/chat.ts'
import type { EmbedRequest, EmbedResult } from '#spec/embed.ts'
import { type Exchange, ExchangeFailure, type OutboundHead, type OutboundRequest } from '#spec/ports.ts'
import type { Capabilities, ChatStreamReceiver, ProviderContext, ProviderSettings } from '#spec/provider.ts'
import {
  failureOf,
  failureOfAnswer,
  failureOfVendorError,
  isRecord,
  parseJson,
  unreadable,
  vendorErrorIn,
} from '../classify.ts'
import { assembleChat } from './assemble.ts'
import { chatResultOf } from './chat-answer.ts'
import { embedResultOf } from './embed.ts'
import { ModelEcho } from './model-echo.ts'
import { DEFAULT_QUIRKS, type OpenAiQuirks } from './quirks.ts'
import { chatBody, embedBody, OPENAI_FORMAT } from './request-body.ts'
import { StreamProgress } from './stream-progress.ts'
import { WireReader } from './wire-reader.ts'
import { WordReader } from './word-reader.ts'

export { assembleChat, ChatAssembly } from './assemble.ts'
export type { OpenAiQuirks } from './quirks.ts'
export { OPENAI_FORMAT } from './request-body.ts'
export { tokenUsageOf } from './usage.ts'

const MAX_CHAT_BYTES = 64 * 1024 * 1024
/** 2,048 inputs of 3,072 dimensions at some 12 characters a number, and a margin. */
const MAX_EMBED_BYTES = 128 * 1024 * 1024

export interface OpenAiFormatOptions {
  /** How errors name the vendor. */
  readonly providerTitle: string
  readonly settings: ProviderSettings
  readonly exchange: Exchange
  readonly quirks?: Partial<OpenAiQuirks> | undefined
}

/** Chat and embeddings of a vendor that speaks the format. Everything they throw is a ProviderFailure. */
export function createOpenAiFormat(
  options: OpenAiFormatOptions,
): Required<Pick<Capabilities, 'chat' | 'embed'>> {
  const vendor = new OpenAiVendor(options)
  return {
    chat: {
      chat: (request, context) => vendor.chat(request, context),
      stream: (request, context, receive) => vendor.stream(request, context, receive),
      assemble: (_request, parts, end) => assembleChat(parts, end),
    },
    embed: { embed: (request, context) => vendor.embed(request, context) },
  }
}

class OpenAiVendor {
  readonly #title: string
  readonly #exchange: Exchange
  readonly #quirks: OpenAiQuirks
  readonly #chatUrl: string
  readonly #embedUrl: string
  readonly #headers: Readonly<Record<string, string>>

  constructor({ providerTitle, settings, exchange, quirks }: OpenAiFormatOptions) {
    const baseUrl = settings.baseUrl.replace(/\/+$/, '')
    this.#title = providerTitle
    this.#exchange = exchange
    this.#quirks = { ...DEFAULT_QUIRKS, ...quirks }
    this.#chatUrl = `${baseUrl}/chat/completions`
    this.#embedUrl = `${baseUrl}/embeddings`
    this.#headers = {
      ...this.#quirks.headers,
      authorization: `Bearer ${settings.apiKey}`,
      'content-type': 'application/json',
      'accept-encoding': 'identity',
    }
  }

  async chat(request: ChatRequest, context: ProviderContext): Promise<ChatResult> {
    const body = chatBody(request, context, this.#quirks, false)
    const answer = await this.#collect(this.#request(this.#chatUrl, body, context, MAX_CHAT_BYTES))
    const result = chatResultOf(answer) ?? this.#refuse(answer)
    if (!this.#quirks.echoModel || !isRecord(answer)) return result
    return { ...result, wire: { format: OPENAI_FORMAT, body: { ...answer, model: request.model } } }
  }

  async stream(
    request: ChatRequest,
    context: ProviderContext,
    receive: ChatStreamReceiver,
  ): Promise<ChatStreamEnd> {
    const echoed = this.#quirks.echoModel ? request.model : undefined
    const progress = new StreamProgress(this.#title, echoed)
    const echo = echoed === undefined ? undefined : new ModelEcho(echoed)
    const reader =
      request.wire?.format === OPENAI_FORMAT
        ? new WireReader(progress, echo, receive, request.choices > 1)
        : new WordReader(progress, receive)
    const body = chatBody(request, context, this.#quirks, true)
    const outbound = this.#request(this.#chatUrl, body, context, MAX_CHAT_BYTES)
    try {
      const answer = await this.#exchange.stream(outbound, bodyKind, chunk => reader.feed(chunk))
      if (answer.body !== undefined) throw failureOfAnswer(this.#title, answer, answer.body)
      await reader.feedRest()
    } catch (error) {
      // Every answer had its end: what the connection did afterwards changes nothing for the client.
      const over = error instanceof ExchangeFailure && error.reason !== 'aborted' && progress.complete
      if (!over) throw failureOf(this.#title, error, progress.delivered)
    }
    return progress.end()
  }

  async embed(request: EmbedRequest, context: ProviderContext): Promise<EmbedResult> {
    const body = embedBody(request, context, this.#quirks)
    const answer = await this.#collect(this.#request(this.#embedUrl, body, context, MAX_EMBED_BYTES))
    return embedResultOf(answer, request) ?? this.#refuse(answer)
  }

  #request(
    url: string,
    body: Readonly<Record<string, unknown>>,
    context: ProviderContext,
    maxResponseBytes: number,
  ): OutboundRequest {
    return {
      method: 'POST',
      url,
      headers: this.#headers,
      body: JSON.stringify(body),
      timeouts: context.timeouts,
      signal: context.signal,
      maxResponseBytes,
    }
  }

  /** The parsed body of a success. Throws for any other status, and for a success that carries an error. */
  async #collect(request: OutboundRequest): Promise<unknown> {
    const answer = await this.#exchange.fetch(request).catch((error: unknown) => {
      throw failureOf(this.#title, error)
    })
    if (answer.status !== 200) throw failureOfAnswer(this.#title, answer, answer.body)
    const body = parseJson(answer.body)
    const error = vendorErrorIn(body)
    if (error !== undefined) throw failureOfVendorError(this.#title, error)
    return body
  }

  /** A success that is not what it should be: OpenRouter puts a failed choice's error inside the choice. */
  #refuse(answer: unknown): never {
    const choices = isRecord(answer) && Array.isArray(answer.choices) ? answer.choices : []
    for (const choice of choices) {
      const error = vendorErrorIn(choice)
      if (error !== undefined) throw failureOfVendorError(this.#title, error)
    }
    throw unreadable(this.#title)
  }
}

/** A stream of events, unless it says it is something else: some vendors name no type, or a wrong one. */
function bodyKind(head: OutboundHead): 'stream' | 'collect' {
  const type = head.headers['content-type'] ?? ''
  return head.status === 200 && !/json|html|xml/i.test(type) ? 'stream' : 'collect'
}
