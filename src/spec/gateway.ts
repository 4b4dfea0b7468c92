/** What a dialect may ask of us. The instance is handed to each endpoint; no dialect imports the gateway. */
import type { CapStatus, Mode, Principal } from './account.ts'
import type { ChatRequest, ChatResult, ChatStreamEnd, ChatStreamPart } from './chat.ts'
import type { EmbedRequest, EmbedResult } from './embed.ts'
import type { GatewayError } from './errors.ts'
import type { Uuid } from './ids.ts'
import type { CreditScale } from './money.ts'
import type { Model } from './offering.ts'
import type { Operation } from './operation.ts'
import type { Billing, Quote, Receipt } from './receipt.ts'

/** One HTTP request, as the gateway sees it. Made by `http/` when the head has arrived. */
export interface Call {
  readonly requestId: Uuid
  readonly dialect: string
  /** Path of the endpoint, without the mount: the scope of an `Idempotency-Key`. */
  readonly route: string
  readonly idempotencyKey: string | undefined
  /** SHA-256 of the body as it came, hex: a key that returns with another body is refused. */
  readonly bodyDigest: () => string
  readonly startedMonotonicMs: number
  /** Aborted when the client's connection closes before the answer was complete. */
  readonly signal: AbortSignal
  /** Set by `authenticate`. */
  principal: Principal | undefined
  /** Set by the gateway as it learns it; `http/` writes it into the headers of whatever is answered. */
  billing: Billing
  /** Set when an offering served the call: `X-AI-Served-By`. */
  servedBy: string | undefined
  /** Set by the gateway once the model is known, for the access log. */
  model?: string | undefined
}

/** A whole answer in a dialect's words, ready to send and, with an `Idempotency-Key`, to store. */
export interface WireAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly contentType: string
  readonly body: string | Buffer
}

/** A connection that an answer is streamed into. Implemented by `http/`. */
export interface WireStream {
  /** False once the client has gone. */
  readonly open: boolean
  /**
   * True once the head is out: by the first write, or by `http/` itself after eight silent seconds. From then on
   * a failure must be told in the stream; before, it can still have a status of its own.
   */
  readonly headSent: boolean
  /**
   * Writes, flushing the head first. Returns `undefined`, or a promise while the client must catch up. On an event
   * stream each write holds whole events, because a keep-alive comment may go out between any two of them.
   */
  write(bytes: string | Buffer): Promise<void> | undefined
  /** Ends the answer. Trailers are sent to clients that asked for them. */
  end(trailers: Readonly<Record<string, string>>): void
}

export interface WireReply {
  send(answer: WireAnswer): void
  /** Nothing is sent until the first write, so an error can still have its own status. */
  stream(head: { contentType: string; headers?: Readonly<Record<string, string>> }): WireStream
}

/** How a dialect writes a streamed chat. Pure: bytes out for parts in. Empty text writes nothing. */
export interface ChatStreamRenderer {
  readonly contentType: string
  part(part: ChatStreamPart): string | Buffer
  /**
   * Everything that waits for the settle: held-back closing parts are already rendered. Gives the usage event,
   * where the client asked for one, with the exact charge, and the format's end mark.
   */
  finish(end: ChatStreamEnd, charge: StreamCharge): string | Buffer
  /** A failure after the head was sent. */
  error(error: GatewayError): string | Buffer
}

/** What a stream was charged, for its last event. */
export interface StreamCharge {
  readonly chargedNanoUsd: bigint
  readonly usageEstimated: boolean
  /** Set where a limit cut the stream: which code, and a sentence. */
  readonly cut: { readonly code: string; readonly message: string } | undefined
  /** The usage that was billed, reported or counted. */
  readonly usage: NonNullable<ChatStreamEnd['usage']>
}

/** The account behind a key, for `GET /me`. */
export interface AccountView {
  readonly workspaceId: Uuid
  readonly workspaceName: string
  readonly mode: Mode
  readonly keyId: Uuid
  readonly keyName: string
  readonly plan: string
  readonly balanceNanoUsd: bigint
  readonly heldNanoUsd: bigint
  readonly availableNanoUsd: bigint
  readonly tier: string
  readonly markupBasisPoints: number
  readonly spend30DaysNanoUsd: bigint
  /** The next rung of the ladder; `undefined` at the top. */
  readonly nextTier:
    | { readonly tier: string; readonly markupBasisPoints: number; readonly fromSpendNanoUsd: bigint }
    | undefined
  readonly caps: readonly CapStatus[]
}

export interface Gateway {
  readonly credits: CreditScale
  /** Finds who asks and sets `call.principal`. Throws missing_api_key, invalid_api_key or expired_api_key. */
  authenticate(call: Call, authorization: string | undefined): Promise<void>
  /** What the key's account can spend now, for the headers of answers that charged nothing; `undefined` without a key. */
  balance(call: Call): Promise<bigint | undefined>
  /** Runs a chat that is answered whole. The rendered answer is stored first where the call is idempotent. */
  chat(call: Call, request: ChatRequest, render: (result: ChatResult) => WireAnswer): Promise<WireAnswer>
  /** Runs a chat and streams it into the reply. Throws only while nothing has been sent. */
  streamChat(call: Call, request: ChatRequest, renderer: ChatStreamRenderer, reply: WireReply): Promise<void>
  embed(call: Call, request: EmbedRequest, render: (result: EmbedResult) => WireAnswer): Promise<WireAnswer>
  quote(call: Call, operation: Operation): Promise<Quote>
  account(call: Call): Promise<AccountView>
  receipt(call: Call, requestId: Uuid): Promise<Receipt>
  /** The models this key may name, sorted by id. */
  models(call: Call): readonly Model[]
  /** One model by id or alias. Throws model_not_found with near names. */
  model(call: Call, name: string): Model
}
