import { describe, expect, test, vi } from 'vitest'
import type { Clock, Logger } from '#spec/ports.ts'
import { createRateLimiter } from './index.ts'
import { LocalLogs } from './local-logs.ts'
import type { ScriptRunner } from './shared-logs.ts'

const limit = { calls: 4, windowMs: 1000 }

function createWorld(options: { valkey?: ScriptRunner; nodes?: number } = {}) {
  let nowMs = 0
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} }
  const events: string[] = []
  const heard = (event: string) => void events.push(event)
  const logger: Logger = {
    debug() {},
    info: (_, event) => heard(event),
    warn: (_, event) => heard(event),
    error: (_, event) => heard(event),
  }
  const limiter = createRateLimiter({
    valkey: options.valkey,
    liveNodes: () => options.nodes ?? 1,
    clock,
    logger,
  })
  return {
    events,
    pass(ms: number) {
      nowMs += ms
    },
    take: (subject = 'key') => limiter.take(subject, limit),
    async allowed(times: number) {
      let count = 0
      for (let call = 0; call < times; call++) if ((await limiter.take('key', limit)).allowed) count += 1
      return count
    },
  }
}

/** A server that answers as the script does while it is up. */
function createServer() {
  const server = { up: true, asked: 0, refuses: false, given: [] as unknown[] }
  const valkey: ScriptRunner = {
    async run(lua, _keys, values) {
      server.asked += 1
      if (!server.up) throw new Error('no answer')
      if (lua.includes('LREM')) return server.given.push(values[0])
      return server.refuses ? [0, 250_000, ''] : [1, 9, `stamp-${server.asked}`]
    },
  }
  return { server, valkey }
}

test('the limit holds for each subject alone, and the answer says when to come back', async () => {
  const world = createWorld()
  expect(await world.allowed(10)).toBe(4)
  expect((await world.take('another key')).allowed).toBe(true)
  world.pass(400)
  expect(await world.take()).toEqual({ allowed: false, remaining: 0, retryAfterMs: 600 })
  world.pass(600)
  expect(await world.take()).toMatchObject({ allowed: true, remaining: 3 })
})

test('a call that is given back does not count, however often it is given back', async () => {
  const world = createWorld()
  const taken = await world.take()
  expect(await world.allowed(10)).toBe(3)
  if (!taken.allowed) throw new Error('the first call was refused')
  taken.giveBack()
  taken.giveBack()
  expect(await world.allowed(10)).toBe(1)
})

test('without Valkey each of several nodes lets its share through, and never nothing', async () => {
  expect(await createWorld({ nodes: 2 }).allowed(10)).toBe(2)
  expect(await createWorld({ nodes: 3 }).allowed(10)).toBe(1)
  expect(await createWorld({ nodes: 100 }).allowed(10)).toBe(1)
  expect(await createWorld({ nodes: 0 }).allowed(10)).toBe(4)
})

describe('with Valkey', () => {
  test('what the nodes together have used is what counts', async () => {
    const { server, valkey } = createServer()
    const world = createWorld({ valkey, nodes: 10 })
    expect(await world.allowed(2)).toBe(2)
    server.refuses = true
    expect(await world.take()).toEqual({ allowed: false, remaining: 0, retryAfterMs: 250 })
    server.refuses = false
    expect(await world.allowed(10)).toBe(2)
  })

  test('a refusal that a node knows by itself asks nobody', async () => {
    const { server, valkey } = createServer()
    const world = createWorld({ valkey })
    await world.allowed(10)
    expect(server.asked).toBe(4)
  })

  test('giving back reaches the server by the stamp of the call', async () => {
    const { server, valkey } = createServer()
    const world = createWorld({ valkey })
    const taken = await world.take()
    if (taken.allowed) taken.giveBack()
    await vi.waitFor(() => expect(server.given).toEqual(['stamp-1']))
    expect(await world.allowed(10)).toBe(4)
  })

  test('its loss refuses no paying call beyond the share, and is told once a minute', async () => {
    const { server, valkey } = createServer()
    const world = createWorld({ valkey, nodes: 2 })
    server.up = false
    expect(await world.allowed(10)).toBe(2)
    for (let second = 0; second < 59; second++) {
      world.pass(1000)
      await world.take()
    }
    expect(world.events).toEqual([expect.stringContaining('valkey does not answer')])
    world.pass(1000)
    await world.take()
    expect(world.events).toHaveLength(2)
    server.up = true
    world.pass(1000)
    await world.take()
    expect(world.events.at(-1)).toContain('answers again')
  })

  test('while it is lost, calls do not wait for it one by one', async () => {
    const { server, valkey } = createServer()
    const world = createWorld({ valkey })
    server.up = false
    await world.allowed(4)
    expect(server.asked).toBe(1)
    world.pass(999)
    await world.take('other')
    expect(server.asked).toBe(1)
    world.pass(1)
    await world.take('other')
    expect(server.asked).toBe(2)
  })

  test('losing it and finding it again lets one node no more through than the limit', async () => {
    const { server, valkey } = createServer()
    const world = createWorld({ valkey })
    expect(await world.allowed(2)).toBe(2)
    server.up = false
    expect(await world.allowed(1)).toBe(1)
    server.up = true
    world.pass(999)
    expect(await world.allowed(10)).toBe(1)
  })
})

test('the memory of a node is bounded: idle subjects go, and the most recent are kept', () => {
  const logs = new LocalLogs(100)
  for (let subject = 0; subject < 1000; subject++) logs.take(`s${subject}`, 0, limit)
  expect(logs.subjects).toBe(100)
  for (let call = 0; call < 4; call++) logs.take('s999', 0, limit)
  expect(logs.take('s999', 0, limit).allowed).toBe(false)
  for (let subject = 0; subject < 100; subject++) logs.take(`t${subject}`, 5000, limit)
  expect(logs.subjects).toBe(100)
  for (let call = 0; call < 60; call++) logs.take('only', 10_000, limit)
  expect(logs.subjects).toBe(1)
})
