/** Rate limits over several nodes and a real server. */
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { createRateLimiter, type RateLimiter } from '#modules/limits/index.ts'
import { createClock } from '#platform/clock.ts'
import { createValkey, type Valkey, ValkeyUnavailable } from '#platform/valkey/client.ts'
import type { Logger } from '#spec/ports.ts'
import { createValkeyServer, type ValkeyServer } from './valkey-server.ts'

const clock = createClock()
const NODES = 5
let server: ValkeyServer
let clients: Valkey[]
let nodes: RateLimiter[]
let events: string[]
let subject = ''
let subjects = 0

beforeAll(async () => {
  server = await createValkeyServer()
  await server.start()
  clients = Array.from({ length: NODES }, () => createValkey({ url: server.url, commandTimeoutMs: 1_000 }))
})
afterAll(async () => {
  for (const client of clients) client.close()
  await server.stop()
})
beforeEach(() => {
  events = []
  subjects += 1
  subject = `key-${subjects}`
  const heard = (_: unknown, event: string) => void events.push(event)
  const logger: Logger = { debug() {}, info: heard, warn: heard, error: heard }
  nodes = clients.map(valkey => createRateLimiter({ valkey, liveNodes: () => NODES, clock, logger }))
})

function nodeAt(index: number): RateLimiter {
  const node = nodes[index % NODES]
  if (node === undefined) throw new Error('there is no such node')
  return node
}

const ask = (lua: string) => clients[0]?.run(lua, [`tollgate:calls:{${subject}}`], [])

async function allowed(calls: number, limit: { calls: number; windowMs: number }): Promise<number> {
  const taken = await Promise.all(
    Array.from({ length: calls }, (_, index) => nodeAt(index).take(subject, limit)),
  )
  return taken.filter(one => one.allowed).length
}

test('of a burst over five nodes exactly the limit is let in', async () => {
  expect(await allowed(200, { calls: 20, windowMs: 10_000 })).toBe(20)
  expect(await ask('return redis.call("LLEN", KEYS[1])')).toBe(20)
  const ttl = Number(await ask('return redis.call("PTTL", KEYS[1])'))
  expect(ttl).toBeGreaterThan(9_000)
  expect(ttl).toBeLessThanOrEqual(10_001)
  expect(events).toEqual([])
})

test('over random arrivals at five nodes no window holds more than the limit', async () => {
  const limit = { calls: 7, windowMs: 150 }
  const accepted: { askedAt: number; answeredAt: number }[] = []
  let refused = 0
  const run = async (index: number) => {
    for (let call = 0; call < 60; call++) {
      const askedAt = clock.monotonicMs()
      const taken = await nodeAt(index).take(subject, limit)
      if (taken.allowed) accepted.push({ askedAt, answeredAt: clock.monotonicMs() })
      else refused += 1
      await clock.sleep(Math.random() * 30)
    }
  }
  await Promise.all(Array.from({ length: NODES }, (_, index) => run(index)))
  for (const { askedAt } of accepted) {
    const surelyInside = accepted.filter(
      other => other.askedAt >= askedAt && other.answeredAt < askedAt + limit.windowMs,
    )
    expect(surelyInside.length).toBeLessThanOrEqual(limit.calls)
  }
  expect(refused).toBeGreaterThan(0)
  expect(accepted.length).toBeGreaterThan(limit.calls)
  expect(events).toEqual([])
})

test('who waits for as long as it was told is let in, on any node', async () => {
  const limit = { calls: 2, windowMs: 300 }
  await allowed(2, limit)
  const refused = await nodeAt(2).take(subject, limit)
  if (refused.allowed) throw new Error('the limit did not hold')
  expect(refused.retryAfterMs).toBeGreaterThan(0)
  expect(refused.retryAfterMs).toBeLessThanOrEqual(300)
  await clock.sleep(refused.retryAfterMs + 1)
  expect((await nodeAt(3).take(subject, limit)).allowed).toBe(true)
})

test('a call that is given back on one node is free on every other', async () => {
  const limit = { calls: 1, windowMs: 10_000 }
  const taken = await nodeAt(0).take(subject, limit)
  expect((await nodeAt(1).take(subject, limit)).allowed).toBe(false)
  if (taken.allowed) taken.giveBack()
  await vi.waitFor(async () => expect(await ask('return redis.call("LLEN", KEYS[1])')).toBe(0))
  expect((await nodeAt(1).take(subject, limit)).allowed).toBe(true)
})

test('a clock of the server that went back by more than a window refuses nobody for ever', async () => {
  await ask('return redis.call("RPUSH", KEYS[1], "99999999999999999")')
  expect((await nodeAt(0).take(subject, { calls: 1, windowMs: 1000 })).allowed).toBe(true)
  expect((await nodeAt(1).take(subject, { calls: 1, windowMs: 1000 })).allowed).toBe(false)
})

test('a server that does not answer delays nobody for long and refuses no share', async () => {
  const limit = { calls: 10, windowMs: 10_000 }
  await nodeAt(0).take(subject, limit)
  server.freeze()
  try {
    const startedAt = clock.monotonicMs()
    expect((await nodeAt(0).take(subject, limit)).allowed).toBe(true)
    expect(clock.monotonicMs() - startedAt).toBeLessThan(5_000)
    expect((await nodeAt(0).take(subject, limit)).allowed).toBe(false)
    expect(events).toEqual([expect.stringContaining('valkey does not answer')])
  } finally {
    server.thaw()
  }
})

test('after a crash each node lets its share through, and all count together again when it is back', async () => {
  const limit = { calls: 10, windowMs: 60_000 }
  await server.kill()
  expect(await allowed(100, limit)).toBe(10)
  subject = `${subject}-after`
  await server.start()
  await vi.waitFor(
    async () => {
      await Promise.all(nodes.map(node => node.take(`${subject}-probe-${clock.monotonicMs()}`, limit)))
      expect(events.filter(event => event.includes('answers again')).length).toBeGreaterThanOrEqual(NODES)
    },
    { timeout: 8_000, interval: 100 },
  )
  expect(await allowed(100, { calls: 3, windowMs: 60_000 })).toBe(3)
})

test('a server that was never there fails at once with a sentence', async () => {
  const nowhere = createValkey({ url: 'redis://127.0.0.1:1' })
  await expect(nowhere.run('return 1', [], [])).rejects.toBeInstanceOf(ValkeyUnavailable)
  nowhere.close()
})

test('a server with TLS is trusted by its authority, and not without it', async () => {
  const secure = await createValkeyServer({ tls: true })
  await secure.start()
  const trusted = createValkey({ url: secure.url, ca: secure.ca, commandTimeoutMs: 2_000 })
  const distrusted = createValkey({ url: secure.url, commandTimeoutMs: 2_000 })
  try {
    expect(await trusted.run('return ARGV[1]', [], ['over TLS'])).toBe('over TLS')
    await expect(distrusted.run('return 1', [], [])).rejects.toBeInstanceOf(ValkeyUnavailable)
  } finally {
    trusted.close()
    distrusted.close()
    await secure.stop()
  }
})
