/** A plain HTTP client that never retries and writes down exactly what it received: the client's side of every account. */
import { Agent, type IncomingMessage, request as openRequest } from 'node:http'

export interface Wish {
  readonly path?: '/v1/chat/completions' | '/v1/embeddings' | undefined
  readonly body: Readonly<Record<string, unknown>>
  readonly idempotencyKey?: string | undefined
  /** Hang up once so many bytes of the answer's body have come. */
  readonly leaveAfterBytes?: number | undefined
  /** Hang up so long after the request was sent. */
  readonly leaveAfterMs?: number | undefined
}

export interface Answer {
  readonly wish: Wish
  /** `undefined`: no head came. */
  readonly status: number | undefined
  /** The `x-request-id`, where a head came. */
  readonly requestId: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** Received to its last byte, and no error: of a stream up to `[DONE]`. */
  readonly whole: boolean
  /** The code of the error, in the body or in the stream. */
  readonly error: string | undefined
  readonly ms: number
}

export interface Client {
  readonly url: string
  call(wish: Wish): Promise<Answer>
  get(path: string): Promise<Answer>
  /** Closes the connections that are kept. */
  close(): void
}

/** Longer than any time-out of the gateways under test: a call that takes it hangs. */
const PATIENCE_MS = 60_000

export function createClient(url: string, key: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  return {
    url,
    call: wish => exchange(agent, url, key, 'POST', wish.path ?? '/v1/chat/completions', wish),
    get: path => exchange(agent, url, key, 'GET', path, { body: {} }),
    close: () => agent.destroy(),
  }
}

function exchange(
  agent: Agent,
  url: string,
  key: string,
  method: 'GET' | 'POST',
  path: string,
  wish: Wish,
): Promise<Answer> {
  const startedMs = performance.now()
  const body = method === 'GET' ? '' : JSON.stringify(wish.body)
  return new Promise((resolve, reject) => {
    let head: IncomingMessage | undefined
    let text = ''
    let bytes = 0
    const done = (complete: boolean) =>
      resolve(answerOf(wish, head, text, complete, performance.now() - startedMs))
    const request = openRequest(new URL(path, url), {
      agent,
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== '' && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...(wish.idempotencyKey !== undefined && { 'idempotency-key': wish.idempotencyKey }),
      },
    })
    request.setTimeout(PATIENCE_MS, () => {
      reject(new Error(`${path} was silent for ${PATIENCE_MS} ms after ${bytes} bytes`))
      request.destroy()
    })
    request.on('error', () => done(false))
    request.on('response', response => {
      head = response
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text += piece
        bytes += Buffer.byteLength(piece)
        if (wish.leaveAfterBytes !== undefined && bytes >= wish.leaveAfterBytes) request.destroy()
      })
      response.on('error', () => done(false))
      response.on('close', () => done(response.complete))
    })
    request.end(body, () => {
      if (wish.leaveAfterMs !== undefined) setTimeout(() => request.destroy(), wish.leaveAfterMs)
    })
  })
}

function answerOf(
  wish: Wish,
  head: IncomingMessage | undefined,
  text: string,
  complete: boolean,
  ms: number,
): Answer {
  const isStream = head?.headers['content-type']?.startsWith('text/event-stream') ?? false
  const error = isStream
    ? streamedError(text)
    : complete && head?.statusCode !== 200
      ? codeOf(text)
      : undefined
  const ended = isStream ? text.endsWith('data: [DONE]\n\n') : complete
  const requestId = head?.headers['x-request-id']
  return {
    wish,
    status: head?.statusCode,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    headers: head?.headers ?? {},
    text,
    whole: head?.statusCode === 200 && ended && error === undefined,
    error,
    ms,
  }
}

function streamedError(text: string): string | undefined {
  const at = text.indexOf('data: {"error":')
  return at < 0 ? undefined : codeOf(text.slice(at + 'data: '.length).split('\n')[0] ?? '')
}

function codeOf(json: string): string {
  try {
    return (JSON.parse(json) as { error: { code: string } }).error.code
  } catch {
    return 'unreadable'
  }
}

/** The chunks of a stream, or the one body, parsed. */
export function chunksOf(answer: Answer): readonly Readonly<Record<string, unknown>>[] {
  if (!answer.headers['content-type']?.startsWith('text/event-stream')) return [JSON.parse(answer.text)]
  return answer.text
    .split('\n')
    .filter(line => line.startsWith('data: {'))
    .flatMap(line => {
      try {
        return [JSON.parse(line.slice('data: '.length)) as Readonly<Record<string, unknown>>]
      } catch {
        // The last line of a stream that was cut.
        return []
      }
    })
}

/** Runs `work` so many times, at most so many at once. */
export async function inParallel<Result>(
  times: number,
  width: number,
  work: (number: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const worker = async () => {
    while (next < times) {
      const number = next++
      results[number] = await work(number)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}

/** A small seeded generator of numbers in [0, 1), so that a failing run can be repeated. */
export function createDice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
