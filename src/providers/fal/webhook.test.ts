import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { taskContext } from '#provider-kit/task-conformance/bench.suite.ts'
import type { Exchange } from '#spec/ports.ts'
import { falWebhookVerifier } from './webhook.ts'

const NOW = 1_790_000_000_000
const MINUTE = 60_000
const first = generateKeyPairSync('ed25519')
const second = generateKeyPairSync('ed25519')

let published: readonly KeyObject[]
let fetched: string[]
let isDown: boolean
let verify: (signer: KeyObject, nowMs?: number, taskId?: string) => Promise<boolean>

const exchange: Exchange = {
  fetch: async ({ url, headers }) => {
    fetched.push(url)
    expect(headers).not.toHaveProperty('authorization')
    if (isDown) throw new Error('down')
    const keys = published.map(key => ({ kty: 'OKP', crv: 'Ed25519', x: key.export({ format: 'jwk' }).x }))
    return {
      status: 200,
      headers: {},
      body: Buffer.from(JSON.stringify({ keys: [{ kty: 'RSA' }, { x: '!' }, ...keys] })),
    }
  },
  stream: () => Promise.reject(new Error('never streamed')),
}

beforeEach(() => {
  published = [first.publicKey]
  fetched = []
  isDown = false
  const verifier = falWebhookVerifier({ baseUrl: 'https://queue.fal.run', apiKey: 'k' }, exchange)
  verify = (signer, nowMs = NOW, taskId = 'r1') => {
    const body = Buffer.from('{"request_id":"r1"}')
    const timestamp = String(Math.floor(nowMs / 1000))
    const text = `r1\nu1\n${timestamp}\n${createHash('sha256').update(body).digest('hex')}`
    const headers = {
      'x-fal-webhook-request-id': 'r1',
      'x-fal-webhook-user-id': 'u1',
      'x-fal-webhook-timestamp': timestamp,
      'x-fal-webhook-signature': sign(null, Buffer.from(text), signer).toString('hex'),
    }
    return verifier({ callback: { headers, body, url: '' }, taskId, nowMs, ...taskContext() })
  }
})

describe('the keys', () => {
  test('are asked for once, at fal’s own host, without our credential', async () => {
    expect(await verify(first.privateKey)).toBe(true)
    expect(await verify(first.privateKey, NOW + 60 * MINUTE)).toBe(true)
    expect(fetched).toEqual(['https://rest.fal.ai/.well-known/jwks.json'])
  })

  test('are asked for again after a day', async () => {
    await verify(first.privateKey)
    await verify(first.privateKey, NOW + 25 * 60 * MINUTE)
    expect(fetched).toHaveLength(2)
  })

  test('may be changed: one that is not known is looked for, at most every five minutes', async () => {
    await verify(first.privateKey)
    published = [second.publicKey]
    expect(await verify(second.privateKey, NOW + MINUTE)).toBe(false)
    expect(fetched).toHaveLength(1)
    expect(await verify(second.privateKey, NOW + 6 * MINUTE)).toBe(true)
    expect(fetched).toHaveLength(2)
  })

  test('that cannot be had make nothing genuine, and no error', async () => {
    isDown = true
    expect(await verify(first.privateKey)).toBe(false)
    isDown = false
    expect(await verify(first.privateKey)).toBe(true)
  })
})

test('a callback that was signed for one request proves nothing of another', async () => {
  expect(await verify(first.privateKey, NOW, 'r2')).toBe(false)
  expect(fetched.length).toBeLessThanOrEqual(1)
})
