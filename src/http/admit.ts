/** The door: what every request passes before its body is read. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Endpoint } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Edge, Route } from './edge.ts'
import { Exchange } from './exchange.ts'
import { checkBodyHead, checkHttp } from './request-head.ts'

/**
 * Opens the exchange of a request and lets it in, or answers it: in this order the drain, HTTP itself, the key, and the
 * head of the body. Strangers are turned away here, so none of them can make us buffer a body. `done` is called
 * only for those let in.
 */
export function admit(
  edge: Edge,
  route: Route,
  endpoint: Endpoint,
  request: FastifyRequest,
  reply: FastifyReply,
  done: () => void,
): void {
  const exchange = openExchange(edge, route, request, reply)
  const letIn = () => {
    if (exchange.over) return
    try {
      checkBodyHead(request.raw, endpoint)
    } catch (thrown) {
      void exchange.refuse(thrown)
      return
    }
    done()
  }
  try {
    checkRoom(edge, route, exchange)
    checkHttp(request.raw, edge.config.maxHeaders)
  } catch (thrown) {
    exchange.fail(thrown)
    return
  }
  if (endpoint.access === 'public') letIn()
  else {
    // Most dialects wait for the key alone: one promise less for each of their calls.
    const entered = route.dialect.enter
      ? exchange.enter(route.dialect)
      : edge.gateway.authenticate(exchange.call, request.raw.headers.authorization)
    entered.then(letIn, thrown => exchange.fail(thrown))
  }
}

/** Takes the answer away from Fastify: from here on, only the exchange writes. */
export function openExchange(
  edge: Edge,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Exchange {
  const exchange = new Exchange(edge, route, request.raw, reply.raw)
  request.exchange = exchange
  return exchange
}

function checkRoom(edge: Edge, route: Route, exchange: Exchange): void {
  if (route.isApi && edge.drain.phase === 'refusing') {
    throw new GatewayError('server_draining', 'This server is going down. Send the request again.', {
      retryAfterSeconds: 1,
    })
  }
  if (exchange.pipelined > edge.config.maxPipelined) {
    throw new GatewayError(
      'rate_limited',
      `More than ${edge.config.maxPipelined} requests are open on one connection.`,
      { retryAfterSeconds: 1 },
    )
  }
}
