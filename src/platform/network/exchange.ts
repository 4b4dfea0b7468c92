/** The one door to other hosts, on undici's dispatch interface: no web streams, no Readable per call. */
import { Pool } from 'undici'
import {
  type Exchange,
  ExchangeFailure,
  type OutboundAnswer,
  type OutboundHead,
  type OutboundRequest,
} from '#spec/ports.ts'
import { type AnswerSink, type CallResult, OutboundCall } from './outbound-call.ts'

export interface ExchangeOptions {
  /** Open connections to one origin, each busy with at most one call; a call waits for a free one within `connectMs`. */
  readonly connectionsPerOrigin?: number | undefined
  /** How long an idle connection is kept. Below the 5 s after which Node and uvicorn close theirs. */
  readonly keepAliveMs?: number | undefined
  /** The upper bound of every call's own `connectMs`: when an attempt to connect is given up. */
  readonly connectTimeoutMs?: number | undefined
}

export interface ClosableExchange extends Exchange {
  /** Drops every connection; calls in flight fail with `aborted`. */
  close(): Promise<void>
}

/** Follows no redirects, decodes nothing, and puts no URL, host or header into an error. */
export function createExchange(options: ExchangeOptions = {}): ClosableExchange {
  const poolOptions: Pool.Options = {
    connections: options.connectionsPerOrigin ?? 8192,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: options.keepAliveMs ?? 4_000,
    connect: { timeout: options.connectTimeoutMs ?? 10_000 },
    // Deadlines are our own: one timer a call, and exact below undici's half-second ticks.
    headersTimeout: 0,
    bodyTimeout: 0,
  }
  const pools = new Map<string, Pool>()
  const poolOf = (origin: string): Pool => {
    let pool = pools.get(origin)
    if (!pool) {
      pool = new Pool(origin, poolOptions)
      pools.set(origin, pool)
    }
    return pool
  }
  const locate = createLocator()

  function run(request: OutboundRequest, sink: AnswerSink): Promise<CallResult> {
    return new Promise((resolve, reject) => {
      if (request.signal.aborted) return reject(new ExchangeFailure('aborted'))
      const location = locate(request.url)
      if (location === undefined) return reject(new ExchangeFailure('connect', new Error('ERR_INVALID_URL')))
      const dispatch = (call: OutboundCall): void => {
        poolOf(location.origin).dispatch(
          {
            origin: location.origin,
            path: location.path,
            method: request.method,
            headers: request.headers,
            body: request.body ?? null,
          },
          call,
        )
      }
      dispatch(new OutboundCall(request, sink, dispatch, resolve, reject))
    })
  }

  return {
    async fetch(request): Promise<OutboundAnswer> {
      const { status, headers, body } = await run(request, COLLECT)
      return { status, headers, body: body ?? Buffer.alloc(0) }
    },
    stream: (request, onHead, onData): Promise<OutboundHead & { readonly body: Buffer | undefined }> =>
      run(request, { onHead, onData }),
    close: async () => {
      await Promise.all([...pools.values()].map(pool => pool.destroy()))
    },
  }
}

const COLLECT: AnswerSink = { onHead: () => 'collect', onData: () => undefined }

interface Location {
  readonly origin: string
  readonly path: string
}

const LOCATIONS_KEPT = 512

/** Splits URLs, remembering the few an installation calls again and again. */
function createLocator(): (url: string) => Location | undefined {
  const known = new Map<string, Location>()
  return url => {
    const found = known.get(url)
    if (found !== undefined) return found
    const parsed = URL.parse(url)
    if (parsed === null || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) return undefined
    const location = { origin: parsed.origin, path: parsed.pathname + parsed.search }
    if (known.size >= LOCATIONS_KEPT) known.clear()
    known.set(url, location)
    return location
  }
}
