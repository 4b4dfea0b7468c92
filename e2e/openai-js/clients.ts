/** The official `openai` package, unmodified, pointed at a server of ours. */
import OpenAI, { type ClientOptions } from 'openai'
import { type OpenAiUpstream, startOpenAiUpstream } from '#testing/upstreams/openai.ts'
import { startServer, type TollgateServer } from '../server.ts'

/** The three lines of the migration: base URL, key, any model. No retries unless asked for. */
export function clientOf(server: Pick<TollgateServer, 'url'>, apiKey: string, options: ClientOptions = {}): OpenAI {
  return new OpenAI({ baseURL: `${server.url}/api/v1`, apiKey, maxRetries: 0, ...options })
}

/** Counts what the package really sends, retries included. */
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

export const LIVE_KEY = 'sk-live-end-to-end-0123456789'

/** A server whose provider is the simulated vendor, and a live key with credits. */
export interface LiveServer {
  readonly server: TollgateServer
  readonly upstream: OpenAiUpstream
  stop(): Promise<void>
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
    return {
      server,
      upstream,
      async stop() {
        await server.stop()
        await upstream.close()
      },
    }
  } catch (error) {
    await upstream.close()
    throw error
  }
}
