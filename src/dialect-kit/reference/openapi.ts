/** The whole reference as one OpenAPI 3.1 document. Where the server is reached is left as a mark: see `base-url.ts`. */
import { BASE_URL } from './base-url.ts'
import { ruleSentences } from './collision-rules.ts'
import { anyOf } from './json-schema.ts'
import { callbackParameters, callbackSchemas, callbacksOf, webhooksOf } from './openapi-callbacks.ts'
import { type Claim, errorSchemaName, responsesOf } from './openapi-responses.ts'
import {
  type Operation,
  type Parameter,
  type ReferenceOptions,
  type Section,
  sectionsOf,
} from './operation.ts'

/** As JSON; the parts that are read here by name. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly info: object
  readonly servers: readonly object[]
  readonly security: readonly object[]
  readonly tags: readonly object[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly webhooks: Readonly<Record<string, object>>
  readonly components: object
}

/** Throws naming every endpoint that nothing is said of. */
export function openApiDocument(options: ReferenceOptions): OpenApiDocument {
  const sections = sectionsOf(options)
  return {
    openapi: '3.1.1',
    info: infoOf(options.version),
    servers: serversOf(sections[0]?.mounts ?? ['']),
    security: [{ bearer: [] }],
    ...tagsOf(sections),
    paths: pathsOf(sections),
    webhooks: webhooksOf(sections),
    components: componentsOf(sections),
  }
}

function infoOf(version: string): object {
  return {
    title: 'Tollgate API',
    version,
    summary: 'Every generative model behind one Bearer key and one prepaid credit pool.',
    description: `Several APIs, one key: a client written for any of them works by changing the host and the key. Every path is served under \`/v1\` and under \`/api/v1\`. Readable pages: ${BASE_URL}/docs`,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  }
}

function serversOf(mounts: readonly string[]): readonly object[] {
  return mounts.map(mount => ({ url: BASE_URL + mount }))
}

/** One tag for each group of each dialect; `x-tagGroups` joins them by dialect where a viewer knows it. */
function tagsOf(sections: readonly Section[]): { tags: readonly object[]; 'x-tagGroups': readonly object[] } {
  const groups = sections.map(section => ({
    section,
    tags: [...new Set(section.operations.map(operation => tagOf(section, operation)))],
  }))
  return {
    tags: groups.flatMap(({ section, tags }) =>
      tags.map(name => ({
        name,
        description: section.summary,
        externalDocs: { url: `${BASE_URL}/docs/${section.id}` },
      })),
    ),
    'x-tagGroups': groups.map(({ section, tags }) => ({ name: section.title, tags })),
  }
}

function tagOf({ title }: Section, { tag }: Operation): string {
  return tag === title ? tag : `${title} · ${tag}`
}

function pathsOf(sections: readonly Section[]): OpenApiDocument['paths'] {
  const paths: Record<string, Record<string, unknown>> = {}
  const claimsOf = claimsByRoute(sections)
  const usual = sections[0]?.mounts ?? []
  const titleOf = (id: string) => sections.find(section => section.id === id)?.title ?? id
  for (const claims of claimsOf.values()) {
    const [first] = claims
    if (first === undefined) continue
    const { section, operation } = first
    paths[operation.path] ??=
      String(section.mounts) === String(usual) ? {} : { servers: serversOf(section.mounts) }
    Object.assign(paths[operation.path] ?? {}, {
      [operation.method.toLowerCase()]: operationObject(claims, titleOf),
    })
  }
  return paths
}

function claimsByRoute(sections: readonly Section[]): ReadonlyMap<string, readonly Claim[]> {
  const claims = new Map<string, Claim[]>()
  const placeOf = new Map<string, string>()
  for (const section of sections) {
    for (const operation of section.operations) {
      const { path, method } = operation
      const place = placeOf.get(path) ?? String(section.mounts)
      if (place !== String(section.mounts)) throw new Error(`${path} is served at two different places`)
      placeOf.set(path, place)
      const route = `${method} ${path}`
      claims.set(route, [...(claims.get(route) ?? []), { section, operation }])
    }
  }
  return claims
}

function operationObject(claims: readonly Claim[], titleOf: (id: string) => string): object {
  const operations = claims.map(({ operation }) => operation)
  const isOver = operations.every(({ answer }) => answer.status >= 400)
  return {
    operationId: operations.map(({ id }) => id).join('-or-'),
    tags: claims.map(({ section, operation }) => tagOf(section, operation)),
    summary: operations.map(({ summary }) => summary).join('; or: '),
    ...descriptionOf(claims, titleOf),
    ...(isOver && { deprecated: true }),
    ...securityOf(operations),
    ...parametersOf(operations),
    ...requestBodyOf(claims),
    responses: responsesOf(claims),
    ...callbacksOf(claims),
  }
}

function descriptionOf(claims: readonly Claim[], titleOf: (id: string) => string): object {
  const collision = claims[0]?.operation.collision
  const isShared = claims.length > 1
  const own = claims.flatMap(({ section, operation }) =>
    operation.description === undefined
      ? []
      : `${isShared ? `${section.title}: ` : ''}${operation.description}`,
  )
  const rules =
    collision === undefined
      ? []
      : [
          `${isShared ? 'Several APIs have this path.' : 'Another API has this path too.'} Which one a request is for, the first of these that holds decides:`,
          ruleSentences(collision, titleOf)
            .map((sentence, index) => `${index + 1}. ${sentence}`)
            .join('\n'),
        ]
  const paragraphs = [...own, ...rules]
  return paragraphs.length === 0 ? {} : { description: paragraphs.join('\n\n') }
}

/** What the document says of all operations, unless one needs no key. */
function securityOf(operations: readonly Operation[]): object {
  if (operations.every(({ isPublic }) => !isPublic)) return {}
  return { security: operations.every(({ isPublic }) => isPublic) ? [] : [{}, { bearer: [] }] }
}

function parametersOf(operations: readonly Operation[]): object {
  const own = new Map<string, Parameter>()
  for (const { parameters } of operations) {
    for (const parameter of parameters) own.set(`${parameter.in} ${parameter.name}`, parameter)
  }
  const inAll = ({ name }: Parameter) =>
    operations.every(({ parameters }) => parameters.some(other => other.name === name && other.isRequired))
  const parameters = [...own.values()].map(parameter => ({
    name: parameter.name,
    in: parameter.in,
    required: parameter.in === 'path' || inAll(parameter),
    ...(parameter.schema.description !== undefined && { description: parameter.schema.description }),
    schema: parameter.schema,
    ...exampleOf(operations, parameter),
  }))
  const isPost = operations.some(({ method, isPublic }) => method === 'POST' && !isPublic)
  const all = isPost ? [...parameters, { $ref: '#/components/parameters/idempotencyKey' }] : parameters
  return all.length === 0 ? {} : { parameters: all }
}

function exampleOf(operations: readonly Operation[], { in: place, name }: Parameter): object {
  for (const { example } of operations) {
    const value = place === 'path' ? (example.params?.[name] ?? example.params?.['*']) : example.query?.[name]
    if (value !== undefined) return { example: value }
  }
  return {}
}

function requestBodyOf(claims: readonly Claim[]): object {
  const types = new Set(claims.flatMap(({ operation }) => operation.body?.contentType ?? []))
  if (types.size === 0) return {}
  const content = [...types].map(type => {
    const those = claims.filter(({ operation }) => operation.body?.contentType === type)
    const schemas = those.map(({ section, operation }) => ({
      ...(those.length > 1 && { title: section.title }),
      ...operation.body?.schema,
    }))
    const examples = those.map(({ section, operation }) => [
      section.id,
      { summary: operation.summary, value: operation.example.body },
    ])
    return [type, { schema: anyOf(schemas), examples: Object.fromEntries(examples) }]
  })
  const required = claims.some(({ operation }) => operation.body?.isRequired)
  return { requestBody: { required, content: Object.fromEntries(content) } }
}

function componentsOf(sections: readonly Section[]): object {
  return {
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer', description: 'A key. Test keys never cost money.' },
    },
    parameters: {
      idempotencyKey: {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'A repeat with the same key and body gets the first answer and is charged nothing.',
        schema: { type: 'string', minLength: 1, maxLength: 255 },
      },
      ...callbackParameters(sections),
    },
    headers: {
      requestId: { description: 'The call’s id; its receipt is read by it', schema: { type: 'string' } },
      creditsCharged: { description: 'What this call was charged, in credits', schema: { type: 'string' } },
      creditsBalance: { description: 'What can be spent now, in credits', schema: { type: 'string' } },
    },
    schemas: {
      ...Object.fromEntries(
        sections.map(section => [
          errorSchemaName(section),
          { title: `An error of ${section.title}`, ...section.errors.schema },
        ]),
      ),
      ...callbackSchemas(sections),
    },
  }
}
