/**
 * The lossless lane: a vendor's events on their way to a client who speaks the same format. Whole events pass as
 * the bytes they came in. Only events in which a scan finds something of note are parsed: the first, one with a
 * finish reason, with usage or with an error.
 */

import { parseSseEvent, SseEventTooLong, SseSplitter, sseEventEnds } from '#lib/sse.ts'
import type { ChatStreamPart } from '#spec/chat.ts'
import type { ChatStreamReceiver, ProviderFailure } from '#spec/provider.ts'
import { isRecord, parseJson } from '../classify.ts'
import { countOutput, KeyScan, plainEventAt } from './event-scan.ts'
import { EventTemplate } from './event-template.ts'
import type { ModelEcho } from './model-echo.ts'
import { PartDraft } from './part-draft.ts'
import type { StreamProgress } from './stream-progress.ts'

/** The events of one read, sorted. */
interface Sorted {
  readonly open: PartDraft
  readonly closing: PartDraft
  readonly failure: unknown
}

export class WireReader {
  readonly #progress: StreamProgress
  readonly #echo: ModelEcho | undefined
  readonly #receive: ChatStreamReceiver
  /** With several answers at once every event is parsed, to know which of them it belongs to. */
  readonly #parseAll: boolean
  readonly #splitter = new SseSplitter()
  readonly #finish = new KeyScan('finish_reason', 'not null')
  readonly #usage = new KeyScan('usage', 'an object')
  readonly #error = new KeyScan('error', 'not null')
  readonly #template = new EventTemplate()
  #begun = false
  #closing = false

  constructor(
    progress: StreamProgress,
    echo: ModelEcho | undefined,
    receive: ChatStreamReceiver,
    parseAll: boolean,
  ) {
    this.#progress = progress
    this.#echo = echo
    this.#receive = receive
    this.#parseAll = parseAll
  }

  /** Takes one read. Calls `receive` at most once. Throws, or rejects with, a ProviderFailure. */
  feed(chunk: Buffer): void | Promise<void> {
    if (this.#progress.done) return
    const region = this.#split(chunk)
    if (region.length > 0) return this.#pass(region)
  }

  /** Takes what the stream left behind without a blank line: nothing, as a rule. */
  feedRest(): void | Promise<void> {
    const rest = this.#splitter.rest()
    if (rest.length === 0 || this.#progress.done) return
    const { data } = parseSseEvent(rest)
    if (data === undefined || (data.trim() !== '[DONE]' && !isRecord(parseJson(data)))) return
    return this.#pass(Buffer.concat([rest, Buffer.from('\n\n')]))
  }

  #split(chunk: Buffer): Buffer {
    try {
      return this.#splitter.push(chunk)
    } catch (error) {
      throw error instanceof SseEventTooLong ? this.#progress.broken() : error
    }
  }

  #pass(region: Buffer): void | Promise<void> {
    const text = region.toString('latin1')
    const { open, closing, failure } = this.#sort(region, text)
    // Before anything was passed on, a failure leaves the way free for another offering.
    if (failure !== undefined && !this.#progress.delivered) throw failure
    const parts: ChatStreamPart[] = []
    if (!open.empty) parts.push(open.toPart(region, text, false, this.#rewrite))
    if (!closing.empty) parts.push(closing.toPart(region, text, true, this.#rewrite))
    if (parts.length === 0) {
      if (failure !== undefined) throw failure
      return
    }
    this.#progress.delivered = true
    const received = this.#receive(parts)
    if (failure === undefined) return received
    return Promise.resolve(received).then(() => {
      throw failure
    })
  }

  #sort(region: Buffer, text: string): Sorted {
    const open = new PartDraft()
    const closing = new PartDraft()
    for (const scan of [this.#finish, this.#usage, this.#error]) scan.reset(text)
    const cursor = new OddEvents(region)
    try {
      let from = 0
      while (from < text.length && !this.#progress.done) {
        const into = this.#closing ? closing : open
        const end = this.#template.match(text, from, into)
        if (end >= 0) into.take(from, end)
        from = end >= 0 ? end : this.#takeNext(region, text, from, cursor, open, closing)
      }
    } catch (failure) {
      return { open, closing, failure }
    }
    return { open, closing, failure: undefined }
  }

  /** An event that is not like the one before. Gives back where it ends. */
  #takeNext(
    region: Buffer,
    text: string,
    from: number,
    odd: OddEvents,
    open: PartDraft,
    closing: PartDraft,
  ): number {
    const plain = plainEventAt(text, from)
    if (plain === undefined) {
      const end = odd.endAfter(from)
      this.#takeOdd(region, text, from, end, open, closing)
      return end
    }
    const { dataFrom, dataTo, end } = plain
    const ofNote = this.#isOfNote(from, end)
    if (ofNote && !this.#inspect(region.toString('utf8', dataFrom, dataTo))) return end
    const into = this.#draftNow(open, closing)
    into.take(from, end)
    countOutput(text.slice(from, end), into)
    if (!ofNote) this.#template.learn(text, from, end)
    return end
  }

  #isOfNote(from: number, to: number): boolean {
    if (!this.#begun || this.#parseAll) return true
    return this.#finish.next(from) < to || this.#usage.next(from) < to || this.#error.next(from) < to
  }

  /** Where another answer goes on after all that had begun were finished, nothing of the read is closing any more. */
  #draftNow(open: PartDraft, closing: PartDraft): PartDraft {
    if (this.#closing) return closing
    open.absorb(closing)
    return open
  }

  /** Whether the event is for the client. */
  #inspect(data: string): boolean {
    const event = parseJson(data)
    if (!isRecord(event)) throw this.#progress.broken()
    const { usageOnly } = this.#progress.inspect(event)
    this.#begun = true
    this.#closing = this.#progress.complete
    return !usageOnly
  }

  /** An event that is not plain: comments, other line endings, `event:` lines, `[DONE]`. */
  #takeOdd(
    region: Buffer,
    text: string,
    from: number,
    to: number,
    open: PartDraft,
    closing: PartDraft,
  ): void {
    const { event, data } = parseSseEvent(region.subarray(from, to))
    if (data === undefined || data.trim() === '') return
    if (data.trim() === '[DONE]') {
      this.#progress.done = true
      return
    }
    if (event === 'error') throw this.#errorEvent(data)
    if (!this.#inspect(data)) return
    const into = this.#draftNow(open, closing)
    for (const [lineFrom, lineTo] of linesWithoutComments(text, from, to)) into.take(lineFrom, lineTo)
    countOutput(text.slice(from, to), into)
  }

  /** `event: error` says so even where its data has no `error` object. */
  #errorEvent(data: string): ProviderFailure {
    const body = parseJson(data)
    const error = isRecord(body) && body.error !== undefined ? body.error : (body ?? data)
    try {
      this.#progress.inspect({ error })
    } catch (failure) {
      return failure as ProviderFailure
    }
    return this.#progress.broken()
  }

  #rewrite = (text: string): string =>
    this.#echo === undefined ? text : this.#echo.apply(text, () => firstEventOf(text))
}

/** Finds the ends of events by the rules of SSE, only where plain events did not suffice. */
class OddEvents {
  readonly #region: Buffer
  #ends: readonly number[] | undefined
  #next = 0

  constructor(region: Buffer) {
    this.#region = region
  }

  endAfter(from: number): number {
    this.#ends ??= sseEventEnds(this.#region)
    while ((this.#ends[this.#next] ?? this.#region.length) <= from) this.#next += 1
    return this.#ends[this.#next] ?? this.#region.length
  }
}

function* linesWithoutComments(text: string, from: number, to: number): Generator<[number, number]> {
  for (const line of text.slice(from, to).matchAll(/[^\r\n]*(?:\r\n|\r|\n)/g)) {
    const at = from + line.index
    if (!line[0].startsWith(':')) yield [at, at + line[0].length]
  }
}

function firstEventOf(latin1: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = Buffer.from(latin1, 'latin1')
  const event = parseJson(parseSseEvent(bytes.subarray(0, sseEventEnds(bytes)[0])).data ?? '')
  return isRecord(event) ? event : undefined
}
