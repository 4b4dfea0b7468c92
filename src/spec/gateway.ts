/** What a dialect may ask of us. The instance is handed to each endpoint; no dialect imports the gateway. */
import type { CapStatus, Mode, Principal } from './account.ts'
import type { ChatRequest, ChatResult, ChatStreamEnd, ChatStreamPart } from './chat.ts'
import type { EmbedRequest, EmbedResult } from './embed.ts'
import type { GatewayError } from './errors.ts'
import type { Uuid } from './ids.ts'
import type { JsonObject } from './json.ts'
import type { InputRole } from './media.ts'
import type { CreditScale } from './money.ts'
import type { Model } from './offering.ts'
import type { MediaOperation, Operation } from './operation.ts'
import type { Billing, Quote, Receipt } from './receipt.ts'
import type { StatementPart } from './statement.ts'
import type { Artifact, TaskPage, TaskQuery, TaskView } from './task.ts'
import type { WebhookDesk } from './webhook.ts'

/** One HTTP request, as the gateway sees it. Made by `http/` when the head has arrived. */
export interface Call {
  readonly requestId: Uuid
  readonly dialect: string
  /** Path of the endpoint, without the mount: the scope of an `Idempotency-Key`. */
  readonly route: string
  readonly idempotencyKey: string | undefined
  /** SHA-256 of the body as it came, after what its path says, hex: a key that returns with another is refused. */
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

/** An answer whose bytes come from elsewhere: a file. */
export interface WireFile {
  readonly status: number
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  /** Of the body, exactly. */
  readonly sizeBytes: number
  readonly bytes: AsyncIterable<Uint8Array>
}

export interface WireReply {
  send(answer: WireAnswer): void
  /** Sends a file at the pace of its reader. Resolves when it is over, whole or not; a body that breaks off closes the connection. */
  sendFile(file: WireFile): Promise<void>
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

/** Where a key stands in its bucket of requests by the hour: fixed hours of UTC. */
export interface HourlyLimit {
  /** Requests an hour, by the workspace's plan. */
  readonly limit: number
  /** What is left of them in this hour, this request already taken off; never below 0. */
  readonly remaining: number
  /** The next full hour. */
  readonly resetsAtUnixSeconds: number
  /** False where this request was one too many. */
  readonly allowed: boolean
}

/** What a dialect asks for when it submits a task. */
export interface Submission {
  readonly request: MediaOperation
  /** The dialect's own word for the kind of task. */
  readonly family: string
  /** The client's body, for echoes; without files' bytes. */
  readonly wire: JsonObject
  readonly callbackUrl: string | undefined
  /** Set where one such task is all that may be made; it then stands for the call's own `Idempotency-Key`. */
  readonly once?: Once | undefined
}

/**
 * Made once: of any number of calls at once with one key exactly one submits, and while its task is under way or has
 * succeeded, for a day, the others are answered with it and charged nothing. A task that failed does not count. What was
 * made earlier is for who submits to look up.
 */
export interface Once {
  /** Within the account: what is made, and of what. */
  readonly key: string
  /** For a call that came second: the task of the first, as it is now. */
  readonly answer: (earlier: TaskView) => WireAnswer
}

/** A file that a client sent, stored. */
export interface StoredFile {
  readonly id: Uuid
  readonly url: string
  readonly fileName: string
  readonly contentType: string
  readonly sizeBytes: number
  readonly createdAt: Date
}

/** Bytes to keep: from the body, or (already known to be public) from an address of the client's. */
export type FileSource = { readonly bytes: Uint8Array } | { readonly url: string }

/** The part of a statement that stores an answer and ends its call's key; `undefined` where the call has none. */
export type KeepAnswer = (answer: WireAnswer) => StatementPart | undefined

/** Media: everything that becomes a task. Ids that are not the caller's are as if they did not exist. */
export interface MediaGateway {
  /**
   * Stores a file of the client's, so that a request can name it. The type is read from the bytes. Throws input_rejected
   * (too large, not a known type, not of the kind that the role takes) or, for a URL, what kept it from being fetched.
   */
  storeFile(
    call: Call,
    source: FileSource,
    options: {
      readonly fileName?: string | undefined
      readonly role?: InputRole | undefined
      readonly param: string
    },
  ): Promise<StoredFile>
  /**
   * Takes the hold and writes the task in one transaction; `render` makes the answer, which is stored first where the call
   * is idempotent. `call.billing` then says what was taken. With `once` it may answer with a task that is there already.
   */
  submit(call: Call, submission: Submission, render: (task: TaskView) => WireAnswer): Promise<WireAnswer>
  /**
   * Submits and waits for the end, to the model's deadline; then the task is cancelled. A client that leaves leaves the
   * task running. Throws generation_failed, content_rejected, generation_timeout … for a task that did not succeed.
   */
  submitAndWait(
    call: Call,
    submission: Submission,
    render: (task: TaskView) => WireAnswer | Promise<WireAnswer>,
  ): Promise<WireAnswer>
  /** A task by its wire id, or `undefined`. */
  findTask(call: Call, id: string): Promise<TaskView | undefined>
  listTasks(call: Call, query: TaskQuery): Promise<TaskPage>
  /** Ends a task that has not ended and gives its hold back. Throws task_not_found or task_state_conflict. */
  cancelTask(call: Call, id: string): Promise<TaskView>
  /**
   * Gives the task whenever it changes, from now until it has ended (that one included) or the signal aborts. Throws
   * task_not_found.
   */
  watchTask(call: Call, id: string, signal: AbortSignal): Promise<AsyncIterable<TaskView>>
  /** An artifact of the caller's by the URL we gave out, or `undefined`: it is not ours, or not theirs. */
  findArtifact(call: Call, url: string): Promise<Artifact | undefined>
  /** Where the caller's account manages its callbacks. Throws where the call has no key. */
  webhooks(call: Call): WebhookDesk
  /** A file, thumbnail or upload by the path of its URL, for anyone who has the link; `undefined` where there is none. */
  openFile(path: string): Promise<OpenFile | undefined>
}

/** A stored file, ready to be sent. */
export interface OpenFile {
  readonly contentType: string
  readonly fileName: string
  readonly sizeBytes: number
  readonly etag: string
  /** A presigned link elsewhere, where the store gives one. */
  readonly redirectTo: string | undefined
  /** The bytes from `start` to `end` inclusive, or all of them. */
  read(range?: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>
}

export interface Gateway extends MediaGateway {
  readonly credits: CreditScale
  /** Finds who asks and sets `call.principal`. Throws missing_api_key, invalid_api_key or expired_api_key. */
  authenticate(call: Call, authorization: string | undefined): Promise<void>
  /**
   * Counts this request in the key's bucket of the hour and tells where it stands. Asked by dialects whose format promises
   * such a limit, once a request, whatever becomes of it.
   */
  hourlyLimit(call: Call): Promise<HourlyLimit>
  /**
   * Makes or changes something that costs nothing, once for the call's `Idempotency-Key`: a repeat gets the first answer,
   * whatever has become of the thing since. `keep` is for work that writes in one statement, which then stores the answer
   * too; where it is not used the answer is stored after the work. What fails frees the key. `digest` stands for the body
   * where its bytes do not say all that is asked for, as where the path names the thing (`dialect-kit/call-digest.ts`).
   * Throws `idempotency_key_reused` for a repeat that asks for something else, and `idempotency_in_progress`. What calls
   * that hold money need is in their own functions.
   */
  keyed(call: Call, work: (keep: KeepAnswer) => Promise<WireAnswer>, digest?: string): Promise<WireAnswer>
  /** What the key's account can spend now, for the headers of answers that charged nothing; `undefined` without a key. */
  balance(call: Call): Promise<bigint | undefined>
  /**
   * Runs a chat that is answered whole. The rendered answer is stored first where the call is idempotent. `render` is told
   * what will be charged, and is asked again in the rare case that something else was.
   */
  chat(
    call: Call,
    request: ChatRequest,
    render: (result: ChatResult, chargedNanoUsd: bigint) => WireAnswer,
  ): Promise<WireAnswer>
  /** Runs a chat and streams it into the reply. Throws only while nothing has been sent. */
  streamChat(call: Call, request: ChatRequest, renderer: ChatStreamRenderer, reply: WireReply): Promise<void>
  embed(call: Call, request: EmbedRequest, render: (result: EmbedResult) => WireAnswer): Promise<WireAnswer>
  quote(call: Call, operation: Operation): Promise<Quote>
  account(call: Call): Promise<AccountView>
  receipt(call: Call, requestId: Uuid): Promise<Receipt>
  /** Every model of the catalogue that an offering serves in live mode, for public price lists, sorted by id. */
  publicModels(): readonly Model[]
  /** The price that (dialect, model) fixes, per image, in nano-dollars; `undefined` where the catalogue's price holds. */
  fixedPrice(dialect: string, model: string): bigint | undefined
  /** The models this key may name, sorted by id. */
  models(call: Call): readonly Model[]
  /** One model by id or alias. Throws model_not_found with near names. */
  model(call: Call, name: string): Model
}
