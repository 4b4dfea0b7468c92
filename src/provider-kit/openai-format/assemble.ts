/** A streamed answer put together again, for a client who asked for a whole one. */

import { parseSseEvent, sseEventEnds } from '#lib/sse.ts'
import type {
  ChatChoice,
  ChatResult,
  ChatStreamEnd,
  ChatStreamPart,
  FinishReason,
  ToolCall,
} from '#spec/chat.ts'
import { isRecord, parseJson } from '../classify.ts'
import { chatResultOf } from './chat-answer.ts'
import { OPENAI_FORMAT } from './request-body.ts'

type Json = Record<string, unknown>

/** Fields of a delta that are sent whole, once or again and again; any other text is sent in pieces. */
const WHOLE_TEXTS = new Set(['role', 'id', 'type', 'format', 'signature'])

/**
 * Takes the parts of a stream as they come and gives the answer they add up to. Wire parts give a
 * `chat.completion` body with everything the chunks had in it, known to us or not; typed parts give our words alone.
 */
export class ChatAssembly {
  readonly #choices = new Map<number, Json>()
  #body: Json = {}
  #words = new Map<number, { text: string; calls: Map<number, ToolCall>; finish: FinishReason | undefined }>()
  #outputBytes = 0

  add(part: ChatStreamPart): void {
    if (part.type !== 'wire') {
      this.#addWords(part)
      return
    }
    this.#outputBytes += part.outputBytes
    let from = 0
    for (const end of sseEventEnds(part.bytes)) {
      const event = parseJson(parseSseEvent(part.bytes.subarray(from, end)).data ?? '')
      if (isRecord(event)) this.#addEvent(event)
      from = end
    }
  }

  /**
   * The whole answer. Without an `end` the stream was cut by us: what has no finish reason says `length`, and
   * where nothing at all had come there is one empty choice.
   */
  finish(end: ChatStreamEnd | undefined): ChatResult {
    if (this.#choices.size === 0) return this.#finishWords(end)
    const choices = [...this.#choices.values()].sort((a, b) => Number(a.index) - Number(b.index))
    for (const choice of choices) finishChoice(choice)
    const body: Json = { ...this.#body, object: 'chat.completion', choices }
    const usage = end?.wireUsage?.format === OPENAI_FORMAT ? end.wireUsage.body.usage : undefined
    if (usage === undefined) delete body.usage
    else body.usage = usage
    const result = chatResultOf(body)
    if (result === undefined) throw new TypeError('the parts of the stream are no answer')
    return { ...result, usage: end?.usage, outputBytes: this.#outputBytes }
  }

  #addEvent(event: Json): void {
    const { choices, ...rest } = event
    for (const [field, value] of Object.entries(rest)) {
      // `obfuscation` pads events to hide their length; a whole answer has no use for it.
      if (field === 'obfuscation') continue
      if (value !== null || !(field in this.#body)) this.#body[field] = value
    }
    for (const choice of Array.isArray(choices) ? choices : []) if (isRecord(choice)) this.#addChoice(choice)
  }

  #addChoice(choice: Json): void {
    const index = typeof choice.index === 'number' ? choice.index : 0
    const known = this.#choices.get(index) ?? { index, message: {} }
    this.#choices.set(index, known)
    const { delta, logprobs, ...rest } = choice
    for (const [field, value] of Object.entries(rest))
      if (value !== null || !(field in known)) known[field] = value
    if (isRecord(logprobs)) known.logprobs = merged(known.logprobs, logprobs)
    else if (logprobs === null && known.logprobs === undefined) known.logprobs = null
    if (isRecord(delta)) known.message = merged(known.message, delta)
  }

  #addWords(part: Exclude<ChatStreamPart, { type: 'wire' }>): void {
    const words = this.#words.get(part.choice) ?? { text: '', calls: new Map(), finish: undefined }
    this.#words.set(part.choice, words)
    if (part.type === 'finish') {
      words.finish = part.reason
    } else if (part.type === 'text-delta') {
      words.text += part.text
      this.#outputBytes += Buffer.byteLength(part.text)
    } else {
      const call = words.calls.get(part.index) ?? { id: '', name: '', arguments: '' }
      const more = part.arguments ?? ''
      words.calls.set(part.index, {
        id: part.id ?? call.id,
        name: part.name ?? call.name,
        arguments: call.arguments + more,
      })
      this.#outputBytes += Buffer.byteLength(more)
    }
  }

  #finishWords(end: ChatStreamEnd | undefined): ChatResult {
    if (this.#words.size === 0) this.#words.set(0, { text: '', calls: new Map(), finish: undefined })
    const choices: ChatChoice[] = []
    for (const [index, words] of [...this.#words].sort(([a], [b]) => a - b)) {
      choices.push({
        index,
        text: words.text === '' ? null : words.text,
        refusal: null,
        toolCalls: [...words.calls].sort(([a], [b]) => a - b).map(([, call]) => call),
        finishReason: words.finish ?? 'length',
      })
    }
    return { choices, usage: end?.usage, outputBytes: this.#outputBytes }
  }
}

/** All parts at once. */
export function assembleChat(parts: Iterable<ChatStreamPart>, end: ChatStreamEnd | undefined): ChatResult {
  const assembly = new ChatAssembly()
  for (const part of parts) assembly.add(part)
  return assembly.finish(end)
}

/**
 * Adds a delta to what came before: texts are joined, lists whose items carry an `index` are merged by it, other
 * lists are appended, objects are merged, and anything else is replaced.
 */
function merged(before: unknown, delta: Json): Json {
  const whole: Json = isRecord(before) ? before : {}
  for (const [field, value] of Object.entries(delta)) {
    const known = whole[field]
    if (value === null || value === undefined) {
      if (!(field in whole)) whole[field] = null
    } else if (typeof value === 'string' && typeof known === 'string' && !WHOLE_TEXTS.has(field)) {
      whole[field] = known + value
    } else if (Array.isArray(value)) {
      whole[field] = mergedList(Array.isArray(known) ? known : [], value)
    } else {
      whole[field] = isRecord(value) ? merged(known, value) : value
    }
  }
  return whole
}

function mergedList(before: unknown[], delta: readonly unknown[]): unknown[] {
  for (const item of delta) {
    const index = isRecord(item) ? item.index : undefined
    const known = before.find(candidate => isRecord(candidate) && candidate.index === index)
    if (index === undefined || !isRecord(item)) before.push(item)
    else if (known === undefined) before.push(merged({}, item))
    else merged(known, item)
  }
  return before
}

/** What a whole answer has that chunks have not, and the other way round. */
function finishChoice(choice: Json): void {
  choice.finish_reason ??= 'length'
  const message = isRecord(choice.message) ? choice.message : {}
  choice.message = { role: 'assistant', ...message }
  const whole = choice.message as Json
  if (!('content' in whole)) whole.content = null
  if (whole.content === '' && Array.isArray(whole.tool_calls)) whole.content = null
  if (Array.isArray(whole.tool_calls)) whole.tool_calls = whole.tool_calls.map(withoutIndex)
}

function withoutIndex(call: unknown): unknown {
  if (!isRecord(call)) return call
  const { index: _position, ...rest } = call
  return rest
}
