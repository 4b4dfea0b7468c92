/** The official `openai` package, unmodified, pointed at a server of ours. */
import OpenAI, { type ClientOptions } from 'openai'
import { type OpenAiUpstream, startOpenAiUpstream } from '#testing/upstreams/openai.ts'
import { startServer, type TollgateServer } from '../server.ts'

/** The three lines of the migration: base URL, key, any model. No retries unless asked for. */
export function clientOf(
  server: Pick<TollgateServer, 'url'>,
  apiKey: string,
  options: ClientOptions = {},
): OpenAI {
  return new OpenAI({ baseURL: `${server.url}/api/v1`, apiKey, maxRetries: 0, ...options })
}

/** A `fetch` that remembers the head of everything the package really sent, retries included. */
export function countingFetch(): { readonly fetch: typeof fetch; readonly sent: Headers[] } {
  const sent: Headers[] = []
  return {
    sent,
    fetch: (input, init) => {
      sent.push(new Headers(init?.headers))
      return fetch(input, init)
    },
  }
}

/** A server for test keys. */
export async function startTestServer(
  env: Readonly<Record<string, string>> = {},
): Promise<{ server: TollgateServer; client: OpenAI }> {
  const server = await startServer({ env })
  return { server, client: clientOf(server, server.testKey) }
}

export const LIVE_KEY = 'sk-live-end-to-end-0123456789'

/** A server whose provider is the simulated vendor, and a live key with 10,000 credits. */
export interface LiveServer {
  readonly server: TollgateServer
  readonly upstream: OpenAiUpstream
  readonly client: OpenAI
}

export async function startLiveServer(env: Readonly<Record<string, string>> = {}): Promise<LiveServer> {
  const upstreamKey = 'sk-of-the-simulated-vendor'
  const upstream = await startOpenAiUpstream({ apiKey: upstreamKey })
  try {
    const server = await startServer({
      env: {
        OPENAI_API_KEY: upstreamKey,
        OPENAI_BASE_URL: upstream.baseUrl,
        TOLLGATE_API_KEY: LIVE_KEY,
        TOLLGATE_CREDITS: '10000',
        ...env,
      },
    })
    return { server, upstream, client: clientOf(server, LIVE_KEY) }
  } catch (error) {
    await upstream.close()
    throw error
  }
}

/** What may be logged as an error where a test asked for it: a provider that refuses us, or bills more than was held. */
const ASKED_FOR = /"kind":"credential"|a provider reported more than was held/

/**
 * The end of every file: the ledger is whole, nothing unforeseen was logged, no key is in the log, and the server
 * drains and ends well.
 */
export async function stopSound(server: TollgateServer | undefined): Promise<void> {
  if (server === undefined) return
  const audit = await server.cli('audit', '--json')
  const exit = await server.stop()
  const log = server.log()
  const wrong: string[] = []
  if (audit.code !== 0) wrong.push(`the audit ended with ${audit.code}: ${audit.stdout}${audit.stderr}`)
  const errors = log.split('\n').filter(line => line.includes('"level":"error"') && !ASKED_FOR.test(line))
  wrong.push(...errors)
  const keys = [server.testKey, LIVE_KEY].filter(key => key !== '' && log.includes(key))
  if (keys.length > 0) wrong.push('a key is in the log')
  if (exit.code !== 0) wrong.push(`the server ended with ${exit.code ?? exit.signal}:\n${log.slice(-2000)}`)
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
}
