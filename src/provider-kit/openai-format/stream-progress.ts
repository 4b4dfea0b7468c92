/** What the events of a stream have said so far: which answers are finished, what was used, whether it failed. */
import type { ChatStreamEnd } from '#spec/chat.ts'
import type { ProviderFailure } from '#spec/provider.ts'
import { failureOfVendorError, interrupted, isRecord, unreadable, vendorErrorIn } from '../classify.ts'
import { finishReasonOf } from './chat-answer.ts'
import { OPENAI_FORMAT } from './request-body.ts'
import { tokenUsageOf } from './usage.ts'

type Event = Readonly<Record<string, unknown>>

/** What an event was about. */
export interface Inspected {
  /** Nothing but usage: not for the client, who is sent our own usage event if it asked for one. */
  readonly usageOnly: boolean
}

export class StreamProgress {
  readonly #title: string
  readonly #echoModel: string | undefined
  readonly #seen = new Set<number>()
  readonly #finished = new Set<number>()
  #end: ChatStreamEnd = { usage: undefined }
  /** Whether anything was passed on: from then on a failure is an interruption. */
  delivered = false
  /** Whether `[DONE]` was seen: what follows it is not read. */
  done = false

  constructor(title: string, echoModel: string | undefined) {
    this.#title = title
    this.#echoModel = echoModel
  }

  /** Whether every answer that began has its finish reason, and there is one. */
  get complete(): boolean {
    if (this.#finished.size === 0) return false
    for (const index of this.#seen) if (!this.#finished.has(index)) return false
    return true
  }

  /** Takes one event in. Throws a ProviderFailure where it is an error. */
  inspect(event: Event): Inspected {
    const error = vendorErrorIn(event)
    if (error !== undefined) throw this.#failed(() => failureOfVendorError(this.#title, error))
    const choices = Array.isArray(event.choices) ? event.choices : []
    for (const choice of choices) if (isRecord(choice)) this.#inspectChoice(choice)
    if (isRecord(event.usage)) this.#takeUsage(event)
    return { usageOnly: choices.length === 0 && isRecord(event.usage) }
  }

  /** The end of the stream. Throws where it is not a good one. */
  end(): ChatStreamEnd {
    if (!this.complete) throw this.delivered ? interrupted(this.#title) : this.broken()
    return this.#end
  }

  /** The failure for bytes that are no events of this format, or for a stream that ended before it began. */
  broken(): ProviderFailure {
    return this.#failed(() => unreadable(this.#title))
  }

  #failed(before: () => ProviderFailure): ProviderFailure {
    return this.delivered ? interrupted(this.#title) : before()
  }

  #inspectChoice(choice: Event): void {
    const index = typeof choice.index === 'number' ? choice.index : 0
    this.#seen.add(index)
    const error =
      vendorErrorIn(choice) ?? (choice.finish_reason === 'error' ? vendorErrorIn({ error: {} }) : undefined)
    if (error !== undefined) throw this.#failed(() => failureOfVendorError(this.#title, error))
    if (finishReasonOf(choice.finish_reason) !== undefined) this.#finished.add(index)
  }

  /** The last report counts: some vendors report a running sum with every event. */
  #takeUsage(event: Event): void {
    const usage = tokenUsageOf(event.usage)
    if (usage === undefined) return
    const model = this.#echoModel === undefined ? event.model : this.#echoModel
    this.#end = { usage, wireUsage: { format: OPENAI_FORMAT, body: { ...event, model, choices: [] } } }
  }
}
