/** One bucket behind the vendor's client: every request bounded in time and tries, every failure in our words. */
import { type S3Client as Client, S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { ObjectStoreFailure } from '#spec/object-store.ts'
import { ATTEMPTS, DEFAULT_TIMEOUTS, type S3StoreOptions } from './s3-options.ts'

/** A failed request: `status` and `code` are the server's, `undefined` where none answered. */
export class S3Failure extends ObjectStoreFailure {
  readonly status: number | undefined
  readonly code: string | undefined

  constructor(error: unknown) {
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined
    const code = codeOf(error)
    super('unavailable', [code, status].filter(part => part !== undefined).join(' '))
    this.status = status
    this.code = code
  }
}

/** The name only: messages and answers carry hosts, keys and signatures. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const code = error.name === 'Error' && 'code' in error ? String(error.code) : error.name
  return /^[A-Za-z0-9_]{1,64}$/.test(code) ? code : undefined
}

type Send = Client['send']

export class S3Bucket {
  readonly name: string
  readonly #client: S3Client
  /** All attempts of one request, and the waits between them. */
  readonly #patienceMs: number
  readonly #afterAbortMs: number

  constructor(options: S3StoreOptions) {
    const { connectMs, answerMs, afterAbortMs } = options.timeouts ?? DEFAULT_TIMEOUTS
    this.name = options.bucket
    this.#patienceMs = ATTEMPTS * answerMs + 10_000
    this.#afterAbortMs = afterAbortMs
    this.#client = createClient(options, connectMs, answerMs)
  }

  /**
   * Sends one command, and gives what `ask` makes of it. Throws an S3Failure, or `aborted` when the signal was. The
   * bound in time ends with the head of the answer and what the client reads of it; a streamed body has its own.
   */
  async ask<Answer>(
    ask: (send: Send, options: { abortSignal: AbortSignal }) => Promise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(), this.#patienceMs)
    const abortSignal = signal === undefined ? patience.signal : AbortSignal.any([signal, patience.signal])
    try {
      return await ask(this.#client.send.bind(this.#client) as Send, { abortSignal })
    } catch (error) {
      if (signal?.aborted) throw new ObjectStoreFailure('aborted')
      throw new S3Failure(patience.signal.aborted ? undefined : error)
    } finally {
      clearTimeout(timer)
    }
  }

  /**
   * As `ask`, for a request after which an object is there. An abort does not end it at once, since nobody would know
   * then whether it is: the answer is waited for a little longer. Where that does not come either, `unavailable`.
   */
  async askToTheEnd<Answer>(
    ask: (send: Send, options: { abortSignal: AbortSignal }) => Promise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const over = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const begin = () => {
      timer = setTimeout(() => over.abort(), this.#afterAbortMs)
    }
    if (signal?.aborted) begin()
    else signal?.addEventListener('abort', begin, { once: true })
    try {
      return await this.ask(ask, over.signal)
    } catch (error) {
      throw over.signal.aborted ? new S3Failure(undefined) : error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', begin)
    }
  }

  /** When what was sent is no longer worth taking back by oneself. */
  takingBack(): AbortSignal {
    return AbortSignal.timeout(this.#afterAbortMs)
  }

  close(): void {
    this.#client.destroy()
  }
}

/** A client that takes everything from its options and nothing from the machine's environment or files. */
function createClient(options: S3StoreOptions, connectMs: number, answerMs: number): S3Client {
  return new S3Client({
    endpoint: options.endpoint,
    region: options.region,
    forcePathStyle: options.forcePathStyle,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    // Later checksums are unknown to older compatible servers; what is sent is covered by the signature anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Parts are in memory and small: waiting for a "continue" costs more than a refused part.
    expectContinueHeader: false,
    disableS3ExpressSessionAuth: true,
    defaultsMode: 'standard',
    useArnRegion: false,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    authSchemePreference: [],
    sigv4aSigningRegionSet: [],
    userAgentAppId: undefined,
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
      // A client that reads slowly leaves a socket idle, which is no fault: `stall-watch` tells the two apart.
      socketTimeout: 0,
      httpAgent: AGENT,
      httpsAgent: AGENT,
    },
  })
}

/** Readers hold connections as long as they read; puts must not wait for them. */
const AGENT = { keepAlive: true, maxSockets: 1_024 }
