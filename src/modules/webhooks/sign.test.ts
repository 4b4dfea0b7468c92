import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { newSecret, signatureHeaders } from './sign.ts'

const now = () => Math.floor(Date.now() / 1000)

test('the official library accepts every signature, for any body', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter(body => body.isWellFormed()),
      text => {
        const secret = newSecret()
        const body = JSON.stringify({ text })
        const headers = signatureHeaders({ id: 'msg_1', timestampSeconds: now(), body }, [secret])
        expect(new Webhook(secret).verify(body, headers)).toEqual({ text })
      },
    ),
  )
})

test('a body, an id or a time that was changed is refused by the official library', () => {
  const secret = newSecret()
  const headers = signatureHeaders({ id: 'msg_1', timestampSeconds: now(), body: '{"a":1}' }, [secret])
  const verify = (body: string, changes: Record<string, string> = {}) =>
    new Webhook(secret).verify(body, { ...headers, ...changes })
  expect(verify('{"a":1}')).toEqual({ a: 1 })
  expect(() => verify('{"a":2}')).toThrow()
  expect(() => verify('{"a":1}', { 'webhook-id': 'msg_2' })).toThrow()
  expect(() => verify('{"a":1}', { 'webhook-timestamp': String(now() - 60) })).toThrow()
})

test('while secrets change over, receivers with the old one and with the new one both accept', () => {
  const [fresh, old, other] = [newSecret(), newSecret(), newSecret()]
  const headers = signatureHeaders({ id: 'msg_1', timestampSeconds: now(), body: '{}' }, [fresh, old])
  expect(new Webhook(fresh).verify('{}', headers)).toEqual({})
  expect(new Webhook(old).verify('{}', headers)).toEqual({})
  expect(() => new Webhook(other).verify('{}', headers)).toThrow()
})

test('a secret is whsec_ and 32 random bytes, each another', () => {
  const secrets = Array.from({ length: 100 }, newSecret)
  expect(new Set(secrets).size).toBe(100)
  for (const secret of secrets) {
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32)
  }
})

test('the signature is the published recipe: HMAC-SHA256 over id, time and body, keyed by the decoded secret', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const content = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestampSeconds: 1614265330,
    body: '{"test": 2432232314}',
  }
  // The example of the specification's own libraries.
  expect(signatureHeaders(content, [secret])['webhook-signature']).toBe(
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  )
  const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
  const byHand = createHmac('sha256', key).update(`${content.id}.1614265330.${content.body}`).digest('base64')
  expect(signatureHeaders(content, [secret])['webhook-signature']).toBe(`v1,${byHand}`)
})
