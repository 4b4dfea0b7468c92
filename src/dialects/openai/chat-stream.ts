/** A streamed chat as OpenAI's `chat.completion.chunk` events. */
import { errorObject } from '#dialect-kit/error-object.ts'
import { exactNumber } from '#dialect-kit/json-answer.ts'
import { SSE_CONTENT_TYPE, SSE_DONE, sseJson } from '#dialect-kit/sse-writer.ts'
import type { ChatRequest, ChatStreamEnd, ChatStreamPart } from '#spec/chat.ts'
import type { GatewayError } from '#spec/errors.ts'
import type { Call, ChatStreamRenderer, StreamCharge } from '#spec/gateway.ts'
import { type CreditScale, chargedCreditsOf } from '#spec/money.ts'
import { completionId, createdSeconds } from './chat-answer.ts'
import { WIRE_FORMAT } from './chat-request.ts'
import { logprobsBody } from './logprobs.ts'
import { chatUsage, overVendorUsage } from './usage.ts'

export type TypedPart = Exclude<ChatStreamPart, { readonly type: 'wire' }>

/** Renders one stream; it remembers which choices have begun and ended, so it serves one call only. */
export function chatStreamRenderer(
  call: Call,
  request: ChatRequest,
  credits: CreditScale,
): ChatStreamRenderer {
  const stream = new CompletionStream(call, request)
  return {
    contentType: SSE_CONTENT_TYPE,
    part: part => stream.part(part),
    finish: (end, charge) =>
      (charge.cut ? stream.cut(charge.cut) : '') +
      (request.includeUsage ? stream.usage(end, charge, credits) : '') +
      SSE_DONE,
    error: (error: GatewayError) => sseJson(errorObject(error, credits)),
  }
}

/** The events of one stream. `more` is JSON text of further fields (`,"field":…`), for formats that add to OpenAI's. */
export class CompletionStream {
  readonly #request: ChatRequest
  /** What every chunk of ours begins with, up to the index of its choice. */
  readonly #head: string
  /** Where the client asked for usage, every chunk but the last says it has none. */
  readonly #usageIsNull: string
  readonly #envelope: object
  readonly #begun = new Set<number>()
  readonly #finished = new Set<number>()

  constructor(call: Call, request: ChatRequest) {
    this.#request = request
    this.#envelope = {
      id: completionId(call),
      object: 'chat.completion.chunk',
      created: createdSeconds(call),
      model: request.model,
    }
    this.#head = `data: ${JSON.stringify(this.#envelope).slice(0, -1)},"choices":[{"index":`
    this.#usageIsNull = request.includeUsage ? ',"usage":null' : ''
  }

  part(part: ChatStreamPart): string | Buffer {
    if (part.type !== 'wire') return this.words(part)
    if (part.format !== WIRE_FORMAT)
      throw new Error(`a stream of ${part.format} cannot be sent as ${WIRE_FORMAT}`)
    this.#beginAll()
    return part.bytes
  }

  words(part: TypedPart, more = ''): string {
    return this.#chunk(part.choice, deltaText(part), finishText(part), more, logprobsText(part))
  }

  /** A vendor's own chunks have said every role; saying it twice would read "assistantassistant" in some SDKs. */
  #beginAll(): void {
    if (this.#begun.size > 0) return
    for (let choice = 0; choice < this.#request.choices; choice++) this.#begun.add(choice)
  }

  /** Closes every choice that has no finish reason yet, and says why. `more` goes into the last of them. */
  cut(cut: NonNullable<StreamCharge['cut']>, more = ''): string {
    const reason = `,"tollgate":${JSON.stringify({ code: cut.code, message: cut.message })}`
    const open = Array.from({ length: this.#request.choices }, (_, choice) => choice).filter(
      choice => !this.#finished.has(choice),
    )
    return open
      .map((choice, at) =>
        this.#chunk(choice, '', '"length"', at === open.length - 1 ? reason + more : reason),
      )
      .join('')
  }

  /** The last event before the end mark: the usage that was billed and the exact charge, in credits. */
  usage(end: ChatStreamEnd, charge: StreamCharge, credits: CreditScale, more: object = {}): string {
    const vendor = end.wireUsage?.format === WIRE_FORMAT ? end.wireUsage.body : undefined
    return sseJson({
      ...this.#envelope,
      ...vendor,
      model: this.#request.model,
      choices: [],
      usage: {
        ...overVendorUsage(vendor?.usage, chatUsage(charge.usage)),
        credits_charged: exactNumber(chargedCreditsOf(charge.chargedNanoUsd, credits)),
        ...(charge.usageEstimated && { estimated: true }),
      },
      ...more,
    })
  }

  #chunk(choice: number, delta: string, finishReason: string, more: string, logprobs = 'null'): string {
    const role = this.#begun.has(choice) ? '' : '"role":"assistant"'
    this.#begun.add(choice)
    if (finishReason !== 'null') this.#finished.add(choice)
    const comma = role !== '' && delta !== '' ? ',' : ''
    return `${this.#head}${choice},"delta":{${role}${comma}${delta}},"logprobs":${logprobs},"finish_reason":${finishReason}}]${this.#usageIsNull}${more}}\n\n`
  }
}

function deltaText(part: TypedPart): string {
  if (part.type === 'finish') return ''
  if (part.type === 'text-delta') return `"content":${JSON.stringify(part.text)}`
  const call = {
    index: part.index,
    ...(part.id !== undefined && { id: part.id, type: 'function' }),
    function: {
      ...(part.name !== undefined && { name: part.name }),
      ...(part.arguments !== undefined && { arguments: part.arguments }),
    },
  }
  return `"tool_calls":${JSON.stringify([call])}`
}

function logprobsText(part: TypedPart): string {
  return part.type === 'text-delta' && part.logprobs ? JSON.stringify(logprobsBody(part.logprobs)) : 'null'
}

function finishText(part: TypedPart): string {
  return part.type === 'finish' ? JSON.stringify(part.reason) : 'null'
}
