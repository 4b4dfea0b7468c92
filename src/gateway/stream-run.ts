/**
 * One streamed call while it runs: counts what is delivered, keeps the hold ahead of it, waits for a slow client,
 * and holds back the end of the answer, which may only leave after the settle.
 *
 * The receiver below is the hot path of streams: one call for each read of the upstream socket.
 */
import type { ChatRequest, ChatStreamEnd, ChatStreamPart } from '#spec/chat.ts'
import type { GatewayError } from '#spec/errors.ts'
import type { ProviderContext } from '#spec/provider.ts'
import type { Admission, Candidate } from './admission.ts'
import { type Answered, AttemptsFailed, askCandidates, callGivenUp, openCallsOf } from './attempt.ts'
import type { Circuits } from './circuit.ts'
import { GrowingHold } from './growing-hold.ts'
import type { GatewayParts } from './parts.ts'

/** Where the parts of a stream go. */
export interface StreamSink {
  /** A part the client may have now. A promise while the client must catch up. */
  deliver(part: ChatStreamPart): Promise<void> | undefined
}

/** Nobody reads it: without a reason, Node would make a DOMException with a stack for every stream. */
const CALL_OVER = 'the call is over'

/** How a stream came to its end, when it came to one. Without a `result` we hung up. */
export interface StreamDone extends Answered<ChatStreamEnd | undefined> {
  /** The parts that wait for the settle, in order. */
  readonly heldBack: readonly ChatStreamPart[]
  /** A limit ran out while it streamed: why. */
  readonly cut: GatewayError | undefined
  /** The client has gone, or did not take what it was sent. */
  readonly clientLeft: boolean
}

export class StreamRun {
  readonly #parts: GatewayParts
  readonly #circuits: Circuits
  readonly #admission: Admission<ChatRequest>
  readonly #sink: StreamSink
  /** Aborted when we hang up, and when the call is over. */
  readonly #work = new AbortController()
  readonly #hold: GrowingHold
  readonly #unfinished = new Set<number>()
  readonly #finished = new Set<number>()
  #heldBack: ChatStreamPart[] = []
  #candidate: Candidate | undefined
  #clientLeft = false
  #waitsForClient = false
  /** We gave the provider up: what it may still hand over is nobody's. */
  #hasHungUp = false
  /** Something was handed over that nobody received. */
  #dropped = false
  #outputBytes = 0
  #deltas = 0
  #firstByteMs: number | undefined

  constructor(parts: GatewayParts, circuits: Circuits, admission: Admission<ChatRequest>, sink: StreamSink) {
    this.#parts = parts
    this.#circuits = circuits
    this.#admission = admission
    this.#sink = sink
    this.#hold = new GrowingHold(parts, admission, this.#work)
  }

  /** Bytes of text, arguments and reasoning that were received and not dropped. */
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
    const openCalls = openCallsOf(this.#parts)
    openCalls.add(onStopping)
    if (signal.aborted) this.#clientGone()
    if (this.#parts.stopping.aborted) onStopping()
    try {
      return await this.#toItsEnd()
    } finally {
      signal.removeEventListener('abort', onClientGone)
      openCalls.delete(onStopping)
    }
  }

  async #toItsEnd(): Promise<StreamDone> {
    let answered: Answered<ChatStreamEnd> | undefined
    let thrown: unknown
    try {
      answered = await this.#ask()
    } catch (error) {
      thrown = error
    }
    const hungUp = this.#hungUp(thrown)
    this.#work.abort(CALL_OVER)
    await this.#hold.quiet()
    const { cut, failure } = this.#hold
    if (failure) throw new AttemptsFailed(failure, 'internal_failure', this.#candidate)
    if (answered && !cut && !this.#dropped) {
      await this.#hold.coverUsage(answered.result.usage)
      return { ...answered, heldBack: this.#heldBack, cut: undefined, clientLeft: this.#clientLeft }
    }
    if (this.#candidate && (cut || hungUp)) {
      return {
        candidate: this.#candidate,
        result: undefined,
        heldBack: this.#heldBack,
        cut,
        clientLeft: hungUp,
      }
    }
    // A provider that came to its end although it was hung up on, when some of it had been dropped already.
    throw thrown ?? callGivenUp(this.#candidate)
  }

  #ask(): Promise<Answered<ChatStreamEnd>> {
    return askCandidates(
      this.#parts,
      this.#circuits,
      this.#admission,
      this.#work.signal,
      (candidate, context) => this.#askOne(candidate, context),
      () => !this.begun && !this.#clientLeft,
    )
  }

  #askOne(candidate: Candidate, context: ProviderContext): Promise<ChatStreamEnd> {
    const chat = candidate.provider.capabilities.chat
    if (!chat) throw new Error(`${candidate.offering.provider} offers a chat model and has no chat`)
    this.#candidate = candidate
    this.#hold.serve(candidate)
    return chat.stream(this.#admission.request, context, parts => this.#receive(parts))
  }

  #receive(parts: readonly ChatStreamPart[]): void | Promise<void> {
    if (parts.length === 0) return
    if (this.#hasHungUp) {
      this.#dropped = true
      return
    }
    if (this.#firstByteMs === undefined) this.#begin()
    for (const part of parts) this.#count(part, 1)
    const covered = this.#hold.reach(this.#outputTokens())
    return covered === true ? this.#deliver(parts) : this.#deliverOnceCovered(parts, covered)
  }

  async #deliverOnceCovered(parts: readonly ChatStreamPart[], covered: Promise<boolean>): Promise<void> {
    if (await covered) return await this.#deliver(parts)
    // Nobody receives them, so nobody pays for them.
    this.#dropped = true
    this.#hasHungUp = true
    for (const part of parts) this.#count(part, -1)
  }

  /** A client that has gone is delivered to as well: its reply takes nothing, but the answer may be kept for a repeat. */
  #deliver(parts: readonly ChatStreamPart[]): void | Promise<void> {
    let waiting: Promise<void> | undefined
    for (const part of parts) {
      if (this.#mayBeTheEnd(part)) {
        this.#heldBack.push(part)
        continue
      }
      for (const earlier of this.#heldBack.splice(0)) waiting = this.#sink.deliver(earlier) ?? waiting
      waiting = this.#sink.deliver(part) ?? waiting
    }
    return waiting && this.#waitForClient(waiting)
  }

  /**
   * Whether with this part every answer that has begun has its finish reason: then the client would have it all, so it
   * is held back. If another answer turns out to go on, it is delivered after all.
   */
  #mayBeTheEnd(part: ChatStreamPart): boolean {
    if (part.type === 'wire') return part.closing
    if (part.type === 'finish') {
      this.#finished.add(part.choice)
      this.#unfinished.delete(part.choice)
    } else if (!this.#finished.has(part.choice)) {
      this.#unfinished.add(part.choice)
    }
    return this.#finished.size > 0 && this.#unfinished.size === 0
  }

  async #waitForClient(waiting: Promise<void>): Promise<void> {
    this.#waitsForClient = true
    await waiting
    this.#waitsForClient = false
  }

  #begin(): void {
    const { call } = this.#admission
    this.#firstByteMs = Math.round(this.#parts.clock.monotonicMs() - call.startedMonotonicMs)
    // From here on no other can serve; the head of the answer says who does.
    call.servedBy = this.#candidate?.offering.id
    this.#parts.crashPoint('during-call')
  }

  #count(part: ChatStreamPart, sign: 1 | -1): void {
    if (part.type === 'wire') {
      this.#outputBytes += sign * part.outputBytes
      this.#deltas += sign * part.deltas
    } else if (part.type !== 'finish') {
      const text = part.type === 'text-delta' ? part.text : (part.arguments ?? '')
      this.#outputBytes += sign * Buffer.byteLength(text)
      this.#deltas += sign
    }
  }

  /** What has been produced, as near as it can be told without a tokenizer: an event is at least one token. */
  #outputTokens(): number {
    return Math.max(this.#deltas, Math.ceil(this.#outputBytes / 4))
  }

  /**
   * Where hanging up does not stop the bill, the stream is read to its end and charged as it is; and where the call
   * has an `Idempotency-Key`, because the client will come back for the answer.
   */
  #clientGone(): void {
    this.#clientLeft = true
    const { idempotent, terms } = this.#admission
    const stops = this.#candidate?.provider.definition.stopsBillingOnAbort ?? true
    const isAwaited = idempotent && terms.streamed && this.begun
    if (!stops || isAwaited) return
    this.#hasHungUp = true
    this.#work.abort()
  }

  /** Not the provider's failure: we hung up because the client had gone, or it let the time of its call pass unread. */
  #hungUp(thrown: unknown): boolean {
    if (!this.begun) return false
    if (this.#clientLeft) return this.#work.signal.aborted
    return this.#waitsForClient && thrown instanceof AttemptsFailed && thrown.outcome === 'timed_out'
  }
}
