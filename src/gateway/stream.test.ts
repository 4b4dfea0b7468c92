/** How a stream flows: at once and in order, at the client's pace, its end held back until the charge is durable. */
import { describe, expect, test } from 'vitest'
import type { ChatStreamPart } from '#spec/chat.ts'
import { chargeOf } from '#testing/payer.ts'
import {
  fail,
  finish,
  hang,
  run,
  type Step,
  say,
  sayMany,
  send,
  used,
  wait,
  wire,
} from '#testing/scripted-provider.ts'
import type { House } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'

const world = worldOfFile()

/** A house whose settle waits until it is let go. */
function openHeld(): { house: House; settling: Promise<void>; letGo: () => void } {
  const { promise: settling, resolve: began } = Promise.withResolvers<void>()
  const { promise: mayEnd, resolve: letGo } = Promise.withResolvers<void>()
  const house = world.open({
    replace: ({ ledger }) => ({
      ledger: {
        ...ledger,
        settle: async (...settle) => {
          began()
          await mayEnd
          return await ledger.settle(...settle)
        },
      },
    }),
  })
  return { house, settling, letGo }
}

describe('a part', () => {
  test('is delivered as soon as it comes, and the head names who serves before it', async () => {
    const house = world.open()
    const payer = await house.payer()
    const streaming = await payer.stream()
    const seen: string[] = []
    const look = run(() => seen.push(streaming.reply.received.text))
    let servedBy: string | undefined
    house.provider().will(
      say('one '),
      run(() => {
        servedBy = streaming.call.servedBy
      }),
      look,
      say('two '),
      look,
      send(say('three '), say('four')),
      look,
      finish(),
      used(1, 4),
    )
    await streaming.done
    expect(seen).toEqual(['one ', 'one two ', 'one two three four'])
    expect(servedBy).toBe('alpha/echo')
  })

  test('of a tool call is counted and delivered like text', async () => {
    const house = world.open()
    const payer = await house.payer()
    const call: ChatStreamPart = {
      type: 'tool-call-delta',
      choice: 0,
      index: 0,
      id: 'call_1',
      name: 'look',
      arguments: '{"at":"the sky"}',
    }
    house.provider().will({ send: [call] }, finish('tool_calls'))
    const { reply } = await payer.streamed()
    expect(reply.received.text).toBe('{"at":"the sky"}')
    expect(reply.received.end).toMatchObject({ estimated: true, outputTokens: 4 })
    expect(reply.received.finishes.get(0)).toBe('tool_calls')
  })
})

describe('the end of an answer', () => {
  const WAYS: [string, readonly Step[]][] = [
    ['our own parts', [say('Hello'), finish()]],
    ['a wire format', [wire('Hello\n'), wire('{"choice":0,"finish":"stop"}\n', true)]],
    ['one read', [send(say('Hello'), finish())]],
  ]
  test.each(WAYS)(
    'leaves only when the charge is durable, and nothing of it before (%s)',
    async (_name, steps) => {
      const { house, settling, letGo } = openHeld()
      const payer = await house.payer()
      house.provider().will(...steps, used(10, 2))
      const { reply, done } = await payer.stream()
      await settling
      expect(reply.received.text.trim()).toBe('Hello')
      expect(reply.received.finishes.size).toBe(0)
      expect(reply.ended).toBe(false)
      letGo()
      await done
      expect(reply.received.finishes.get(0)).toBe('stop')
      expect(reply.received.end?.chargedNanoUsd).toBe(chargeOf(10, 2))
      expect(reply.ended).toBe(true)
    },
  )

  test('of one of several answers is not the end: the others go on reaching the client at once', async () => {
    const { house, settling, letGo } = openHeld()
    const payer = await house.payer()
    const { reply, done } = await payer.stream({ choices: 3 })
    const seen: { text: string; finished: number[] }[] = []
    const look = run(() => {
      const { text, finishes } = reply.received
      seen.push({ text, finished: [...finishes.keys()] })
    })
    house
      .provider()
      .will(
        ...[say('a0 ', 0), say('b0 ', 1), finish('stop', 0), look],
        ...[say('b1 ', 1), look, finish('length', 1), look],
        ...[say('c0 ', 2), look, finish('stop', 2), look],
        used(10, 5),
      )
    await settling
    expect(seen).toEqual([
      { text: 'a0 b0 ', finished: [0] },
      { text: 'a0 b0 b1 ', finished: [0] },
      { text: 'a0 b0 b1 ', finished: [0] },
      { text: 'a0 b0 b1 c0 ', finished: [0, 1] },
      { text: 'a0 b0 b1 c0 ', finished: [0, 1] },
    ])
    letGo()
    await done
    expect([...reply.received.finishes]).toEqual([
      [0, 'stop'],
      [1, 'length'],
      [2, 'stop'],
    ])
  })

  test('is held back as well where the provider gives fewer answers than were asked for', async () => {
    const { house, settling, letGo } = openHeld()
    const payer = await house.payer()
    house.provider().will(say('only one'), finish(), used(10, 2))
    const { reply, done } = await payer.stream({ choices: 4 })
    await settling
    expect(reply.received.finishes.size).toBe(0)
    letGo()
    await done
    expect(reply.received.finishes.size).toBe(1)
  })

  test('of wire bytes that go on after all are delivered in their order', async () => {
    const house = world.open()
    const payer = await house.payer()
    const { reply, done } = await payer.stream({ choices: 2 })
    let seen = ''
    house.provider().will(
      wire('{"choice":0,"text":"a"}\n'),
      wire('{"choice":0,"finish":"stop"}\n', true),
      wire('{"choice":1,"text":"b"}\n'),
      run(() => {
        seen = reply.bytes
      }),
      wire('{"choice":1,"finish":"stop"}\n', true),
      used(1, 2),
    )
    await done
    expect(seen).toBe('{"choice":0,"text":"a"}\n{"choice":0,"finish":"stop"}\n{"choice":1,"text":"b"}\n')
    expect([...reply.received.texts.values()]).toEqual(['a', 'b'])
  })

  test('that never comes is no end: the stream breaks off and nothing is charged', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.provider().will(say('Hello'), finish(), fail('interrupted'))
    const { reply } = await payer.streamed()
    expect(reply.received).toMatchObject({ text: 'Hello', error: { code: 'upstream_error' }, end: undefined })
    expect(reply.received.finishes.size).toBe(0)
    expect(await payer.spent()).toBe(0n)
  })
})

describe('a slow client', () => {
  test('holds the provider back, and gets everything once it reads again', async () => {
    const house = world.open()
    const payer = await house.payer()
    const { reply, done } = await payer.stream()
    house.provider().will(
      say('one '),
      run(() => reply.stall()),
      ...sayMany(5),
      finish(),
      used(1, 6),
    )
    const asked = await house.provider().called()
    while (asked.sent.length < 2) await new Promise(setImmediate)
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
    expect(asked.sent).toHaveLength(2)
    reply.drain()
    await done
    expect(asked.sent).toHaveLength(7)
    expect(reply.received).toMatchObject({ text: 'one 00001111222233334444', error: undefined })
  })

  test('that leaves instead of reading again ends its call', async () => {
    const house = world.open()
    const payer = await house.payer()
    const { call, reply, done } = await payer.stream()
    house.provider().will(
      say('one '),
      run(() => reply.stall()),
      say('two '),
      hang,
    )
    const asked = await house.provider().called()
    while (asked.sent.length < 2) await new Promise(setImmediate)
    reply.leave()
    await done
    expect(asked.aborted).toBe(true)
    expect(await payer.receipt(call)).toMatchObject({ outcome: 'client_left' })
  })
})

describe('a drain that has run out of patience', () => {
  test('ends a stream that waits for its client, and releases it', async () => {
    const house = world.open()
    const payer = await house.payer()
    const { call, reply, done } = await payer.stream()
    house.provider().will(
      say('one '),
      run(() => reply.stall()),
      say('two '),
      hang,
    )
    const asked = await house.provider().called()
    while (asked.sent.length < 2) await new Promise(setImmediate)
    house.stop()
    await done
    expect(reply.received.error?.code).toBe('server_draining')
    expect(await payer.receipt(call)).toMatchObject({ outcome: 'internal_failure', chargeNanoUsd: 0n })
  })

  test('refuses a call that comes after it, before anything is sent', async () => {
    const house = world.open()
    const payer = await house.payer()
    house.stop()
    await expect(payer.chat()).rejects.toMatchObject({ code: 'server_draining' })
    await expect(payer.streamed()).rejects.toMatchObject({ code: 'server_draining' })
    expect(house.provider().calls).toEqual([])
    expect(await payer.spent()).toBe(0n)
  })

  test('does not undo an answer that is whole and only waits for its charge', async () => {
    const { house, settling, letGo } = openHeld()
    const payer = await house.payer()
    house.provider().will(say('Hello'), finish(), used(10, 2))
    const { reply, done } = await payer.stream()
    await settling
    house.stop()
    letGo()
    await done
    expect(reply.received).toMatchObject({ text: 'Hello', end: { chargedNanoUsd: chargeOf(10, 2) } })
  })
})

test('a hundred calls at once, half of them left, leave no listener and no hold behind', async () => {
  const house = world.open()
  const payer = await house.payer()
  const { promise: answers, resolve: answer } = Promise.withResolvers<void>()
  house.provider().always(say('Hel'), wait(answers), say('lo'), finish(), used(10, 2))
  const streams = await Promise.all(Array.from({ length: 100 }, () => payer.stream()))
  await house.provider().called(100)
  while (streams.some(({ reply }) => reply.bytes === '')) await new Promise(setImmediate)
  for (const { reply } of streams.slice(0, 50)) reply.leave()
  answer()
  await Promise.all(streams.map(({ done }) => done))
  const whole = streams.filter(({ reply }) => reply.received.text === 'Hello')
  expect(whole).toHaveLength(50)
  const left = await Promise.all(streams.slice(0, 50).map(({ call }) => payer.receipt(call)))
  expect(new Set(left.map(({ outcome }) => outcome))).toEqual(new Set(['client_left']))
  const charges = left.reduce((sum, { chargeNanoUsd }) => sum + chargeNanoUsd, 0n)
  expect(await payer.spent()).toBe(50n * chargeOf(10, 2) + charges)
})
