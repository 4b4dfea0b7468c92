/** Caps: a 402 before the call that names the cap and its numbers; never a credit above it. */
import OpenAI from 'openai'
import { beforeAll, describe, expect, test } from 'vitest'
import type { TollgateServer } from '../server.ts'
import { clientOf, countingFetch, startTestServer, stopSound } from './clients.ts'
import { accountOf, exact } from './receipts.ts'

let server: TollgateServer

beforeAll(async () => {
  ;({ server } = await startTestServer())
  return () => stopSound(server)
})

const CHAT = {
  model: 'gpt-4o',
  messages: [{ role: 'user' as const, content: 'Write a haiku about APIs.' }],
  max_tokens: 100,
}

interface Refusal {
  readonly code: string
  readonly limit: number
  readonly used: number
  readonly held: number
  readonly needed: number
  readonly resets_at: string | null
}

interface CreatedKey {
  readonly id: string
  readonly secret: string
}

const createKey = (...words: string[]) =>
  server.cliJson<CreatedKey>('key', 'create', '--mode', 'test', '--name', 'capped', ...words)

async function highestOf(key: string): Promise<bigint> {
  const answer = await fetch(`${server.url}/v1/quote`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(CHAT),
  })
  const quote = (await answer.json()) as { highest: { credits: number } }
  return exact(quote.highest.credits)
}

function asCredits(amount: bigint): string {
  const digits = String(amount).padStart(8, '0')
  return `${digits.slice(0, -7)}.${digits.slice(-7)}`
}

async function refusalOf(
  call: Promise<unknown>,
): Promise<InstanceType<typeof OpenAI.APIError> & { list: Refusal[] }> {
  const thrown = await call.catch((error: unknown) => error)
  if (!(thrown instanceof OpenAI.APIError) || thrown.status !== 402) throw thrown
  return Object.assign(thrown, { list: (thrown.error as { details: Refusal[] }).details })
}

const CAPS = [
  [
    'daily',
    'day',
    'key_daily_cap',
    (now: Date) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1),
  ],
  [
    'monthly',
    'month',
    'key_monthly_cap',
    (now: Date) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1),
  ],
] as const

describe.each(CAPS)('a %s cap', (name, period, code, resetAfter) => {
  test('lets calls through until the next might pass it, and says so exactly', async () => {
    const cap = (await highestOf(server.testKey)) * 2n
    const { secret } = await createKey(`--${name}-cap`, asCredits(cap))
    const counted = countingFetch()
    const capped = clientOf(server, secret, { maxRetries: 2, fetch: counted.fetch })
    let used = 0n
    let served = 0
    const refused = await refusalOf(
      (async () => {
        for (; served < 100; served++) {
          const { response } = await capped.chat.completions.create(CHAT).withResponse()
          used += exact(response.headers.get('x-ai-credits-charged'))
          expect(used).toBeLessThanOrEqual(cap)
        }
      })(),
    )
    expect(served).toBeGreaterThan(1)
    expect(counted.sent).toHaveLength(served + 1)
    expect(refused).toMatchObject({ code, type: 'insufficient_quota' })
    expect(refused.headers?.get('x-should-retry')).toBe('false')
    expect(refused.headers?.get('x-ai-credits-charged')).toBe('0')
    const [refusal] = refused.list
    expect(refused.list).toHaveLength(1)
    expect(refusal?.code).toBe(code)
    expect(exact(refusal?.limit)).toBe(cap)
    expect(exact(refusal?.used)).toBe(used)
    expect(exact(refusal?.held)).toBe(0n)
    expect(exact(refusal?.needed) + used).toBeGreaterThan(cap)
    expect(refusal?.resets_at).toBe(new Date(resetAfter(new Date())).toISOString())
    expect(refused.message).toContain(`The ${name} cap of this key`)
    for (const told of [refusal?.limit, refusal?.used, refusal?.resets_at]) {
      expect(refused.message).toContain(String(told))
    }
    const caps = (await accountOf(server, secret)).caps
    const own = caps.find(one => one.scope === 'key' && one.period === period)
    expect(exact(own?.used)).toBe(used)
  })
})

test('of many calls at once no more are let in than the cap can carry', async () => {
  const highest = await highestOf(server.testKey)
  const cap = highest * 5n
  const { secret } = await createKey('--daily-cap', asCredits(cap))
  const slow = { ...CHAT, messages: [{ role: 'user' as const, content: 'sandbox:slow-first-token' }] }
  const capped = clientOf(server, secret)
  const asked = await Promise.allSettled(
    Array.from({ length: 20 }, () => capped.chat.completions.create(slow)),
  )
  const served = asked.filter(one => one.status === 'fulfilled')
  const refused = asked.flatMap(one => (one.status === 'rejected' ? [one.reason as { status: number }] : []))
  // This prompt is one byte shorter than the quoted one: five fit and a sixth does not.
  expect(served).toHaveLength(5)
  expect(refused.map(error => error.status)).toEqual(Array.from({ length: 15 }, () => 402))
})

test('a workspace cap refuses every key of the workspace, and lists after the key', async () => {
  await server.cliJson('workspace', 'create', '--name', 'capped')
  await server.cliJson('grant', '--workspace', 'capped', '--mode', 'test', '--credits', '100')
  const cap = ['workspace', 'cap', '--workspace', 'capped', '--mode', 'test', '--daily-cap', '0.0001']
  await server.cliJson(...cap)
  const { secret } = await createKey('--workspace', 'capped', '--daily-cap', '0.0002')
  const refused = await refusalOf(clientOf(server, secret).chat.completions.create(CHAT))
  expect(refused.code).toBe('key_daily_cap')
  expect(refused.list.map(refusal => refusal.code)).toEqual(['key_daily_cap', 'workspace_daily_cap'])
})

test('a cap that is raised lets the key go on', async () => {
  const { id, secret } = await createKey('--daily-cap', '0.0001')
  const capped = clientOf(server, secret)
  expect((await refusalOf(capped.chat.completions.create(CHAT))).code).toBe('key_daily_cap')
  await server.cliJson('key', 'cap', id, '--daily-cap', 'none')
  expect((await capped.chat.completions.create(CHAT)).choices).toHaveLength(1)
})
