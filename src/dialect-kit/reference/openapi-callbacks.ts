/** Callbacks in OpenAPI's words: `webhooks` for what endpoints of a workspace are told, `callbacks` for what a request asked for. */
import type { DialectCallbacks, EndpointCallbacks } from './callbacks.ts'
import type { JsonSchema } from './json-schema.ts'
import type { Operation, Section } from './operation.ts'

/** The headers of every callback (Standard Webhooks 1.0.0). */
const SIGNED_HEADERS = {
  webhookId: {
    name: 'webhook-id',
    in: 'header',
    required: true,
    description: 'The same in every try and replay: who remembers it knows a repeat',
    schema: { type: 'string' },
  },
  webhookTimestamp: {
    name: 'webhook-timestamp',
    in: 'header',
    required: true,
    description: 'Of this try, in Unix seconds',
    schema: { type: 'string', pattern: '^\\d+$' },
  },
  webhookSignature: {
    name: 'webhook-signature',
    in: 'header',
    required: true,
    description:
      '`v1,` and HMAC-SHA256 over `webhook-id.webhook-timestamp.body` in base64, keyed by the secret’s bytes; several, separated by spaces, while one secret takes over from another',
    schema: { type: 'string' },
  },
} as const

const ANSWERS = {
  '2XX': { description: 'Delivered' },
  '410': {
    description: 'Nobody wants to hear any more: it is not sent again, and its endpoint is switched off',
  },
  default: { description: 'Sent again, twelve times over four days at most; `Retry-After` is heeded' },
} as const

/** One for each dialect: the body of everything that it writes. */
export function webhooksOf(sections: readonly Section[]): Readonly<Record<string, object>> {
  return Object.fromEntries(
    sections.flatMap(section => {
      const { id, title, callbacks } = section
      if (callbacks === undefined) return []
      const post = {
        operationId: `${id}-callback`,
        summary: `A task of ${title} has ended`,
        description: `Sent to every endpoint of the workspace (\`POST /webhooks/endpoints\`), about tasks that were asked for in the API of ${title}.`,
        ...requestOf(
          section,
          { $ref: `#/components/schemas/${callbackSchemaName(section)}` },
          samplesOf(callbacks),
        ),
      }
      return [[`${id}-task`, { post }]]
    }),
  )
}

/** Of an operation whose body may name an address; nothing for others. */
export function callbacksOf(claims: readonly { section: Section; operation: Operation }[]): object {
  const asked = claims.flatMap(({ section, operation: { id, callbacks } }) => {
    if (callbacks?.urlField === undefined) return []
    const post = {
      operationId: `${id}-callback`,
      summary: 'What was asked for is there, or has failed',
      ...requestOf(section, callbacks.schema, namedBodies(callbacks)),
    }
    return [[`{$request.body#/${callbacks.urlField}}`, { post }] as const]
  })
  return asked.length === 0 ? {} : { callbacks: { task: Object.fromEntries(asked) } }
}

export function callbackParameters(sections: readonly Section[]): object {
  const own = sections.flatMap(section =>
    (section.callbacks?.headers ?? []).map(name => ownHeader(section, name)),
  )
  return { ...SIGNED_HEADERS, ...Object.fromEntries(own.map(header => [header.key, header.parameter])) }
}

export function callbackSchemas(sections: readonly Section[]): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    sections.flatMap(section =>
      section.callbacks === undefined
        ? []
        : [
            [
              callbackSchemaName(section),
              { title: `A callback of ${section.title}`, ...section.callbacks.schema },
            ],
          ],
    ),
  )
}

function requestOf(section: Section, schema: JsonSchema, examples: object): object {
  const keys = [
    ...Object.keys(SIGNED_HEADERS),
    ...(section.callbacks?.headers ?? []).map(name => ownHeader(section, name).key),
  ]
  return {
    security: [],
    parameters: keys.map(key => ({ $ref: `#/components/parameters/${key}` })),
    requestBody: { required: true, content: { 'application/json': { schema, examples } } },
    responses: ANSWERS,
  }
}

function ownHeader({ id, title }: Section, name: string) {
  return {
    key: `${id}-${name.toLowerCase()}`,
    parameter: {
      name,
      in: 'header',
      required: true,
      description: `As receivers written for ${title} expect it, besides the signature of Standard Webhooks`,
      schema: { type: 'string' },
    },
  }
}

function callbackSchemaName({ id }: Section): string {
  return `callback-${id}`
}

function namedBodies({ bodies }: EndpointCallbacks): object {
  return Object.fromEntries(bodies.map(({ moment, body }) => [moment, { value: body }]))
}

/** One of each call. */
function samplesOf({ endpoints }: DialectCallbacks): object {
  return Object.fromEntries(
    endpoints.flatMap(({ route, bodies: [first] }) =>
      first === undefined
        ? []
        : [[route.replace(/^\w+ \//, '').replaceAll('/', '-'), { summary: route, value: first.body }]],
    ),
  )
}
