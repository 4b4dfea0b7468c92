/** What the processes of the benchmark say to each other. */

/** How the upstream streams: so many events each, and the time between two; 0 is as fast as they are taken. */
export interface Pace {
  readonly events: number | 'until-asked'
  readonly intervalMs: number
}

export type UpstreamRequest =
  | { readonly kind: 'pace'; readonly pace: Pace }
  /** Ends every stream at its next event. */
  | { readonly kind: 'finish' }
  | { readonly kind: 'count' }

export interface UpstreamCounts {
  readonly plain: number
  /** Streams brought to their end, and those whose reader hung up before. */
  readonly streams: number
  readonly cut: number
  readonly events: number
  readonly openStreams: number
}

export type UpstreamReply =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'counts'; readonly counts: UpstreamCounts }

/** A load to put on one target. Connections send one request after another; nothing is pipelined. */
export interface Load {
  readonly port: number
  /** Whole requests as they go on the wire, used in turn. */
  readonly requests: readonly string[]
  readonly streamed: boolean
  readonly connections: number
  /** Connections open evenly over this time. */
  readonly rampMs: number
  /** From the last opening, or the last stream begun where that is awaited, to the beginning of what is measured. */
  readonly warmUpMs: number
  /** Whether the window waits until every connection has received something. */
  readonly awaitAll: boolean
  readonly measureMs: number
}

export type LoadRequest = { readonly kind: 'run'; readonly load: Load }

export type LoadReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'window'; readonly edge: 'begin' | 'end' }
  | { readonly kind: 'done'; readonly result: LoadResult }

/** Times in milliseconds; absent where nothing was measured. */
export interface Spread {
  readonly count: number
  readonly p50: number
  readonly p99: number
}

export interface LoadResult {
  /** Whole answers with status 200, those before and after the window included. */
  readonly answered: number
  /** Answers that ended within the window, and its length. */
  readonly inWindow: number
  readonly windowMs: number
  /** From the request written to the last byte of its answer. */
  readonly latency: Spread
  /** To the first byte of a streamed body. */
  readonly firstChunk: Spread
  /** From an event written by the upstream to its arrival here. */
  readonly eventDelay: Spread
  /** Events and socket reads of streamed bodies within the window. */
  readonly events: number
  readonly reads: number
  /** What went wrong, and how often. */
  readonly errors: Readonly<Record<string, number>>
}
