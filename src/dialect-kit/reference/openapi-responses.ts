/** What an operation answers, in OpenAPI's words. */
import type { ErrorCode } from '#spec/errors.ts'
import { mayAnswer } from './errors.ts'
import { anyOf, type JsonSchema } from './json-schema.ts'
import type { Operation, Section } from './operation.ts'

/** An operation with the section it is of. */
export interface Claim {
  readonly section: Section
  readonly operation: Operation
}

const header = (name: string) => ({ $ref: `#/components/headers/${name}` })
const ANSWER_HEADERS = {
  'x-request-id': header('requestId'),
  'X-AI-Credits-Charged': header('creditsCharged'),
  'X-AI-Credits-Balance': header('creditsBalance'),
}

/** By status: the answer of each claimant, and every error that may come instead. */
export function responsesOf(claims: readonly Claim[]): object {
  const [first] = claims
  const errors = errorResponses(claims)
  const status = String(first?.operation.answer.status ?? 200)
  const ownContents = claims.map(({ operation: { answer } }) => contentOf(answer))
  const atThisStatus = errors.get(status)
  const contents = [...ownContents, ...(atThisStatus ? [atThisStatus.content] : [])]
  const good = {
    description: [
      'Done',
      ...(atThisStatus ? [`or, with an error in the body: ${atThisStatus.text}`] : []),
    ].join(', '),
    headers: ANSWER_HEADERS,
    content: merged(contents),
  }
  const others = [...errors].filter(([other]) => other !== status)
  return Object.fromEntries([
    [status, Number(status) >= 400 ? { ...good, description: 'Always' } : good],
    ...others.map(([other, { text, content }]) => [other, { description: text, content }] as const),
  ])
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>

function contentOf({ contentType, schema, event }: Operation['answer']): Content {
  return {
    [contentType]: { schema },
    ...(event && {
      'text/event-stream': { schema: { ...event, description: 'What the `data` of each event holds' } },
    }),
  }
}

function merged(contents: readonly Content[]): Content {
  const types = [...new Set(contents.flatMap(content => Object.keys(content)))]
  return Object.fromEntries(
    types.map(type => [type, { schema: anyOf(contents.flatMap(content => content[type]?.schema ?? [])) }]),
  )
}

interface ErrorResponse {
  readonly text: string
  readonly content: Content
}

interface Collected {
  readonly codes: Set<ErrorCode>
  readonly contents: Content[]
}

/** By status: which errors it may be, and their body. */
function errorResponses(claims: readonly Claim[]): ReadonlyMap<string, ErrorResponse> {
  const found = new Map<string, Collected>()
  for (const { section, operation } of claims) {
    if (operation.answer.status >= 400) continue
    const endpoint = { ...operation, hasBody: operation.body !== undefined }
    for (const fact of section.errors.facts) {
      if (!mayAnswer(fact.code, endpoint)) continue
      const at: Collected = found.get(String(fact.status)) ?? { codes: new Set(), contents: [] }
      at.codes.add(fact.code)
      at.contents.push({ [section.errors.contentType]: { schema: { $ref: errorSchemaRef(section) } } })
      found.set(String(fact.status), at)
    }
  }
  return new Map(
    [...found].map(([status, { codes, contents }]) => [
      status,
      { text: [...codes].map(code => `\`${code}\``).join(', '), content: merged(contents) },
    ]),
  )
}

/** Where the document keeps the schema of a dialect's errors. */
export function errorSchemaName({ id }: Section): string {
  return `error-${id}`
}

function errorSchemaRef(section: Section): string {
  return `#/components/schemas/${errorSchemaName(section)}`
}
