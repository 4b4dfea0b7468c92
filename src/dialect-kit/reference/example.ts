/** Each endpoint's example as a request, and as text to copy: curl, JavaScript and Python. */
import type { Endpoint } from '#spec/dialect.ts'
import { BASE_URL } from './base-url.ts'
import type { JsonSchema } from './json-schema.ts'
import { jsonLiteral, pythonLiteral } from './literal.ts'
import { type Operation, type ReferenceOptions, type Section, sectionsOf } from './operation.ts'

/** One documented request, whole. */
export interface ExampleRequest {
  readonly dialect: string
  readonly tag: string
  readonly method: Endpoint['method']
  /** Mount, path and query. */
  readonly url: string
  /** Of the body, where there is one. Of `multipart/form-data`, a value that begins with `@` names a file. */
  readonly contentType: string | undefined
  readonly body: unknown
  readonly needsKey: boolean
  /** What its answer should be. */
  readonly status: number
  readonly answerContentType: string
  /** What its answer passes where it is a good one. */
  readonly answerSchema: JsonSchema
}

export type ExampleLanguage = 'curl' | 'javascript' | 'python'

/** Every documented request of every dialect, in the order of the pages. */
export function exampleRequests(options: ReferenceOptions): readonly ExampleRequest[] {
  return sectionsOf(options).flatMap(section =>
    section.operations.map(operation => exampleRequest(section, operation)),
  )
}

export function exampleRequest({ mounts, id }: Section, operation: Operation): ExampleRequest {
  const { example, method, path, body, isPublic, answer } = operation
  const { params = {}, query = {} } = example
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? params['*'] ?? name).replaceAll('%2F', '/'),
  )
  const search = new URLSearchParams(query).toString()
  return {
    dialect: id,
    tag: operation.tag,
    method,
    url: `${mounts[0]}${filled}${search === '' ? '' : `?${search}`}`,
    contentType: body?.contentType,
    body: example.body,
    needsKey: !isPublic,
    status: answer.status,
    answerContentType: answer.contentType,
    answerSchema: answer.schema,
  }
}

/** Stands in examples where an id of the reader's own belongs, with a prefix for what it is of where ids have one. */
export const PLACEHOLDER_ID = /(?:\b[a-z]+_)?019b76da-?a800-?7000-?8000-?0123456789ab(?:-\d)?/g

/** A file of the reference that examples of uploads send: it is fetched first, so that they run as they stand. */
export const SAMPLE_FILE = 'cat.png'
const SAMPLE_URL = `${BASE_URL}/docs/${SAMPLE_FILE}`

/** The request as text that runs where it is pasted, with the key in the environment. */
export function exampleText(language: ExampleLanguage, request: ExampleRequest): string {
  return { curl: curlText, javascript: javascriptText, python: pythonText }[language](request)
}

const isForm = ({ contentType }: ExampleRequest) => contentType === 'multipart/form-data'
const isStream = ({ answerContentType }: ExampleRequest) => answerContentType === 'text/event-stream'

function formFields({ body }: ExampleRequest): readonly (readonly [string, string])[] {
  return Object.entries((body ?? {}) as Readonly<Record<string, unknown>>).map(([name, value]) => {
    const text = String(value)
    return [name, text.startsWith('@') ? `@${SAMPLE_FILE}` : text]
  })
}

function curlText(request: ExampleRequest): string {
  const { method, url, body, needsKey } = request
  const isBare = method === 'GET' || body !== undefined
  const lines = [
    `curl ${isStream(request) ? '-N ' : ''}${isBare ? '' : `-X ${method} `}${shellQuoted(BASE_URL + url)}`,
    ...(needsKey ? ['-H "Authorization: Bearer $TOLLGATE_API_KEY"'] : []),
  ]
  if (isForm(request)) {
    const fields = formFields(request).map(([name, value]) => `-F ${shellQuoted(`${name}=${value}`)}`)
    return [`curl -sO ${SAMPLE_URL}`, [...lines, ...fields].join(' \\\n  ')].join('\n')
  }
  if (body !== undefined) {
    lines.push('-H "Content-Type: application/json"', `-d ${shellQuoted(jsonLiteral(body, 1))}`)
  }
  return lines.join(' \\\n  ')
}

/** As one word of a shell; bare where nothing in it means anything to one. */
function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

function javascriptText(request: ExampleRequest): string {
  const { method, url, body, needsKey } = request
  const headers = [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the reader's template.
    ...(needsKey ? ['Authorization: `Bearer ${env.TOLLGATE_API_KEY}`'] : []),
    ...(body !== undefined && !isForm(request) ? ["'Content-Type': 'application/json'"] : []),
  ]
  const options = [
    ...(method === 'GET' ? [] : [`method: '${method}'`]),
    ...(headers.length === 0 ? [] : [`headers: {\n    ${headers.join(',\n    ')},\n  }`]),
    ...(body === undefined
      ? []
      : [isForm(request) ? 'body: form' : `body: JSON.stringify(${jsonLiteral(body, 1)})`]),
  ]
  const given = options.length === 0 ? '' : `, {\n  ${options.join(',\n  ')},\n}`
  return [
    ...(needsKey ? ["import { env } from 'node:process'", ''] : []),
    ...(isForm(request) ? javascriptForm(request) : []),
    `const response = await fetch('${BASE_URL}${url}'${given})`,
    `console.log(await response.${isStream(request) ? 'text' : 'json'}())`,
  ].join('\n')
}

function javascriptForm(request: ExampleRequest): readonly string[] {
  const fields = formFields(request).map(([name, value]) =>
    value.startsWith('@')
      ? `form.append('${name}', await sample.blob(), '${value.slice(1)}')`
      : `form.append('${name}', ${JSON.stringify(value)})`,
  )
  return [`const sample = await fetch('${SAMPLE_URL}')`, 'const form = new FormData()', ...fields]
}

function pythonText(request: ExampleRequest): string {
  const { method, url, body, needsKey } = request
  const given = [
    `"${BASE_URL}${url}"`,
    ...(needsKey ? [`headers={"Authorization": f"Bearer {os.environ['TOLLGATE_API_KEY']}"}`] : []),
    ...(isForm(request) ? pythonForm(request) : []),
    ...(body === undefined || isForm(request) ? [] : [`json=${pythonLiteral(body, 1)}`]),
  ]
  return [
    ...(needsKey ? ['import os'] : []),
    'import requests',
    '',
    ...(isForm(request) ? [`sample = requests.get("${SAMPLE_URL}").content`] : []),
    `response = requests.${method.toLowerCase()}(`,
    ...given.map(argument => `    ${argument},`),
    ')',
    `print(response.${isStream(request) ? 'text' : 'json()'})`,
  ].join('\n')
}

function pythonForm(request: ExampleRequest): readonly string[] {
  const fields = formFields(request)
  const files = fields.filter(([, value]) => value.startsWith('@'))
  const texts = Object.fromEntries(fields.filter(([, value]) => !value.startsWith('@')))
  const parts = files.map(([name, value]) => `"${name}": ("${value.slice(1)}", sample)`)
  return [`files={${parts.join(', ')}}`, `data=${pythonLiteral(texts, 1)}`]
}
