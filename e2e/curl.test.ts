/** The documented curl calls, as they are printed, with the host and the key replaced and nothing else. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { startServer, type TollgateServer } from './server.ts'

let server: TollgateServer

beforeAll(async () => {
  server = await startServer()
  return () => server.stop()
})

/** Runs a line of shell as a reader of the documentation would, with `-i` so that the headers can be seen. */
async function run(script: string): Promise<{ status: number; headers: Headers; body: string }> {
  const shown = script.replace(/^curl /, 'curl --silent --show-error --include ')
  const { stdout } = await promisify(execFile)('sh', ['-c', shown], { maxBuffer: 16 * 1024 * 1024 })
  const [head = '', ...rest] = stdout.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = new Headers(
    lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return { status: Number(first.split(' ')[1]), headers, body: rest.join('\r\n\r\n') }
}

function expectChat(answer: Awaited<ReturnType<typeof run>>, model: string): void {
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  expect(Number(answer.headers.get('x-ai-credits-charged'))).toBeGreaterThan(0)
  expect(Number(answer.headers.get('x-ai-credits-balance'))).toBeGreaterThan(0)
  const body = JSON.parse(answer.body) as Record<string, unknown>
  expect(body).toMatchObject({
    object: 'chat.completion',
    model,
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant' } }],
  })
  expect(body.id).toMatch(/^chatcmpl-/)
  expect(body.usage).toMatchObject({ total_tokens: expect.any(Number) })
}

const HAIKU = (host: string, key: string) => `curl ${host}/api/v1/chat/completions \\
-H "Authorization: Bearer ${key}" \\
-H "Content-Type: application/json" \\
-d '{
"model": "gpt-4o",
"messages": [{"role": "user", "content": "Write a haiku about APIs."}]
}'`

const SUMMARY = (host: string, key: string) => `curl ${host}/api/v1/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "claude-sonnet-4-5",
    "messages": [
      { "role": "user", "content": "Summarize streaming SSE in 3 lines." }
    ]
  }'`

test('the chat of the API documentation', async () => {
  expectChat(await run(HAIKU(server.url, server.testKey)), 'gpt-4o')
})

test('the chat of the page on OpenAI compatibility', async () => {
  expectChat(await run(SUMMARY(server.url, server.testKey)), 'claude-sonnet-4-5')
})

test('the same chat streamed ships canonical data: chunks', async () => {
  const streamed = SUMMARY(server.url, server.testKey).replace(
    '"model": "claude-sonnet-4-5",',
    '"model": "claude-sonnet-4-5", "stream": true,',
  )
  const { status, headers, body } = await run(streamed)
  expect(status).toBe(200)
  expect(headers.get('content-type')).toMatch(/^text\/event-stream/)
  const events = body.split('\n\n').filter(event => event !== '')
  expect(events.every(event => event.startsWith('data: '))).toBe(true)
  expect(events.at(-1)).toBe('data: [DONE]')
  const chunks = events.slice(0, -1).map(event => JSON.parse(event.slice('data: '.length)) as object)
  expect(chunks.length).toBeGreaterThan(3)
  for (const chunk of chunks) expect(chunk).toMatchObject({ choices: [{ index: 0, delta: {} }] })
})

test('the documented errors of a key', async () => {
  const wrong = await run(HAIKU(server.url, 'sk-aig-YOUR_KEY'))
  expect(wrong.status).toBe(401)
  expect(JSON.parse(wrong.body)).toMatchObject({ error: { code: 'invalid_api_key' } })
  const without = HAIKU(server.url, '').replace(/-H "Authorization[^\n]*\n/, '')
  expect(without).not.toContain('Authorization')
  const missing = await run(without)
  expect(missing.status).toBe(401)
  expect(JSON.parse(missing.body)).toMatchObject({ error: { code: 'missing_api_key' } })
})

test('the curl that the first start prints works as it is printed', async () => {
  const printed = server.greeting().split('\n')
  const from = printed.findIndex(line => line.trim().startsWith('curl '))
  const script = printed
    .slice(from, from + 3)
    .join('\n')
    .trim()
  expect(script).toContain(server.testKey)
  expectChat(await run(script), 'gpt-4o')
})
