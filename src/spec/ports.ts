/** What the inner rings need from the world, as small interfaces. `platform/` implements them, tests replace them. */
import type { Uuid } from './ids.ts'

export interface Clock {
  /** Unix time in milliseconds. Never used for money: windows and deadlines follow the database's clock. */
  nowMs(): number
  /** Milliseconds that never go back, for durations. */
  monotonicMs(): number
  /** Resolves after the delay, or at once when the signal is aborted. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

export interface Ids {
  /** A fresh time-sortable id. */
  next(): Uuid
}

/** A structured log. Never give it a prompt, an output, a key or a body. */
export interface Logger {
  debug(fields: Readonly<Record<string, unknown>>, event: string): void
  info(fields: Readonly<Record<string, unknown>>, event: string): void
  warn(fields: Readonly<Record<string, unknown>>, event: string): void
  error(fields: Readonly<Record<string, unknown>>, event: string): void
}

/** How long an outbound call may take, each bound on its own. */
export interface Timeouts {
  readonly connectMs: number
  /** From the request sent to the first byte of the answer's head. */
  readonly firstByteMs: number
  /** Between two reads of the body. */
  readonly betweenChunksMs: number
  readonly totalMs: number
}

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
  readonly timeouts: Timeouts
  readonly signal: AbortSignal
  /** A longer collected body fails with `too-large`. A streamed body has no bound of its own. */
  readonly maxResponseBytes: number
}

export interface OutboundHead {
  readonly status: number
  /** Lower-case names; a repeated header is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
}

export interface OutboundAnswer extends OutboundHead {
  readonly body: Buffer
}

/** The one door to other hosts. Implemented on undici in `platform/network`. */
export interface Exchange {
  /** Sends, and collects the whole body. Rejects with an ExchangeFailure. */
  fetch(request: OutboundRequest): Promise<OutboundAnswer>
  /**
   * Sends, and decides at the head: `'stream'` hands each read to `onData` and resolves with no body when the
   * body ended; `'collect'` behaves as `fetch`. While a promise that `onData` returned is pending, nothing more is
   * read (backpressure). Rejects with an ExchangeFailure, also when it breaks after some data.
   */
  stream(
    request: OutboundRequest,
    onHead: (head: OutboundHead) => 'stream' | 'collect',
    onData: (chunk: Buffer) => void | Promise<void>,
  ): Promise<OutboundHead & { readonly body: Buffer | undefined }>
}

export type ExchangeFailureReason =
  /** No connection was made: nothing was sent. */
  | 'connect'
  | 'first-byte-timeout'
  | 'chunk-timeout'
  | 'total-timeout'
  /** The connection broke after the request was sent. */
  | 'reset'
  /** Our own signal. */
  | 'aborted'
  | 'too-large'

export class ExchangeFailure extends Error {
  readonly reason: ExchangeFailureReason
  constructor(reason: ExchangeFailureReason, cause?: unknown) {
    super(`outbound call failed: ${reason}`, { cause })
    this.name = 'ExchangeFailure'
    this.reason = reason
  }
}

/**
 * Named places in the path of money where a test may stop the process. A no-op in every other run. The names
 * are those of the crash windows in docs/money.md.
 */
export type CrashPoint = (
  name:
    | 'after-hold'
    | 'before-dispatch'
    | 'during-call'
    | 'before-settle'
    | 'after-settle'
    | 'before-answer'
    | 'in-sweep',
) => void
