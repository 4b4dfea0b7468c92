/** Every endpoint of every dialect as plain data: what OpenAPI and the pages are both written from. */
import type { Dialect, Endpoint, EndpointReference } from '#spec/dialect.ts'
import type { ErrorCode } from '#spec/errors.ts'
import { type Collision, routeKey } from '../shared-endpoint.ts'
import type { DialectCallbacks, EndpointCallbacks } from './callbacks.ts'
import { type DialectErrors, errorsOf } from './errors.ts'
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts'

/** A dialect, where it is served, and what a reader should know of it first. */
export interface ReferenceSource {
  readonly dialect: Dialect
  /** The one that examples use first. */
  readonly mounts: readonly [string, ...string[]]
  /** What its clients call it. */
  readonly title: string
  /** A sentence or two. */
  readonly summary: string
}

export interface ReferenceOptions {
  readonly version: string
  readonly sources: readonly ReferenceSource[]
  /** Paths that several dialects claim. */
  readonly collisions: readonly Collision[]
  /** What a client should know about each error, in a sentence. */
  readonly meanings: Readonly<Record<ErrorCode, string>>
  /** What each dialect's callbacks look like (`learnCallbacks`); left out: nothing is said of any. */
  readonly callbacks?: ReadonlyMap<string, DialectCallbacks> | undefined
}

/** A dialect in the reference. */
export interface Section {
  readonly id: string
  readonly title: string
  readonly summary: string
  readonly mounts: readonly [string, ...string[]]
  readonly operations: readonly Operation[]
  readonly errors: DialectErrors
  readonly callbacks: DialectCallbacks | undefined
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly isRequired: boolean
  readonly schema: JsonSchema
}

export interface Body {
  readonly contentType: string
  readonly schema: JsonSchema
}

export interface Operation {
  /** Unique, and good as an anchor: `openai-post-chat-completions`. */
  readonly id: string
  readonly sectionId: string
  readonly method: Endpoint['method']
  /** With parameters in braces, without the mount. */
  readonly path: string
  readonly isPublic: boolean
  readonly tag: string
  readonly summary: string
  readonly description: string | undefined
  readonly parameters: readonly Parameter[]
  readonly body: (Body & { readonly isRequired: boolean }) | undefined
  readonly answer: Body & { readonly status: number; readonly event: JsonSchema | undefined }
  readonly example: EndpointReference['example']
  readonly callbacks: EndpointCallbacks | undefined
  /** Where other dialects claim the path too. */
  readonly collision: Collision | undefined
}

/** Throws naming every endpoint that nothing is said of. */
export function sectionsOf({
  sources,
  collisions,
  meanings,
  callbacks,
}: ReferenceOptions): readonly Section[] {
  const silent = undescribed(sources.map(({ dialect }) => dialect))
  if (silent.length > 0) throw new Error(`endpoints without a reference: ${silent.join(', ')}`)
  return sources.map(({ dialect, mounts, title, summary }) => ({
    id: dialect.id,
    title,
    summary,
    mounts,
    operations: dialect.endpoints.flatMap(
      endpoint => operationOf(dialect, endpoint, collisions, callbacks?.get(dialect.id)) ?? [],
    ),
    errors: errorsOf(dialect, meanings),
    callbacks: callbacks?.get(dialect.id),
  }))
}

/** The endpoints that have no `reference`, as `kie POST /generate`. */
export function undescribed(dialects: readonly Dialect[]): readonly string[] {
  return dialects.flatMap(({ id, endpoints }) =>
    endpoints
      .filter(({ reference }) => reference === undefined)
      .map(({ method, path }) => `${id} ${method} ${path}`),
  )
}

function operationOf(
  { id: sectionId }: Dialect,
  endpoint: Endpoint,
  collisions: readonly Collision[],
  callbacks: DialectCallbacks | undefined,
): Operation | undefined {
  const { method, access, reference } = endpoint
  if (reference === undefined) return undefined
  const { summary, description, tag, body, answer, example } = reference
  const path = templateOf(endpoint.path)
  return {
    id: [sectionId, method.toLowerCase(), ...path.split(/[^a-zA-Z0-9]+/).filter(Boolean)].join('-'),
    sectionId,
    method,
    path,
    isPublic: access === 'public',
    tag,
    summary,
    description,
    parameters: [...pathParameters(endpoint.path), ...queryParameters(reference)],
    body: body && {
      contentType: body.contentType ?? 'application/json',
      schema: jsonSchemaOf(body.schema),
      isRequired: !body.schema.safeParse(undefined).success,
    },
    answer: {
      status: answer.status ?? 200,
      contentType: answer.contentType ?? 'application/json',
      schema: jsonSchemaOf(answer.schema),
      event: answer.event && jsonSchemaOf(answer.event),
    },
    example,
    callbacks: callbacks?.endpoints.find(({ route }) => route === `${method} ${endpoint.path}`),
    collision: collisions.find(collision => routeKey(collision) === routeKey(endpoint)),
  }
}

/** How the rest of a path is called where a template needs a name for it. */
const REST = 'path'

function templateOf(path: string): string {
  return path.replaceAll(/:([a-zA-Z_]+)/g, '{$1}').replace(/\*$/, `{${REST}}`)
}

function pathParameters(path: string): readonly Parameter[] {
  return [...path.matchAll(/:([a-zA-Z_]+)|(\*)$/g)].map(match => ({
    name: match[1] ?? REST,
    in: 'path',
    isRequired: true,
    schema: {
      type: 'string',
      ...(match[1] === undefined && { description: 'The rest of the path; it may hold slashes' }),
    },
  }))
}

function queryParameters({ query }: EndpointReference): readonly Parameter[] {
  if (query === undefined) return []
  const { properties = {}, required = [] } = jsonSchemaOf(query)
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    isRequired: required.includes(name),
    schema,
  }))
}
