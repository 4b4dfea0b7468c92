/** The receivers that the reference prints, run as they are printed: what we sign they take, and nothing else. Python's are in e2e/. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import process from 'node:process'
import { Webhook } from 'standardwebhooks'
import { expect, onTestFinished, test } from 'vitest'
import { receiverText, STANDARD_SIGNATURE } from '#dialect-kit/reference/verify-texts.ts'
import kie from '#dialects/kie/index.ts'

const SECRET = 'whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IQ=='
const OTHER = 'whsec_b3RoZXIgc2VjcmV0IG90aGVyIHNlY3JldCBvdGhlcg=='
const BODY = '{"code":200,"data":{"task_id":"019b76daa800700080000123456789ab","note":"☃"}}'
const TASK_ID = '019b76daa800700080000123456789ab'
const GUIDES = { standard: STANDARD_SIGNATURE, kie: kie.signatureGuide ?? STANDARD_SIGNATURE }
const PATIENCE_MS = 30_000

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('there is no port')
  return address.port
}

/** Starts the printed program, and posts to it as soon as it listens. */
async function startReceiver(recipe: keyof typeof GUIDES) {
  const port = await freePort()
  const program = spawn(
    process.execPath,
    ['--input-type=module', '-e', receiverText('javascript', GUIDES[recipe])],
    {
      env: { PATH: process.env.PATH, PORT: String(port), WEBHOOK_SECRET: SECRET },
    },
  )
  const printed: string[] = []
  for (const stream of [program.stdout, program.stderr]) stream.on('data', text => printed.push(String(text)))
  const gone = once(program, 'exit')
  onTestFinished(async () => {
    program.kill()
    await gone
  })
  const post = async (body: string, headers: Record<string, string>) => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers })
    return answer.status
  }
  await expect.poll(() => post('', {}).catch(() => 0), { timeout: PATIENCE_MS, interval: 30 }).toBe(401)
  return { post, printed: () => printed.join('') }
}

function standardHeaders(secret: string, at = new Date()): Record<string, string> {
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', at, BODY),
  }
}

function kieHeaders(secret: string, at = new Date()): Record<string, string> {
  const timestampSeconds = Math.floor(at.getTime() / 1000)
  return { 'webhook-id': 'msg_1', ...kie.signCallback?.({ taskId: TASK_ID, timestampSeconds, secret }) }
}

const LONG_AGO = new Date(Date.now() - 3_600_000)

test(
  'the receiver by Standard Webhooks takes what is signed by its secret, among others too',
  async () => {
    const { post, printed } = await startReceiver('standard')
    const headers = standardHeaders(SECRET)
    expect(await post(BODY, headers)).toBe(204)
    await expect
      .poll(printed, { timeout: PATIENCE_MS })
      .toMatch(/msg_1[\s\S]*019b76daa800700080000123456789ab/)
    const both = [standardHeaders(OTHER), headers].map(one => one['webhook-signature']).join(' ')
    expect(await post(BODY, { ...headers, 'webhook-signature': both })).toBe(204)
    const refused: readonly (readonly [string, Record<string, string>])[] = [
      [`${BODY} `, headers],
      [BODY, { ...headers, 'webhook-id': 'msg_2' }],
      [BODY, { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) }],
      [BODY, standardHeaders(OTHER)],
      [BODY, standardHeaders(SECRET, LONG_AGO)],
      [BODY, { 'webhook-signature': 'v1,' }],
      [BODY, {}],
    ]
    for (const [body, wrong] of refused) expect(await post(body, wrong)).toBe(401)
    expect(await post(BODY, headers)).toBe(204)
  },
  PATIENCE_MS,
)

test(
  'the receiver by kie.ai’s recipe takes what is signed by its secret',
  async () => {
    const { post, printed } = await startReceiver('kie')
    expect(await post(BODY, kieHeaders(SECRET))).toBe(204)
    await expect.poll(printed, { timeout: PATIENCE_MS }).toContain(TASK_ID)
    const refused: readonly (readonly [string, Record<string, string>])[] = [
      [BODY.replace('019b', '019c'), kieHeaders(SECRET)],
      ['{', kieHeaders(SECRET)],
      ['{}', kieHeaders(SECRET)],
      [BODY, kieHeaders(OTHER)],
      [BODY, kieHeaders(SECRET, LONG_AGO)],
      [BODY, standardHeaders(SECRET)],
      [BODY, {}],
    ]
    for (const [body, wrong] of refused) expect(await post(body, wrong)).toBe(401)
    expect(await post(BODY, kieHeaders(SECRET))).toBe(204)
  },
  PATIENCE_MS,
)
