/** The one door to URLs that a client or a provider named. SAFE-FETCH.md says what it promises. */
import { performance } from 'node:perf_hooks'
import { checkUrl, literalAddress, type UrlPolicy } from '#lib/public-url.ts'
import { type SafeFetch, SafeFetchError, type SafeFetchRequest, type SafeResponse } from '#spec/safe-fetch.ts'
import { type SafeCallAnswer, safeCall } from './safe-fetch-call.ts'
import { compressed, failure, tooLarge, tooManyRedirects } from './safe-fetch-failure.ts'
import { type Lookup, lookupAddresses, nameServerLookup, systemLookup } from './safe-fetch-lookup.ts'

export interface SafeFetchOptions extends UrlPolicy {
  readonly userAgent: string
  /** `undefined`: the system's name servers, and the system's own way for `allowedPrivateHosts`. */
  readonly lookup?: Lookup | undefined
  /** How long resolving one name may take; `undefined`: 2,000. */
  readonly lookupTimeoutMs?: number | undefined
  /** TCP and TLS together; `undefined`: 5,000. */
  readonly connectTimeoutMs?: number | undefined
  /** The longest silence where a request says nothing of its own; `undefined`: 30,000. */
  readonly idleTimeoutMs?: number | undefined
}

/** Holds no connection, cache or timer between calls, so there is nothing to close. */
export function createSafeFetch(options: SafeFetchOptions): SafeFetch {
  return async (text, request) => {
    const journey = new Journey(options, request)
    let target = text
    for (let hop = 0; ; hop += 1) {
      const { url, answer } = await journey.go(target, hop)
      const next = followed(url, answer, request)
      if (next === undefined) return responseOf(url, answer, request)
      answer.body.destroy()
      if (hop >= (request.redirects ?? 0)) throw tooManyRedirects(hop)
      target = next
    }
  }
}

const REDIRECTED = 'The address that the URL redirects to'

/** One call, from the URL that was named over its redirects: what the hops share. */
class Journey {
  readonly #options: SafeFetchOptions
  readonly #request: SafeFetchRequest
  readonly #signal: AbortSignal
  readonly #endsAtMs: number
  #headers: Readonly<Record<string, string>>
  #origin: string | undefined

  constructor(options: SafeFetchOptions, request: SafeFetchRequest) {
    this.#options = options
    this.#request = request
    this.#signal = request.signal ?? new AbortController().signal
    this.#endsAtMs = performance.now() + request.timeoutMs
    this.#headers = lowerCased(request.headers ?? {})
  }

  /** Judges a URL from the start, resolves it once, and sends the request to what was judged. */
  async go(text: string, hop: number): Promise<{ url: URL; answer: SafeCallAnswer }> {
    try {
      return await this.#step(text)
    } catch (error) {
      if (hop === 0 || !(error instanceof SafeFetchError)) throw error
      throw new SafeFetchError(error.reason, error.complaint, { subject: REDIRECTED, cause: error.cause })
    }
  }

  async #step(text: string): Promise<{ url: URL; answer: SafeCallAnswer }> {
    const verdict = checkUrl(text, this.#options)
    if (verdict.refusal !== undefined) {
      throw new SafeFetchError(verdict.refusal.reason, verdict.refusal.complaint)
    }
    const { url } = verdict
    const addresses = await this.#resolve(url, verdict.isException)
    this.#leaveCredentialsBehind(url)
    const { method = 'GET', body, maxBytes, read } = this.#request
    const answer = await safeCall({
      url,
      method,
      headers: this.#headersFor(),
      body,
      addresses,
      maxBytes,
      beyond: read === 'start' ? 'cut' : 'fail',
      timeouts: this.#timeouts(),
      signal: this.#signal,
    })
    return { url, answer }
  }

  async #resolve(url: URL, isException: boolean): Promise<readonly string[]> {
    const literal = literalAddress(url)
    if (literal !== undefined) return [literal]
    const lookup = this.#options.lookup ?? (isException ? systemLookup : PUBLIC_LOOKUP)
    return lookupAddresses(url.hostname, lookup, isException, {
      timeoutMs: Math.min(this.#options.lookupTimeoutMs ?? 2_000, this.#remainingMs()),
      signal: this.#signal,
    })
  }

  /** Once gone they stay gone, also where the next redirect leads back. */
  #leaveCredentialsBehind(url: URL): void {
    this.#origin ??= url.origin
    if (url.origin === this.#origin) return
    this.#headers = Object.fromEntries(Object.entries(this.#headers).filter(([name]) => HARMLESS.has(name)))
  }

  #headersFor(): Readonly<Record<string, string>> {
    return {
      accept: '*/*',
      'user-agent': this.#options.userAgent,
      ...this.#headers,
      'accept-encoding': 'identity',
    }
  }

  #timeouts() {
    const idleMs = this.#request.idleTimeoutMs ?? this.#options.idleTimeoutMs ?? 30_000
    return {
      connectMs: this.#options.connectTimeoutMs ?? 5_000,
      firstByteMs: idleMs,
      betweenChunksMs: idleMs,
      totalMs: this.#remainingMs(),
    }
  }

  #remainingMs(): number {
    const remainingMs = this.#endsAtMs - performance.now()
    if (remainingMs <= 0) throw failure('timeout', 'total-timeout')
    return remainingMs
  }
}

const PUBLIC_LOOKUP = nameServerLookup()

/** Of the caller's headers, all that another origin may see: any other might be a credential. */
const HARMLESS: ReadonlySet<string> = new Set(['accept', 'accept-language', 'range'])

/** Says where the request goes and not what it asks: that is ours to write. */
const OURS: ReadonlySet<string> = new Set(['host', 'accept-encoding', 'connection', 'content-length'])

function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return Object.fromEntries(named.filter(([name]) => !OURS.has(name)))
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Where the answer sends us, if it does and if we go: no POST is repeated at an address its caller did not name. */
function followed(url: URL, answer: SafeCallAnswer, request: SafeFetchRequest): string | undefined {
  const { location } = answer.headers
  const follows = (request.redirects ?? 0) > 0 && (request.method ?? 'GET') === 'GET'
  if (!follows || location === undefined || !REDIRECTS.has(answer.status)) return undefined
  return URL.parse(location, url.href)?.href ?? location
}

function responseOf(url: URL, answer: SafeCallAnswer, request: SafeFetchRequest): SafeResponse {
  const { status, headers, body } = answer
  const refusal = refusalOfBody(answer, request)
  if (refusal !== undefined) {
    body.destroy()
    throw refusal
  }
  const contentType = headers['content-type']?.split(';')[0]?.trim().toLowerCase() || undefined
  return { status, headers, contentType, finalUrl: url.href, body }
}

/** What its head says already: too long, or compressed, which nothing here would unpack. */
function refusalOfBody(answer: SafeCallAnswer, request: SafeFetchRequest): SafeFetchError | undefined {
  if (request.read === 'start' || answer.status < 200 || answer.status > 299) return undefined
  const encoding = answer.headers['content-encoding']?.trim().toLowerCase() ?? ''
  if (encoding !== '' && encoding !== 'identity') return compressed()
  if (Number(answer.headers['content-length'] ?? 0) > request.maxBytes) return tooLarge(request.maxBytes)
  return undefined
}
