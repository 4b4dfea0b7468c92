import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import { Intake } from './intake.ts'

/** Only what the intake reads of a request. */
function from(remoteAddress: string | undefined, forwardedFor?: string): IncomingMessage {
  return {
    socket: { remoteAddress },
    headers: { 'x-forwarded-for': forwardedFor },
  } as unknown as IncomingMessage
}

const limits = { maxUnfinishedPerAddress: 1, maxUnfinishedBytes: 1_000, trustedProxies: [] as string[] }

test('a public address has its own count', () => {
  const intake = new Intake(limits)
  const leave = intake.enter(from('198.51.100.1'), 1)
  expect(() => intake.enter(from('198.51.100.1'), 1)).toThrow(GatewayError)
  expect(() => intake.enter(from('2001:db8::1'), 1)).not.toThrow()
  leave()
  expect(() => intake.enter(from('198.51.100.1'), 1)).not.toThrow()
})

test('a private peer that is no known proxy is not counted: its clients would share one count', () => {
  const intake = new Intake(limits)
  for (const peer of ['127.0.0.1', '::1', '10.1.2.3', '::ffff:172.16.0.9', 'fd00::5', undefined]) {
    for (let i = 0; i < 3; i += 1) expect(() => intake.enter(from(peer), 1), String(peer)).not.toThrow()
  }
})

test('a stranger’s X-Forwarded-For is not believed', () => {
  const intake = new Intake(limits)
  intake.enter(from('198.51.100.1', '203.0.113.1'), 1)
  expect(() => intake.enter(from('198.51.100.1', '203.0.113.2'), 1)).toThrow(GatewayError)
})

test('behind trusted proxies the client is the last address that is none of them', () => {
  const intake = new Intake({ ...limits, trustedProxies: ['10.0.0.0/8', '192.0.2.1'] })
  intake.enter(from('10.0.0.1', '6.6.6.6, 203.0.113.1, 192.0.2.1'), 1)
  expect(() => intake.enter(from('::ffff:10.9.9.9', '7.7.7.7, 203.0.113.1'), 1)).toThrow(GatewayError)
  expect(() => intake.enter(from('10.0.0.1', '203.0.113.1, 203.0.113.2'), 1)).not.toThrow()
  expect(() => intake.enter(from('10.0.0.1', 'nonsense'), 1)).not.toThrow()
})

test('bytes on their way are bounded over everybody, and come back', () => {
  const intake = new Intake(limits)
  const leave = intake.enter(from('10.0.0.1'), 900)
  expect(() => intake.enter(from('10.0.0.2'), 101)).toThrow(/large bodies/)
  leave()
  expect(() => intake.enter(from('10.0.0.2'), 1_000)).not.toThrow()
})

test('a trusted proxy that is no address stops the boot', () => {
  for (const bad of ['proxy.example', '10.0.0.0/99', '']) {
    expect(() => new Intake({ ...limits, trustedProxies: [bad] }), bad).toThrow()
  }
})
