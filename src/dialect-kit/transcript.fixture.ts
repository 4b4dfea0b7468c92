/** One exchange as a client sees it, as text: for files that show what a dialect answers. */
import type { Dialect } from '#spec/dialect.ts'
import { serveInMemory } from './in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from './scripted-gateway.ts'

export interface TranscriptOf {
  /** `POST /images`. */
  readonly request: string
  readonly body?: unknown
  readonly script: GatewayScript
  /** Left out: the good key. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Request, status, headers of the dialect's own, and the answer's own text with one field a line. */
export async function transcript(dialect: Dialect, exchange: TranscriptOf): Promise<string> {
  const { request, body, script, headers = { authorization: `Bearer ${GOOD_KEY}` } } = exchange
  const [method = '', url = ''] = request.split(' ')
  const text = body === undefined ? undefined : JSON.stringify(body, null, 2)
  const answer = await serveInMemory(dialect, new ScriptedGateway(script), {
    method,
    url,
    headers,
    body: text,
  })
  const shown = answer.streamed ? answer.body.toString() : indented(answer.body.toString())
  const head = Object.entries({ 'content-type': answer.contentType, ...answer.headers })
  return [
    request,
    ...(text === undefined ? [] : ['', text]),
    '',
    String(answer.status),
    ...head.map(([name, value]) => `${name.toLowerCase()}: ${value}`),
    '',
    `${shown}\n`,
  ].join('\n')
}

/** Not parsed: that would turn exact amounts into floats. */
function indented(json: string): string {
  let depth = 0
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|[{[][\]}]?|[}\]]|,|:/g, token => {
    if (token === '[]' || token === '{}' || token.startsWith('"')) return token
    if (token === '{' || token === '[') return `${token}\n${'  '.repeat(++depth)}`
    if (token === '}' || token === ']') return `\n${'  '.repeat(--depth)}${token}`
    return token === ',' ? `,\n${'  '.repeat(depth)}` : ': '
  })
}
