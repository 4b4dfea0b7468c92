/** A vendor's events for a client who speaks another format: each is parsed into our own parts. */

import { parseSseEvent, SseEventTooLong, SseSplitter, sseEventEnds } from '#lib/sse.ts'
import type { ChatStreamPart } from '#spec/chat.ts'
import type { ChatStreamReceiver } from '#spec/provider.ts'
import { isRecord, parseJson } from '../classify.ts'
import { finishReasonOf } from './chat-answer.ts'
import type { StreamProgress } from './stream-progress.ts'

type Json = Readonly<Record<string, unknown>>

export class WordReader {
  readonly #progress: StreamProgress
  readonly #receive: ChatStreamReceiver
  readonly #splitter = new SseSplitter()

  constructor(progress: StreamProgress, receive: ChatStreamReceiver) {
    this.#progress = progress
    this.#receive = receive
  }

  /** Takes one read. Calls `receive` at most once. Throws, or rejects with, a ProviderFailure. */
  feed(chunk: Buffer): void | Promise<void> {
    if (this.#progress.done) return
    let region: Buffer
    try {
      region = this.#splitter.push(chunk)
    } catch (error) {
      throw error instanceof SseEventTooLong ? this.#progress.broken() : error
    }
    return this.#pass(region)
  }

  /** Takes what the stream left behind without a blank line: nothing, as a rule. */
  feedRest(): void | Promise<void> {
    const rest = this.#splitter.rest()
    const { data } = parseSseEvent(rest)
    if (data !== undefined && (data.trim() === '[DONE]' || isRecord(parseJson(data)))) return this.#pass(rest)
  }

  #pass(region: Buffer): void | Promise<void> {
    const parts: ChatStreamPart[] = []
    let from = 0
    for (const end of sseEventEnds(region)) {
      if (!this.#progress.done) this.#take(region.subarray(from, end), parts)
      from = end
    }
    if (parts.length === 0) return
    this.#progress.delivered = true
    return this.#receive(parts)
  }

  #take(bytes: Buffer, parts: ChatStreamPart[]): void {
    const { event: type, data } = parseSseEvent(bytes)
    if (data === undefined || data.trim() === '') return
    if (data.trim() === '[DONE]') {
      this.#progress.done = true
      return
    }
    const event = parseJson(data)
    if (!isRecord(event)) throw this.#progress.broken()
    this.#progress.inspect(type === 'error' && event.error === undefined ? { error: event } : event)
    if (!Array.isArray(event.choices)) return
    for (const choice of event.choices) if (isRecord(choice)) parts.push(...partsOf(choice))
  }
}

function* partsOf(choice: Json): Generator<ChatStreamPart> {
  const index = typeof choice.index === 'number' ? choice.index : 0
  const delta = isRecord(choice.delta) ? choice.delta : {}
  // A refusal is what the model said: a format without a field for it writes it as text.
  for (const text of [delta.content, delta.refusal]) {
    if (typeof text === 'string' && text !== '') yield { type: 'text-delta', choice: index, text }
  }
  const calls = Array.isArray(delta.tool_calls) ? delta.tool_calls.filter(isRecord) : []
  for (const [position, call] of calls.entries()) {
    const called = isRecord(call.function) ? call.function : {}
    yield {
      type: 'tool-call-delta',
      choice: index,
      index: typeof call.index === 'number' ? call.index : position,
      id: textOrUndefined(call.id),
      name: textOrUndefined(called.name),
      arguments: textOrUndefined(called.arguments),
    }
  }
  const reason = finishReasonOf(choice.finish_reason)
  if (reason !== undefined) yield { type: 'finish', choice: index, reason }
}

function textOrUndefined(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
