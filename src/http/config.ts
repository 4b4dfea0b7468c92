/** What an operator may set about the HTTP edge. Every default is here; `app/config.ts` reads the environment. */

export interface HttpConfig {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Until the head of a request has arrived whole; a silent new connection counts too. */
  readonly headersTimeoutMs: number
  /** Until a body has arrived, plus the time its received bytes are worth at `bodyBytesPerSecond`. */
  readonly bodyTimeoutMs: number
  /** A body that comes at least this fast is let finish, however long it is. */
  readonly bodyBytesPerSecond: number
  /** Node's own bound on head and body together: the net under the two above. */
  readonly requestTimeoutMs: number
  /** How often Node looks for late heads. */
  readonly connectionsCheckingIntervalMs: number
  /** Must be longer than the idle time-out of whatever stands in front (an ALB's may be set to minutes). */
  readonly keepAliveTimeoutMs: number
  readonly maxHeaderBytes: number
  readonly maxHeaders: number
  /** After so many requests a connection is closed, so that a long-lived one is balanced anew. 0: never. */
  readonly maxRequestsPerConnection: number
  /** Requests a client may have open on one connection by pipelining. */
  readonly maxPipelined: number
  /** 0: as many as the operating system allows. */
  readonly maxConnections: number
  /** Bodies one client address may be sending at once. */
  readonly maxUnfinishedPerAddress: number
  /** Bytes of bodies that are still arriving, over all clients. */
  readonly maxUnfinishedBytes: number
  /** Addresses and CIDR ranges of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[]
  /** How long the rest of a refused body is thrown away, so that the client can read why before the close. */
  readonly lingerMs: number
  /** A stream that was silent for so long gets a comment. */
  readonly heartbeatMs: number
  /** A stream with nothing to say for so long sends its head; from then on its errors are in the stream. */
  readonly headFlushMs: number
  /** Bytes an answer may have buffered before its writer must wait. */
  readonly streamBufferBytes: number
  /** A client that has not taken what was buffered for so long is cut off. */
  readonly stallTimeoutMs: number
  /** How often heartbeats, stalls and late bodies are looked for. */
  readonly pulseMs: number
  /** After a drain began, new connections are still served for so long: load balancers need it to notice. */
  readonly drainDelayMs: number
  /** Then open calls may go on for so long before they are told to end. */
  readonly drainMaxMs: number
  /** Then they have so long to settle and say goodbye before their connections are cut. */
  readonly drainGraceMs: number
}

export const HTTP_DEFAULTS: HttpConfig = {
  host: '127.0.0.1',
  port: 8787,
  headersTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  bodyBytesPerSecond: 64 * 1024,
  requestTimeoutMs: 900_000,
  connectionsCheckingIntervalMs: 2_000,
  keepAliveTimeoutMs: 75_000,
  maxHeaderBytes: 16 * 1024,
  maxHeaders: 100,
  maxRequestsPerConnection: 10_000,
  maxPipelined: 64,
  maxConnections: 0,
  maxUnfinishedPerAddress: 32,
  maxUnfinishedBytes: 512 * 1024 * 1024,
  trustedProxies: [],
  lingerMs: 5_000,
  heartbeatMs: 10_000,
  headFlushMs: 8_000,
  streamBufferBytes: 64 * 1024,
  stallTimeoutMs: 60_000,
  pulseMs: 1_000,
  drainDelayMs: 0,
  drainMaxMs: 600_000,
  drainGraceMs: 10_000,
}
