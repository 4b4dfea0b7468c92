/**
 * One method and path that several dialects claim. A collision is data: which claimant a request is for, by what is in its
 * body, its headers and its query, in the order of its rules. The endpoint made of it decides, and hands over.
 */
import { z } from 'zod'
import type { Dialect, Endpoint, EndpointExchange, EndpointReference, WireRequest } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { parseJsonBody } from './json-body.ts'

/** What a rule looks at. Every condition that is there must hold. */
interface Conditions {
  /** The body is an object with any of these fields. */
  readonly anyField?: readonly string[]
  /** Texts in the body, by field. */
  readonly fields?: Readonly<Record<string, RegExp>>
  /** Headers that were sent, lower-case. */
  readonly header?: string
  readonly query?: Readonly<Record<string, string>>
}

export type Rule =
  /** The request is this dialect's. With `refuses`, the dialect serves nothing here and says so in these words. */
  | ({ readonly claimant: string; readonly refuses?: string } & Conditions)
  /** The request is whose the key says, where the key says it; else the rules below decide. */
  | { readonly byKey: true }

export interface Collision {
  readonly method: Endpoint['method']
  readonly path: string
  /** Tried in order; the first that holds decides. */
  readonly rules: readonly Rule[]
  /** Whose a request is that no rule knows. */
  readonly otherwise: string
}

/** A dialect, and its endpoint at the path of the collision where it has one. */
export interface Claimant {
  readonly dialect: Dialect
  readonly endpoint: Endpoint | undefined
}

interface Claim {
  readonly dialect: Dialect
  readonly endpoint: Endpoint
}

/** Method and path as one text, whatever the parameters are called. */
export function routeKey({ method, path }: Pick<Endpoint, 'method' | 'path'>): string {
  return `${method} ${path.replaceAll(/:[^/]+/g, ':')}`
}

/** The dialect's endpoint at a method and path. */
export function endpointAt(dialect: Dialect, route: Pick<Endpoint, 'method' | 'path'>): Endpoint | undefined {
  return dialect.endpoints.find(endpoint => routeKey(endpoint) === routeKey(route))
}

/**
 * The endpoint of a collision. It is public, so that its body is there before a key is asked for: whose error a stranger is
 * shown depends on it. Throws where the collision does not fit the dialects: it names one that has no such path (and does not
 * refuse there), or none of its rules leads to one that has.
 */
export function sharedEndpoint(collision: Collision, dialects: readonly Claimant[]): Endpoint {
  const claimants = new Map(dialects.map(claimant => [claimant.dialect.id, claimant]))
  checkNames(collision, claimants)
  const endpoints = dialects.flatMap(({ endpoint }) => endpoint ?? [])
  return {
    method: collision.method,
    path: collision.path,
    access: 'public',
    bodyLimitBytes: Math.max(...endpoints.map(({ bodyLimitBytes }) => bodyLimitBytes)),
    reference: referenceOf(endpoints),
    async handle(exchange) {
      const { claimant, refuses, byKey } = decide(collision, exchange.request)
      const claim = claimOf(collision, claimants.get(claimant), refuses)
      await handOver(exchange, claim, byKey ? claimants : undefined)
    },
  }
}

interface Decision {
  readonly claimant: string
  readonly refuses?: string
  /** A key that names another of the claimants comes first. */
  readonly byKey: boolean
}

function decide({ rules, otherwise }: Collision, request: WireRequest): Decision {
  const body = bodyOf(request)
  let byKey = false
  for (const rule of rules) {
    if ('byKey' in rule) byKey = true
    else if (holds(rule, request, body)) return { ...rule, byKey }
  }
  return { claimant: otherwise, byKey }
}

function claimOf(
  { method, path }: Collision,
  claimant: Claimant | undefined,
  refuses: string | undefined,
): Claim {
  const { dialect, endpoint } = claimant ?? {}
  if (dialect === undefined) throw new Error(`${method} ${path} has no claimant`)
  if (refuses !== undefined) return { dialect, endpoint: refusal(method, path, refuses) }
  if (endpoint === undefined) throw new Error(`${dialect.id} has no ${method} ${path}`)
  return { dialect, endpoint }
}

function refusal(method: Endpoint['method'], path: string, sentence: string): Endpoint {
  return {
    method,
    path,
    access: 'public',
    bodyLimitBytes: 0,
    async handle() {
      throw new GatewayError('endpoint_not_supported', sentence)
    },
  }
}

/** What the rules may look into; a body that is no JSON object has no fields, and its claimant says what is wrong with it. */
function bodyOf({ body }: WireRequest): Readonly<Record<string, unknown>> {
  if (body === undefined) return {}
  try {
    return parseJsonBody(body)
  } catch {
    return {}
  }
}

function holds(
  { anyField, fields, header, query }: Conditions,
  request: WireRequest,
  body: Readonly<Record<string, unknown>>,
): boolean {
  if (anyField !== undefined && !anyField.some(name => Object.hasOwn(body, name))) return false
  if (header !== undefined && request.headers[header] === undefined) return false
  const texts = Object.entries(fields ?? {})
  if (!texts.every(([name, pattern]) => typeof body[name] === 'string' && pattern.test(body[name])))
    return false
  return Object.entries(query ?? {}).every(([name, value]) => request.query[name] === value)
}

/** Hands the request to its claimant; once the key is known, to the claimant that the key names, where it names one. */
async function handOver(
  exchange: EndpointExchange,
  { dialect, endpoint }: Claim,
  byKey: ReadonlyMap<string, Claimant> | undefined,
): Promise<void> {
  if (exchange.handOver === undefined) throw new Error('this edge cannot hand a request over')
  if (byKey === undefined) return exchange.handOver(dialect, endpoint)
  await exchange.handOver(dialect, {
    ...endpoint,
    async handle(inner) {
      const named = byKey.get(inner.call.principal?.defaultDialect ?? '')
      if (named?.endpoint === undefined || named.dialect === dialect) await endpoint.handle(inner)
      else await inner.handOver?.(named.dialect, named.endpoint)
    },
  })
}

function checkNames(
  { method, path, rules, otherwise }: Collision,
  claimants: ReadonlyMap<string, Claimant>,
): void {
  const leads = [{ claimant: otherwise, refuses: undefined }, ...rules.filter(rule => 'claimant' in rule)]
  for (const { claimant, refuses } of leads) {
    const known = claimants.get(claimant)
    if (known === undefined || (refuses === undefined && known.endpoint === undefined)) {
      throw new Error(`${method} ${path}: its rules name "${claimant}", which has no such path`)
    }
  }
  for (const [name, { endpoint }] of claimants) {
    if (endpoint !== undefined && !leads.some(({ claimant }) => claimant === name)) {
      throw new Error(`${method} ${path}: no rule leads to "${name}"`)
    }
  }
}

/** Everything that is said of the claimants' endpoints, with the first one's example. */
function referenceOf(endpoints: readonly Endpoint[]): EndpointReference | undefined {
  const references = endpoints.flatMap(({ reference }) => reference ?? [])
  const [first] = references
  if (first === undefined) return undefined
  const bodies = references.flatMap(({ body }) => body?.schema ?? [])
  return {
    summary: references.map(({ summary }) => summary).join('; or: '),
    description: references.flatMap(({ description }) => description ?? []).join('\n\n') || undefined,
    tag: first.tag,
    query: first.query,
    body: bodies.length === 0 ? undefined : { schema: oneOf(bodies) },
    answer: { schema: oneOf(references.map(({ answer }) => answer.schema)) },
    example: first.example,
  }
}

function oneOf(schemas: readonly z.ZodType[]): z.ZodType {
  const [only] = schemas
  return schemas.length === 1 && only !== undefined ? only : z.union(schemas)
}
