/** Health, metrics, files, the API reference and vendors' callbacks, written as a dialect of their own: no key, no money, mounted at the root. */
import type { Dialect, Endpoint, EndpointExchange } from '#spec/dialect.ts'
import type { Drain } from './drain.ts'
import type { HttpMetrics } from './edge.ts'
import { serveFile } from './files.ts'
import { plainError } from './plain-error.ts'
import {
  PROVIDER_CALLBACK_BYTES,
  type ReceiveProviderCallback,
  receiveCallback,
} from './provider-callbacks.ts'
import { type ReferenceSettings, referenceEndpoints } from './reference-pages.ts'

/** Whether this process is ready to serve. It must not follow the shared database: one outage would empty every node. */
export interface Readiness {
  readonly ready: boolean
}

export function createPlainDialect(parts: {
  readiness: Readiness
  drain: Drain
  metrics: Pick<HttpMetrics, 'render'>
  receiveProviderCallback?: ReceiveProviderCallback | undefined
  reference?: ReferenceSettings | undefined
}): Dialect {
  const { readiness, drain, metrics, reference, receiveProviderCallback = async () => 'unknown' } = parts
  const health = async ({ reply }: EndpointExchange) => {
    const status = drain.phase !== 'serving' ? 'draining' : readiness.ready ? 'ok' : 'starting'
    reply.send({
      status: status === 'ok' ? 200 : 503,
      contentType: 'application/json',
      headers: { 'Cache-Control': 'no-store' },
      body: JSON.stringify({ status }),
    })
  }
  return {
    id: 'plain',
    endpoints: [
      plain('/health', health),
      plain('/readyz', health),
      plain('/livez', async ({ reply }) => {
        reply.send({ status: 200, contentType: 'application/json', body: '{"status":"ok"}' })
      }),
      plain('/metrics', async ({ reply }) => {
        reply.send({ status: 200, ...(await metrics.render()) })
      }),
      plain('/files/:token/:name', serveFile),
      {
        method: 'POST',
        path: '/provider-callbacks/:provider/:name/:token',
        access: 'public',
        bodyLimitBytes: PROVIDER_CALLBACK_BYTES,
        handle: receiveCallback(receiveProviderCallback),
      },
      ...(reference === undefined ? [] : referenceEndpoints(reference)),
    ],
    renderError: plainError,
  }
}

function plain(path: string, handle: Endpoint['handle']): Endpoint {
  return { method: 'GET', path, access: 'public', bodyLimitBytes: 0, handle }
}
