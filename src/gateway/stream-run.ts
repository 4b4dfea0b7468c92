/**
 * One streamed call while it runs: counts what is delivered, keeps the hold ahead of it, waits for a slow client,
 * and holds back everything from the first finish reason on, which may only leave after the settle.
 *
 * The receiver below is the hot path of streams: one call for each read of the upstream socket.
 */
import { amountFor, coveredOutputTokens } from '#modules/pricing/index.ts'
import type { ChatRequest, ChatStreamEnd, ChatStreamPart } from '#spec/chat.ts'
import type { GatewayError } from '#spec/errors.ts'
import type { ProviderContext } from '#spec/provider.ts'
import type { Admission, Candidate } from './admission.ts'
import { type Answered, askCandidates } from './attempt.ts'
import type { Circuits } from './circuit.ts'
import type { GatewayParts } from './parts.ts'
import { refusalError } from './refusal.ts'

/** Where the parts of a stream go. */
export interface StreamSink {
  /** A part the client may have now. A promise while the client must catch up. */
  deliver(part: ChatStreamPart): Promise<void> | undefined
}

/** How a stream came to its end, when it came to one. */
export interface StreamDone extends Answered<ChatStreamEnd | undefined> {
  /** The parts that wait for the settle, in order. */
  readonly heldBack: readonly ChatStreamPart[]
  /** A limit ran out while it streamed: why. */
  readonly cut: GatewayError | undefined
  readonly clientLeft: boolean
}

/** Output tokens of one step, and how early the next is asked for. */
const STEP_TOKENS = 256
const ASK_AHEAD_TOKENS = STEP_TOKENS / 2
/** How long a step waits for money before the stream is cut, and how often it asks. */
const STEP_PATIENCE_MS = 2_000
const STEP_RETRY_MS = 100

export class StreamRun {
  readonly #parts: GatewayParts
  readonly #circuits: Circuits
  readonly #admission: Admission<ChatRequest>
  readonly #sink: StreamSink
  readonly #work = new AbortController()
  #heldBack: ChatStreamPart[] = []
  #closing = false
  #candidate: Candidate | undefined
  #clientLeft = false
  #waitsForClient = false
  #outputBytes = 0
  #deltas = 0
  #covered = Number.POSITIVE_INFINITY
  #extending: Promise<void> | undefined
  #cut: GatewayError | undefined
  #firstByteMs: number | undefined

  constructor(parts: GatewayParts, circuits: Circuits, admission: Admission<ChatRequest>, sink: StreamSink) {
    this.#parts = parts
    this.#circuits = circuits
    this.#admission = admission
    this.#sink = sink
  }

  /** Bytes of text, arguments and reasoning that were received. */
  get outputBytes(): number {
    return this.#outputBytes
  }

  get firstByteMs(): number | undefined {
    return this.#firstByteMs
  }

  /** Whether any output was received from a provider. */
  get begun(): boolean {
    return this.#firstByteMs !== undefined
  }

  /** Runs it. Rejects with AttemptsFailed where no provider brought it to an end that can be charged. */
  async run(): Promise<StreamDone> {
    const { signal } = this.#admission.call
    const onClientGone = () => this.#clientGone()
    const onStopping = () => this.#work.abort()
    signal.addEventListener('abort', onClientGone)
    this.#parts.stopping.addEventListener('abort', onStopping)
    if (signal.aborted) this.#clientGone()
    if (this.#parts.stopping.aborted) onStopping()
    try {
      return this.#done(await this.#ask())
    } catch (error) {
      const ended = this.#endedByUs()
      if (ended) return ended
      throw error
    } finally {
      signal.removeEventListener('abort', onClientGone)
      this.#parts.stopping.removeEventListener('abort', onStopping)
    }
  }

  #ask(): Promise<Answered<ChatStreamEnd>> {
    return askCandidates(
      this.#parts,
      this.#circuits,
      this.#admission,
      this.#work.signal,
      (candidate, context) => this.#askOne(candidate, context),
      () => !this.begun,
    )
  }

  #askOne(candidate: Candidate, context: ProviderContext): Promise<ChatStreamEnd> {
    const chat = candidate.provider.capabilities.chat
    if (!chat) throw new Error(`${candidate.offering.provider} offers a chat model and has no chat`)
    this.#candidate = candidate
    this.#covered = this.#coveredAt(candidate)
    return chat.stream(this.#admission.request, context, parts => this.#receive(parts))
  }

  /** Only a hold that grows has an edge; every other covers all the call may produce. */
  #coveredAt(candidate: Candidate): number {
    const { hold, plan } = this.#admission
    if (!hold || plan.growth !== 'steps') return Number.POSITIVE_INFINITY
    const covered = coveredOutputTokens(candidate.plan, hold.amountNanoUsd, candidate.offering)
    return covered >= candidate.plan.outputTokens ? Number.POSITIVE_INFINITY : covered
  }

  #receive(parts: readonly ChatStreamPart[]): void | Promise<void> {
    if (this.#firstByteMs === undefined) this.#begin()
    for (const part of parts) this.#count(part)
    if (this.#outputTokens() <= this.#covered - ASK_AHEAD_TOKENS) return this.#deliver(parts)
    this.#extending ??= this.#extend()
    if (this.#outputTokens() <= this.#covered) return this.#deliver(parts)
    return this.#deliverCovered(parts)
  }

  async #deliverCovered(parts: readonly ChatStreamPart[]): Promise<void> {
    while (this.#outputTokens() > this.#covered && !this.#cut) {
      this.#extending ??= this.#extend()
      await this.#extending
    }
    if (!this.#cut) await this.#deliver(parts)
  }

  #deliver(parts: readonly ChatStreamPart[]): void | Promise<void> {
    let waiting: Promise<void> | undefined
    for (const part of parts) {
      this.#closing ||= part.type === 'finish' || (part.type === 'wire' && part.closing)
      if (this.#closing) this.#heldBack.push(part)
      else if (!this.#clientLeft) waiting = this.#sink.deliver(part) ?? waiting
    }
    return waiting && this.#waitForClient(waiting)
  }

  async #waitForClient(waiting: Promise<void>): Promise<void> {
    this.#waitsForClient = true
    await waiting
    this.#waitsForClient = false
  }

  #begin(): void {
    this.#firstByteMs = Math.round(this.#parts.clock.monotonicMs() - this.#admission.call.startedMonotonicMs)
    // The head leaves with the first part, and says who serves.
    this.#admission.call.servedBy = this.#candidate?.offering.id
    this.#parts.crashPoint('during-call')
  }

  #count(part: ChatStreamPart): void {
    if (part.type === 'wire') {
      this.#outputBytes += part.outputBytes
      this.#deltas += part.deltas
    } else if (part.type !== 'finish') {
      this.#outputBytes += Buffer.byteLength(part.type === 'text-delta' ? part.text : (part.arguments ?? ''))
      this.#deltas++
    }
  }

  /** What has been produced, as near as it can be told without a tokenizer: an event is at least one token. */
  #outputTokens(): number {
    return Math.max(this.#deltas, Math.ceil(this.#outputBytes / 4))
  }

  /** Raises the hold by a step over what has been produced, waiting a moment for money; then cuts the stream. */
  async #extend(): Promise<void> {
    const { call, account, principal, hold, plan } = this.#admission
    const candidate = this.#candidate
    if (!hold || !candidate) throw new Error('a stream without a hold has nothing to extend')
    const tokens = Math.min(this.#outputTokens() + STEP_TOKENS * plan.choices, candidate.plan.outputTokens)
    const request = {
      id: call.requestId,
      account,
      keyId: principal.keyId,
      subjects: principal.subjects,
      windowDay: hold.windowDay,
      amountNanoUsd: amountFor(candidate.plan, tokens, [candidate.offering]),
    }
    const giveUpAtMs = this.#parts.clock.monotonicMs() + STEP_PATIENCE_MS
    for (;;) {
      const outcome = await this.#parts.ledger.extend(request)
      if (outcome.outcome === 'held') {
        hold.amountNanoUsd = outcome.amountNanoUsd
        this.#covered = this.#coveredAt(candidate)
        break
      }
      const isLast = outcome.outcome !== 'refused' || this.#parts.clock.monotonicMs() >= giveUpAtMs
      if (isLast && this.#outputTokens() >= this.#covered) {
        this.#cutShort(refusalError(outcome, this.#parts.settings.credits))
        break
      }
      if (isLast) break
      await this.#parts.clock.sleep(STEP_RETRY_MS, this.#work.signal)
      if (this.#work.signal.aborted) break
    }
    this.#extending = undefined
  }

  #cutShort(reason: GatewayError): void {
    this.#cut = reason
    this.#work.abort()
  }

  /** Where hanging up does not stop the bill, the stream is read to its end and charged as it is. */
  #clientGone(): void {
    this.#clientLeft = true
    if (this.#candidate?.provider.definition.stopsBillingOnAbort ?? true) this.#work.abort()
  }

  #done(answered: Answered<ChatStreamEnd>): StreamDone {
    return { ...answered, heldBack: this.#heldBack, cut: undefined, clientLeft: this.#clientLeft }
  }

  /** Not the provider's failure: we hung up, because the money or the client had gone. */
  #endedByUs(): StreamDone | undefined {
    const candidate = this.#candidate
    if (!candidate || !this.begun) return undefined
    const leftWaiting = this.#clientLeft || (this.#waitsForClient && !this.#parts.stopping.aborted)
    if (!this.#cut && !leftWaiting) return undefined
    const heldBack = this.#cut ? [] : this.#heldBack
    this.#admission.call.servedBy = candidate.offering.id
    return { candidate, result: undefined, heldBack, cut: this.#cut, clientLeft: leftWaiting }
  }
}
