/** Requests that no endpoint took: unknown paths, wrong methods, URLs that cannot be decoded. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Dialect } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { openExchange } from './admit.ts'
import type { Edge, Route } from './edge.ts'
import { type MountedEndpoint, PathGuide } from './routes.ts'

/** Their name in the log and the metrics: a client's path is never a label. */
const LABEL = '(none)'

export class Strays {
  readonly #edge: Edge
  readonly #guide: PathGuide
  readonly #plain: Dialect
  readonly #routes = new Map<Dialect, Route>()

  constructor(edge: Edge, endpoints: readonly MountedEndpoint[], plain: Dialect) {
    this.#edge = edge
    this.#plain = plain
    this.#guide = new PathGuide(endpoints)
    for (const dialect of new Set([plain, ...endpoints.map(mounted => mounted.dialect)])) {
      const metrics = edge.metrics.route(dialect.id, LABEL)
      const isApi = dialect !== plain
      this.#routes.set(dialect, { dialect, label: LABEL, path: LABEL, bodyLimitBytes: 0, isApi, metrics })
    }
  }

  /** 405 with `Allow` where the path is known by other methods, else 404. */
  answer(request: FastifyRequest, reply: FastifyReply): void {
    const method = request.raw.method ?? ''
    const allowed = this.#guide.methodsAt(request.raw.url ?? '')
    if (allowed.length === 0) {
      this.refuse(
        request,
        reply,
        new GatewayError('not_found', 'There is nothing at this path. See the API reference.'),
      )
      return
    }
    const allow = allowed.join(', ')
    this.refuse(
      request,
      reply,
      new GatewayError('method_not_allowed', `${method} is not served at this path. Use ${allow}.`),
      { Allow: allow },
    )
  }

  /** Answers with the error in the shape of the dialect that the path most likely belongs to. */
  refuse(
    request: FastifyRequest,
    reply: FastifyReply,
    thrown: unknown,
    extraHeaders?: Readonly<Record<string, string>>,
  ): void {
    reply.hijack()
    const dialect = this.#guide.ownerOf(request.raw.url ?? '') ?? this.#plain
    const route = this.#routes.get(dialect)
    if (route) openExchange(this.#edge, route, request, reply).fail(thrown, extraHeaders)
  }
}
