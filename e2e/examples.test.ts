/**
 * Every example of the API reference, as it is printed there, with a test key: the curl of each is run by a shell and its
 * answer held against the schema that the reference gives. Examples that name an id of the reader's own get the newest one
 * that an example before them answered, as a reader would do it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { beforeAll, describe, expect, test } from 'vitest'
import { referenceOptions } from '#app/reference.ts'
import { withBaseUrl } from '#dialect-kit/reference/base-url.ts'
import {
  type ExampleRequest,
  exampleRequests,
  exampleText,
  PLACEHOLDER_ID,
} from '#dialect-kit/reference/example.ts'
import { shell } from './media/curl.ts'
import { callerOf, startQuickServer } from './media/media-server.ts'
import type { TollgateServer } from './server.ts'

/** Whoever reads makes something first, looks at it, goes on from it, and deletes it last. */
const EXAMPLES = [...exampleRequests(referenceOptions())].sort((one, other) => turnOf(one) - turnOf(other))

function turnOf({ method, url, body }: ExampleRequest): number {
  if (method === 'DELETE') return 3
  if (method === 'GET') return 1
  return (url + JSON.stringify(body ?? null)).search(PLACEHOLDER_ID) === -1 ? 0 : 2
}

const nameOf = ({ dialect, method, url }: ExampleRequest) =>
  `${dialect} ${method} ${url.replaceAll(PLACEHOLDER_ID, '…').split('?')[0]}`

let server: TollgateServer
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgate-examples-'))
  server = await startQuickServer()
  return async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

/** Ids that examples answered: of tasks, the first of each kind; of other things, the newest by their prefix. */
const seen = new Map<string, string>()

/** Kinds of examples that go on from tasks of other kinds, the best first. */
const GOES_ON_FROM: Readonly<Record<string, readonly string[]>> = {
  'kie Midjourney videos': ['kie Veo'],
  'kie Suno files': ['kie Suno'],
  'kie Suno stems': ['kie Suno stems', 'kie Suno'],
}

function kindsFor({ dialect, tag }: ExampleRequest): readonly string[] {
  return GOES_ON_FROM[`${dialect} ${tag}`] ?? [`${dialect} ${tag}`]
}

function withOwnIds(text: string, example: ExampleRequest): string {
  return text.replaceAll(PLACEHOLDER_ID, placeholder => {
    if (placeholder.includes('-')) return seen.get('track') ?? placeholder
    const [prefix = '', id] = placeholder.split('_')
    const names = id === undefined ? [...kindsFor(example), example.dialect, ''] : [prefix]
    return names.map(name => seen.get(name)).find(known => known !== undefined) ?? placeholder
  })
}

interface Ran {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

async function run(example: ExampleRequest): Promise<Ran> {
  const printed = withBaseUrl(exampleText('curl', example), server.url)
  const command = withOwnIds(printed, example).replace(/^curl (?!-sO)/m, 'curl -sSi ')
  const output = await shell(command, { TOLLGATE_API_KEY: server.testKey }, folder)
  const [head = '', ...rest] = output.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = new Headers(lines.map(line => line.split(/:\s*(.*)/, 2) as [string, string]))
  const requestId = headers.get('x-request-id')
  if (requestId !== null && example.url.includes('/chat/completions')) seen.set('req', requestId)
  return {
    status: Number(first.split(' ')[1]),
    contentType: headers.get('content-type') ?? '',
    text: rest.join('\r\n\r\n'),
  }
}

/** The kinds of tasks that some example goes on from. */
const GONE_ON_FROM: ReadonlySet<string> = new Set(
  EXAMPLES.filter(example => turnOf(example) === 2).flatMap(kindsFor),
)

/** Remembers the ids in an answer, and of tasks of each kind the first. Tasks that nothing goes on from have been accepted: that is all that is asked of them here. */
async function learn({ dialect, tag }: ExampleRequest, text: string): Promise<void> {
  for (const [, id = '', prefix = ''] of text.matchAll(/"(([a-z]+)_[0-9a-f]{32})"/g)) seen.set(prefix, id)
  const track = /"sunoData":\[\{[^}]*?"id":"([^"]+)"/.exec(text)?.[1]
  if (track !== undefined) seen.set('track', track)
  const task = /"(?:taskId|task_id|generation_id)":\s*"([0-9a-f]{32})"/.exec(text)?.[1]
  if (task === undefined || [...seen.values()].includes(task)) return
  const kind = `${dialect} ${tag}`
  const isWanted = GONE_ON_FROM.has(kind) && !seen.has(kind)
  for (const name of [kind, dialect, '']) if (!seen.has(name)) seen.set(name, task)
  const caller = callerOf(server, server.testKey)
  if (isWanted) await caller.get(`/v1/generations/${task}/events`)
  else await caller.post(`/v1/generations/${task}/cancel`, {})
}

/** Examples that name what only a reader has, a track, a file, an address, and the documented refusal of each without it. */
const REFUSED: Readonly<Record<string, string>> = {
  'kie POST /v1/gpt4o-image/download-url': 'file_not_found',
  'kie POST /v1/common/download-url': 'file_not_found',
  'kie GET /v1/veo/get-1080p-video': '400',
  'kie-uploads POST /api/file-url-upload': 'input_rejected',
  'native POST /v1/generations/…/cancel': 'task_state_conflict',
  'webhooks GET /v1/webhooks/deliveries/…': 'not_found',
  'webhooks POST /v1/webhooks/deliveries/…/replay': 'not_found',
}

function codeIn(text: string): string | undefined {
  const { error, code } = JSON.parse(text) as { error?: { code?: string }; code?: unknown }
  return error?.code ?? (code === undefined ? undefined : String(code))
}

const ajv = new Ajv2020({ strict: false })
addFormats.default(ajv)

describe('the curl of each example runs as it is printed', () => {
  test.each(EXAMPLES.map(example => [nameOf(example), example] as const))(
    '%s',
    { timeout: 120_000 },
    async (_, example) => {
      const { status, contentType, text } = await run(example)
      const refusal = REFUSED[nameOf(example)]
      if (refusal !== undefined) return expect(codeIn(text), text).toBe(refusal)
      expect(status, text).toBe(example.status)
      expect(contentType).toContain(example.answerContentType)
      if (example.answerContentType !== 'application/json') return
      const validate = ajv.compile(example.answerSchema)
      expect(validate(JSON.parse(text)), `${JSON.stringify(validate.errors)} of ${text}`).toBe(true)
      await learn(example, text)
    },
  )
})

test('the JavaScript of an example of each shape runs as it is printed', async () => {
  const shapes = [
    'openai POST /v1/chat/completions',
    'imgeo GET /v1/models',
    'kie-uploads POST /api/file-stream-upload',
  ]
  for (const example of EXAMPLES.filter(one => shapes.includes(nameOf(one)))) {
    const file = join(folder, 'example.mjs')
    await writeFile(file, withBaseUrl(exampleText('javascript', example), server.url))
    const printed = await shell(
      `'${process.execPath}' '${file}'`,
      { TOLLGATE_API_KEY: server.testKey },
      folder,
    )
    expect(printed).toMatch(/object: 'chat.completion'|negative_prompt|File uploaded successfully/)
  }
})

test('the Python of every example is Python', async () => {
  const file = join(folder, 'examples.json')
  await writeFile(file, JSON.stringify(EXAMPLES.map(example => exampleText('python', example))))
  const check =
    'import ast, json, sys; print(len([ast.parse(text) for text in json.load(open(sys.argv[1]))]))'
  expect((await shell(`python3 -c '${check}' '${file}'`)).trim()).toBe(String(EXAMPLES.length))
})
