/** Fastify, set up: one route per mounted endpoint, and an answer for everything that is no route. */
import type { Socket } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Dialect } from '#spec/dialect.ts'
import { admit } from './admit.ts'
import { readBody } from './body.ts'
import type { Edge, Route } from './edge.ts'
import type { Exchange } from './exchange.ts'
import type { MountedEndpoint } from './routes.ts'
import { createHttpServer, refuseConnection } from './server.ts'
import { Strays } from './strays.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the first hook; every later step finds it. */
    exchange: Exchange | undefined
  }
}

/** Builds the router over the endpoints. `plain` answers outside every mount. */
export function buildRouter(
  edge: Edge,
  endpoints: readonly MountedEndpoint[],
  plain: Dialect,
): FastifyInstance {
  const strays = new Strays(edge, endpoints, plain)
  const fastify = Fastify({
    logger: false,
    return503OnClosing: false,
    genReqId: () => '',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500, querystringParser: parseQuery },
    serverFactory: listener => createHttpServer(edge, listener),
    clientErrorHandler: (error, socket) => refuseConnection(edge, error, socket as Socket),
    frameworkErrors: (error, request, reply) => strays.refuse(request, reply, error),
  })
  fastify.decorateRequest('exchange', undefined)
  fastify.removeAllContentTypeParsers()
  // The usual type by its name too: Fastify finds it without taking the header apart for each request.
  fastify.addContentTypeParser(['application/json', '*'], (request, _payload, done) =>
    readBodyOf(edge, request, done),
  )
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.is404) strays.answer(request, reply)
    else done()
  })
  fastify.setErrorHandler((error, request, reply) => {
    reply.hijack()
    request.exchange?.fail(error)
  })
  const routes = new Map<string, Route>()
  for (const mounted of endpoints) addRoute(fastify, edge, mounted, routeOf(edge, routes, mounted, plain))
  return fastify
}

/** One route of the log and the metrics for all the mounts of an endpoint. */
function routeOf(
  edge: Edge,
  routes: Map<string, Route>,
  { dialect, endpoint }: MountedEndpoint,
  plain: Dialect,
): Route {
  const { bodyLimitBytes } = endpoint
  const label = `${endpoint.method} ${endpoint.path}`
  const key = `${dialect.id} ${label}`
  const known = routes.get(key)
  if (known) return known
  const metrics = edge.metrics.route(dialect.id, label)
  const route: Route = {
    dialect,
    label,
    path: endpoint.path,
    bodyLimitBytes,
    isApi: dialect !== plain,
    metrics,
  }
  routes.set(key, route)
  return route
}

function addRoute(fastify: FastifyInstance, edge: Edge, mounted: MountedEndpoint, route: Route): void {
  const { endpoint, url } = mounted
  const hasParams = endpoint.path.includes(':')
  fastify.route({
    method: endpoint.method,
    url,
    onRequest: (request, reply, done) => admit(edge, route, endpoint, request, reply, done),
    handler(request, reply) {
      reply.hijack()
      const { exchange } = request
      if (!exchange) return
      if (hasParams) exchange.call.pathParams = JSON.stringify(request.params)
      void exchange.serve(endpoint, {
        params: request.params as Record<string, string>,
        query: request.query as Record<string, string>,
        headers: request.raw.headers as Record<string, string | undefined>,
        body: exchange.call.body,
        isHead: request.method === 'HEAD',
      })
    },
  })
}

function readBodyOf(edge: Edge, request: FastifyRequest, done: (error: null, body: undefined) => void): void {
  const { exchange } = request
  if (!exchange) return
  readBody(edge, exchange, exchange.route.bodyLimitBytes, body => {
    if (body.length > 0) exchange.call.body = body
    done(null, undefined)
  })
}

const NO_QUERY: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

/** The last value of a repeated name wins; bad percent-encoding becomes U+FFFD, as browsers do it. */
function parseQuery(text: string): Record<string, string> {
  if (text === '') return NO_QUERY
  const query: Record<string, string> = Object.create(null)
  for (const [name, value] of new URLSearchParams(text)) query[name] = value
  return query
}
