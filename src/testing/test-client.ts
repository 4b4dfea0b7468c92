/** The client's side of a call, without a socket: the call itself, a reply that keeps what it was sent, a renderer. */
import { createHash } from 'node:crypto'
import type { Principal } from '#spec/account.ts'
import type { ChatResult, FinishReason } from '#spec/chat.ts'
import type { Call, ChatStreamRenderer, WireAnswer, WireReply, WireStream } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Billing } from '#spec/receipt.ts'

export interface TestCallFacts {
  readonly requestId: Uuid
  readonly route: string
  readonly idempotencyKey: string | undefined
  /** What stands for the body: calls with the same text have the same digest. */
  readonly body: string
  readonly startedMonotonicMs: number
}

export class TestCall implements Call {
  readonly requestId: Uuid
  readonly dialect = 'test'
  readonly route: string
  readonly idempotencyKey: string | undefined
  readonly startedMonotonicMs: number
  readonly bodyDigest: () => string
  principal: Principal | undefined = undefined
  billing: Billing = { chargedNanoUsd: 0n, heldNanoUsd: 0n, availableNanoUsd: undefined }
  servedBy: string | undefined = undefined
  model: string | undefined = undefined
  readonly #controller = new AbortController()

  constructor(facts: TestCallFacts) {
    this.requestId = facts.requestId
    this.route = facts.route
    this.idempotencyKey = facts.idempotencyKey
    this.startedMonotonicMs = facts.startedMonotonicMs
    this.bodyDigest = () => createHash('sha256').update(facts.body).digest('hex')
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The client's connection closes. */
  abort(): void {
    this.#controller.abort()
  }
}

/** What a client made of the lines it received. */
export interface Received {
  /** The text of every choice, in the order it came. */
  readonly text: string
  readonly texts: ReadonlyMap<number, string>
  readonly finishes: ReadonlyMap<number, FinishReason>
  readonly end: StreamEndLine | undefined
  readonly error: { readonly code: string; readonly message: string } | undefined
}

export interface StreamEndLine {
  readonly chargedNanoUsd: bigint
  readonly estimated: boolean
  readonly cut: { readonly code: string; readonly message: string } | undefined
  readonly outputTokens: number
}

/** Writes one JSON value a line; the bytes of the wire format `lines` pass as they are. */
export function lineRenderer(): ChatStreamRenderer {
  return {
    contentType: 'application/x-ndjson',
    part(part) {
      switch (part.type) {
        case 'wire':
          return part.bytes
        case 'text-delta':
          return line({ choice: part.choice, text: part.text })
        case 'finish':
          return line({ choice: part.choice, finish: part.reason })
        case 'tool-call-delta':
          return line({ choice: part.choice, text: part.arguments ?? '' })
      }
    },
    finish: (_end, charge) =>
      line({
        end: {
          chargedNanoUsd: String(charge.chargedNanoUsd),
          estimated: charge.usageEstimated,
          cut: charge.cut,
          outputTokens: charge.usage.outputTokens,
        },
      }),
    error: error => line({ error: { code: error.code, message: error.message } }),
  }
}

/** Renders a whole answer as JSON. */
export function jsonAnswer(result: ChatResult): WireAnswer {
  const { choices, usage, cut } = result
  return { status: 200, contentType: 'application/json', body: JSON.stringify({ choices, usage, cut }) }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}

/** What the lines of `lineRenderer` say. Lines of the wire format `lines` are text of choice 0. */
export function readLines(bytes: string): Received {
  const texts = new Map<number, string>()
  const finishes = new Map<number, FinishReason>()
  let text = ''
  let end: StreamEndLine | undefined
  let error: Received['error']
  for (const one of bytes.split('\n').filter(found => found !== '')) {
    const value = one.startsWith('{') ? JSON.parse(one) : { choice: 0, text: `${one}\n` }
    if (end || error) throw new Error('something came after the end of the stream')
    if (value.finish) finishes.set(value.choice, value.finish)
    if (value.text !== undefined) {
      if (finishes.has(value.choice)) throw new Error(`choice ${value.choice} went on after its finish`)
      texts.set(value.choice, (texts.get(value.choice) ?? '') + value.text)
      text += value.text
    }
    if (value.error) error = value.error
    if (value.end) end = { cut: undefined, ...value.end, chargedNanoUsd: BigInt(value.end.chargedNanoUsd) }
  }
  return { text, texts, finishes, end, error }
}

/** The reply of one call. It keeps to what `http/` does: writes to a client that has gone are lost without a word. */
export class TestReply implements WireReply {
  answer: WireAnswer | undefined = undefined
  readonly #call: TestCall
  #stream: TestStream | undefined = undefined

  constructor(call: TestCall) {
    this.#call = call
  }

  send(answer: WireAnswer): void {
    if (this.answer || this.#stream?.headSent) throw new Error('a second answer to one request')
    this.answer = answer
  }

  async sendFile(): Promise<void> {
    throw new Error('no test of the gateway is answered with a file')
  }

  stream(): WireStream {
    this.#stream = new TestStream()
    if (this.#call.signal.aborted) this.#stream.stop()
    return this.#stream
  }

  /** The client closes its connection. */
  leave(): void {
    this.#call.abort()
    this.#stream?.stop()
  }

  /** From now on the client reads nothing, and every write waits. */
  stall(): void {
    this.#began().stall()
  }

  /** The client reads again. */
  drain(): void {
    this.#began().drain()
  }

  /** Every byte the client was sent, a replayed answer's included. */
  get bytes(): string {
    return this.answer ? String(this.answer.body) : (this.#stream?.bytes ?? '')
  }

  get received(): Received {
    return readLines(this.bytes)
  }

  get ended(): boolean {
    return this.#stream?.ended ?? this.answer !== undefined
  }

  #began(): TestStream {
    if (!this.#stream) throw new Error('the stream has not begun')
    return this.#stream
  }
}

class TestStream implements WireStream {
  open = true
  headSent = false
  ended = false
  bytes = ''
  #waiting: PromiseWithResolvers<void> | undefined = undefined

  write(bytes: string | Buffer): Promise<void> | undefined {
    if (this.ended) throw new Error('something was written after the end')
    if (!this.open || bytes.length === 0) return undefined
    this.headSent = true
    this.bytes += String(bytes)
    return this.#waiting?.promise
  }

  end(): void {
    if (this.ended) throw new Error('a stream was ended twice')
    if (this.open) this.ended = true
  }

  stall(): void {
    this.#waiting ??= Promise.withResolvers()
  }

  drain(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  stop(): void {
    this.open = false
    this.drain()
  }
}
