/** The balance or a cap ends while an answer streams. */
import { describe, expect, test } from 'vitest'
import type { ChatResult } from '#spec/chat.ts'
import type { WireAnswer } from '#spec/gateway.ts'
import { chargeOf } from '#testing/payer.ts'
import { finish, run, say, sayMany, send, used } from '#testing/scripted-provider.ts'
import { TestClock } from '#testing/test-clock.ts'
import { worldOfFile } from '#testing/world-of-file.ts'

const world = worldOfFile()

const STEP = 256
/** More than the 32 holds of one step that keep a call from being held whole, far less than 32 whole ones. */
const FOR_STEPS = chargeOf(0, 8_192) * 3n

function answered(answer: WireAnswer): ChatResult {
  return JSON.parse(String(answer.body))
}

describe('when the money runs out', () => {
  /** Enough for the input and some 700 tokens, which is not enough for the third step. */
  const enoughFor = 700

  test.each([1, 50])(
    'a stream is cut with the reason, and what was delivered is charged (%i deltas a read)',
    async atOnce => {
      const clock = new TestClock()
      const house = world.open({ clock })
      const payer = await house.payer({ balanceNanoUsd: 0n })
      await payer.grant(payer.boundNanoUsd(enoughFor))
      const reads = Array.from({ length: 2_000 / atOnce }, () => send(...sayMany(atOnce)))
      house.provider().will(...reads, finish(), used(10, 2_000))
      const { call, reply, done } = await payer.stream()
      await clock.drive(done)
      const { text, end } = reply.received
      expect(text.length).toBeGreaterThan(4 * (enoughFor - STEP - atOnce))
      expect(text.length).toBeLessThanOrEqual(4 * enoughFor)
      expect(end?.cut?.code).toBe('insufficient_credits')
      expect(end?.cut?.message).toMatch(/^Not enough credits: .* can be spent now/)
      expect(end).toMatchObject({ estimated: true, outputTokens: text.length / 4 })
      expect(house.provider().calls[0]?.aborted).toBe(true)
      const receipt = await payer.receipt(call)
      expect(receipt).toMatchObject({ outcome: 'cut_by_limit', chargeNanoUsd: end?.chargedNanoUsd })
      expect(await payer.spent()).toBe(receipt.chargeNanoUsd)
    },
  )

  test('a burst that is never covered is not delivered, and not charged', async () => {
    const clock = new TestClock()
    const house = world.open({ clock })
    const payer = await house.payer({ balanceNanoUsd: 0n })
    await payer.grant(payer.boundNanoUsd(enoughFor))
    house.provider().will(...sayMany(10), send(...sayMany(2_000), finish()), used(10, 2_010))
    const { reply, done } = await payer.stream()
    await clock.drive(done)
    expect(reply.received).toMatchObject({ end: { outputTokens: 10, cut: { code: 'insufficient_credits' } } })
    expect(reply.received.text).toHaveLength(40)
    expect(reply.received.finishes.size).toBe(0)
    expect(await payer.spent()).toBe(reply.received.end?.chargedNanoUsd)
    expect(await payer.spent()).toBeLessThan(payer.boundNanoUsd(10))
  })

  test('a provider that ignores being hung up on delivers and charges nothing more', async () => {
    const clock = new TestClock()
    const house = world.open({ clock, providers: [{ id: 'alpha', ignoresAbort: true }] })
    const payer = await house.payer({ balanceNanoUsd: 0n })
    await payer.grant(payer.boundNanoUsd(enoughFor))
    house.provider().will(...sayMany(2_000), finish(), used(10, 2_000))
    const { call, reply, done } = await payer.stream()
    await clock.drive(done)
    expect(reply.received.text.length).toBeLessThanOrEqual(4 * enoughFor)
    expect(reply.received.end).toMatchObject({
      estimated: true,
      outputTokens: reply.received.text.length / 4,
    })
    expect(await payer.receipt(call)).toMatchObject({ outcome: 'cut_by_limit' })
  })

  test('a plain call ends with "length" and is charged for what it answers', async () => {
    const clock = new TestClock()
    const house = world.open({ clock })
    const payer = await house.payer({ balanceNanoUsd: 0n })
    await payer.grant(payer.boundNanoUsd(enoughFor))
    house.provider().will(...sayMany(2_000), finish(), used(10, 2_000))
    const { call, answer } = await payer.ask()
    const result = answered(await clock.drive(answer))
    expect(result.choices[0]).toMatchObject({ finishReason: 'length' })
    expect(result.cut).toMatchObject({ code: 'insufficient_credits' })
    expect(result.usage?.outputTokens).toBe((result.choices[0]?.text?.length ?? 0) / 4)
    expect(await payer.receipt(call)).toMatchObject({ outcome: 'cut_by_limit' })
  })

  test('a stream waits two seconds for money, and goes on when some comes', async () => {
    const clock = new TestClock()
    const house = world.open({ clock })
    const payer = await house.payer({ balanceNanoUsd: 0n })
    await payer.grant(payer.boundNanoUsd(300))
    house.provider().will(...sayMany(2_000), finish(), used(10, 2_000))
    const { reply, done } = await payer.stream()
    const wokenAtMs: number[] = []
    for (let tries = 0; tries < 10; tries++) {
      await clock.sleeping()
      wokenAtMs.push(clock.monotonicMs())
      if (tries === 9) await payer.grant(chargeOf(0, 4_000))
      clock.advance(100)
    }
    await clock.drive(done)
    expect(wokenAtMs.at(-1)).toBe(900)
    expect(reply.received.text).toHaveLength(8_000)
    expect(reply.received.end).toMatchObject({ cut: undefined, chargedNanoUsd: chargeOf(10, 2_000) })
  })

  test('two seconds are waited and no more', async () => {
    const clock = new TestClock()
    const house = world.open({ clock })
    const payer = await house.payer({ balanceNanoUsd: 0n })
    await payer.grant(payer.boundNanoUsd(300))
    house.provider().will(send(...sayMany(256)), send(...sayMany(256)), finish())
    const { done } = await payer.stream()
    await clock.drive(done)
    expect(clock.monotonicMs()).toBe(2_000)
  })

  test('a stream that ends within what is covered is not cut, though no more money was to be had', async () => {
    const clock = new TestClock()
    const house = world.open({ clock })
    const payer = await house.payer({ balanceNanoUsd: 0n })
    await payer.grant(payer.boundNanoUsd(STEP))
    house.provider().will(
      ...sayMany(STEP),
      run(() => clock.drive(new Promise(setImmediate))),
      finish(),
      used(10, STEP),
    )
    const { reply, done } = await payer.stream()
    await clock.drive(done)
    expect(reply.received).toMatchObject({ end: { cut: undefined, chargedNanoUsd: chargeOf(10, STEP) } })
    expect(reply.received.finishes.get(0)).toBe('stop')
  })

  test.each([
    ['the cap of the key', 'key_daily_cap'],
    ['the cap of the workspace', 'workspace_monthly_cap'],
  ] as const)('%s cuts a stream as an empty balance does', async (_name, code) => {
    const clock = new TestClock()
    const house = world.open({ clock })
    const payer = await house.payer()
    const limit = payer.boundNanoUsd(enoughFor)
    if (code === 'key_daily_cap') {
      await world.keys.setCaps(
        { workspaceId: payer.account.workspaceId, id: payer.keyId },
        { dailyNanoUsd: limit },
      )
    } else {
      await world.accounts.setWorkspaceCaps(payer.account, { monthlyNanoUsd: limit })
    }
    house.provider().will(...sayMany(2_000), finish())
    const { reply, done } = await payer.stream()
    await clock.drive(done)
    expect(reply.received.end?.cut?.code).toBe(code)
    expect(await payer.spent()).toBeLessThanOrEqual(limit)
  })

  test('a key that is revoked meanwhile cuts its stream without waiting', async () => {
    const clock = new TestClock()
    const house = world.open({ clock })
    const payer = await house.payer({ balanceNanoUsd: FOR_STEPS })
    house.provider().will(say('Hello'), run(payer.revoke), ...sayMany(2_000), finish())
    const { reply, done } = await payer.stream()
    await clock.drive(done)
    expect(clock.monotonicMs()).toBe(0)
    expect(reply.received.end?.cut?.code).toBe('invalid_api_key')
  })

  test('a client that leaves while its stream waits for money ends the wait at once', async () => {
    const clock = new TestClock()
    const house = world.open({ clock, providers: [{ id: 'alpha', ignoresAbort: true }] })
    const payer = await house.payer({ balanceNanoUsd: 0n })
    await payer.grant(payer.boundNanoUsd(300))
    house.provider().will(...sayMany(200), send(...sayMany(2_000)), finish())
    const { call, reply, done } = await payer.stream()
    while (house.provider().calls[0]?.sent.length !== 2_200) await new Promise(setImmediate)
    await clock.sleeping()
    reply.leave()
    await done
    expect(clock.monotonicMs()).toBe(0)
    const receipt = await payer.receipt(call)
    expect(receipt.outcome).toBe('client_left')
    expect(receipt.lines.find(line => line.unit === 'output_tokens')?.quantity).toBe(200n)
  })
})

test('twenty streams at once on a small balance never spend past it: none is refused, and short ones are whole', async () => {
  const house = world.open()
  const payer = await house.payer({ balanceNanoUsd: 0n })
  await payer.grant(20n * payer.boundNanoUsd(300))
  const long = [...sayMany(1_000), finish(), used(10, 1_000)]
  const short = [...sayMany(200), finish(), used(10, 200)]
  for (let pair = 0; pair < 10; pair++) house.provider().will(long).will(short)
  const streams = await Promise.all(Array.from({ length: 20 }, () => payer.stream()))
  await Promise.all(streams.map(({ done }) => done))
  const ends = streams.map(({ reply }) => reply.received)
  const charged = ends.reduce((sum, { end }) => sum + (end?.chargedNanoUsd ?? 0n), 0n)
  expect(await payer.spent()).toBe(charged)
  const whole = ends.filter(({ end }) => end?.cut === undefined).map(({ text }) => text.length / 4)
  expect(whole.filter(tokens => tokens === 200)).toHaveLength(10)
  expect(ends.every(({ text, end }) => end?.cut === undefined || text.length >= 4 * STEP)).toBe(true)
})
