/** `GET /openapi.json` and the pages under `/docs`: for anyone, without a script and without a request to elsewhere. */
import type { ReferenceDocument, ReferenceSite } from '#dialect-kit/reference/reference-site.ts'
import type { Endpoint, EndpointExchange, WireRequest } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'

export interface ReferenceSettings {
  readonly site: ReferenceSite
  /** Where clients reach this gateway; `undefined`: under the name that each of them asked for. */
  readonly publicUrl: string | undefined
}

/** Styles of our own and nothing else: a page that somehow held a stranger's markup could still run and load nothing. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function referenceEndpoints({ site, publicUrl }: ReferenceSettings): readonly Endpoint[] {
  const baseUrlOf = (request: WireRequest) => publicUrl ?? originOf(request.headers.host)
  const openApi = async (exchange: EndpointExchange) => {
    sendDocument(exchange, site.openApi(baseUrlOf(exchange.request)), { 'Access-Control-Allow-Origin': '*' })
  }
  const page = async (exchange: EndpointExchange) => {
    const { page: name = '' } = exchange.request.params
    const found = site.page(name, baseUrlOf(exchange.request))
    if (!found) throw new GatewayError('not_found', 'There is no such page. GET /docs is the first of them.')
    sendDocument(exchange, found, {
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Referrer-Policy': 'no-referrer',
    })
  }
  return [publicGet('/openapi.json', openApi), publicGet('/docs', page), publicGet('/docs/:page', page)]
}

function publicGet(path: string, handle: Endpoint['handle']): Endpoint {
  return { method: 'GET', path, access: 'public', bodyLimitBytes: 0, handle }
}

function sendDocument(
  { request, reply }: EndpointExchange,
  { contentType, body, etag }: ReferenceDocument,
  headers: Readonly<Record<string, string>>,
): void {
  const isKnown = request.headers['if-none-match'] === etag
  reply.send({
    status: isKnown ? 304 : 200,
    contentType,
    headers: { ...headers, ETag: etag, 'Cache-Control': 'no-cache' },
    body: isKnown ? '' : body,
  })
}

const HOST = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i

/** The name the client asked for, where it can be one: it comes back in a page. TLS ends at a proxy, which PUBLIC_URL tells of. */
function originOf(host: string | undefined): string {
  return `http://${host !== undefined && HOST.test(host) ? host : 'localhost'}`
}
