/** What is let in, and what every refusal says. Whatever is refused leaves nothing behind and asks no provider. */
import { describe, expect, test } from 'vitest'
import type { GatewayError } from '#spec/errors.ts'
import { chatModel, imageModel, offering } from '#testing/catalog-source.ts'
import { chargeOf, type Payer } from '#testing/payer.ts'
import { fail, finish, run, say, used, wait } from '#testing/scripted-provider.ts'
import { TestClock } from '#testing/test-clock.ts'
import type { House } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'

const world = worldOfFile()

/** What the call was refused with; both ways of asking are refused alike. */
async function refusalOf(house: House, payer: Payer, fields = {}): Promise<GatewayError> {
  const before = house.refused.length
  const { answer } = await payer.ask(fields)
  const refused: GatewayError = await answer.then(
    () => Promise.reject(new Error('the call was let in')),
    error => error,
  )
  const { reply, done } = await payer.stream(fields)
  await expect(done).rejects.toMatchObject({ code: refused.code, message: refused.message })
  expect(reply.bytes).toBe('')
  expect(house.refused.slice(before)).toEqual([refused.code, refused.code])
  return refused
}

describe('a model', () => {
  test('that does not exist is refused with the names that are near', async () => {
    const house = world.open({ models: [chatModel('echo-large'), chatModel('echo-small')] })
    const payer = await house.payer()
    const error = await refusalOf(house, payer, { model: 'echo-larg' })
    expect(error).toMatchObject({ code: 'model_not_found', status: 404, param: 'model' })
    expect(error.nearby[0]).toBe('echo-large')
  })

  test('that the key may not use is refused', async () => {
    const house = world.open()
    const payer = await house.payer({ allowedModels: ['other/*'] })
    expect(await refusalOf(house, payer)).toMatchObject({ code: 'model_not_allowed', status: 403 })
  })

  test('that embeds is no model to chat with, and the other way round', async () => {
    const embedding = chatModel('vectors', { operation: 'embed', max_output_tokens: undefined })
    const house = world.open({ models: [chatModel('echo'), embedding] })
    const payer = await house.payer()
    const error = await refusalOf(house, payer, { model: 'vectors' })
    expect(error).toMatchObject({ code: 'invalid_request', param: 'model' })
    expect(error.message).toContain('POST /embeddings')
    await expect(payer.embed({ model: 'echo' })).rejects.toThrow('POST /chat/completions')
  })

  test('that makes pictures is not sent to the embeddings', async () => {
    const house = world.open({ models: [imageModel('painter')] })
    const error = await refusalOf(house, await house.payer(), { model: 'painter' })
    expect(error).toMatchObject({ code: 'invalid_request', param: 'model' })
    expect(error.message).toBe('The model "painter" does image; it cannot be asked for chat here.')
  })

  test('without a known price is refused with a live key, and served with a test key', async () => {
    const unpriced = { provider: 'alpha', upstream_model: 'echo' }
    const house = world.open({
      providers: [{ id: 'alpha' }, { id: 'sandbox', builtIn: true }],
      models: [chatModel('echo', { offerings: [unpriced] })],
    })
    expect(await refusalOf(house, await house.payer())).toMatchObject({ code: 'model_without_price' })
    const tester = await house.payer({ mode: 'test' })
    expect((await tester.chat()).status).toBe(200)
    expect(await tester.spent()).toBe(chargeOf(10, 2))
  })

  test('of which no provider is configured is unavailable, and only the log is told what to set', async () => {
    const house = world.open({ models: [chatModel('echo', { offerings: [offering('nobody', 'echo')] })] })
    const error = await refusalOf(house, await house.payer())
    expect(error).toMatchObject({ code: 'model_unavailable', status: 503 })
    expect(error.message).not.toContain('NOBODY')
    expect(String(error.cause)).toContain('NOBODY_API_KEY')
  })

  test('that has retired without a successor is refused', async () => {
    const house = world.open({ models: [chatModel('echo', { retires_on: '2020-01-01' })] })
    expect(await refusalOf(house, await house.payer())).toMatchObject({ code: 'model_retired', status: 404 })
  })

  test('that costs nothing needs no credits, and leaves a usage row', async () => {
    const free = offering('alpha', 'echo', { input: '0', output: '0' })
    const house = world.open({ models: [chatModel('echo', { offerings: [free] })] })
    const payer = await house.payer({ balanceNanoUsd: 0n })
    const plain = await payer.ask()
    await plain.answer
    const streamed = await payer.streamed()
    house.provider().will(fail('vendor'))
    const failed = await payer.ask()
    await expect(failed.answer).rejects.toThrow()
    expect(await payer.receipt(plain.call)).toMatchObject({ outcome: 'succeeded', chargeNanoUsd: 0n })
    expect(await payer.receipt(streamed.call)).toMatchObject({ outcome: 'succeeded', heldNanoUsd: 0n })
    expect(await payer.receipt(failed.call)).toMatchObject({ outcome: 'upstream_failed' })
    expect(streamed.reply.received.end?.chargedNanoUsd).toBe(0n)
  })

  test('with a free and a paid offering is served by the free one where there is no money', async () => {
    const free = offering('beta', 'free', { input: '0', output: '0' })
    const house = world.open({
      providers: [{ id: 'alpha' }, { id: 'beta' }],
      models: [chatModel('echo', { offerings: [offering('alpha', 'paid'), free] })],
    })
    const payer = await house.payer({ balanceNanoUsd: 0n })
    const { call } = await payer.streamed()
    expect(call.servedBy).toBe('beta/free')
    expect(house.provider('alpha').calls).toEqual([])
  })
})

describe('a body', () => {
  test('with a field that costs more than the price says is refused, and the field is named', async () => {
    const house = world.open()
    const wire = { format: 'lines', body: { model: 'echo', web_search_options: {} } }
    const error = await refusalOf(house, await house.payer(), { wire })
    expect(error).toMatchObject({ code: 'invalid_request', param: 'web_search_options' })
  })
})

describe('money', () => {
  test('that is not there is a 402 which says how much there is and how much the call needs', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: 1_000n })
    const error = await refusalOf(house, payer, { maxOutputTokens: 100 })
    expect(error).toMatchObject({ code: 'insufficient_credits', status: 402, retry: 'pointless' })
    expect(error.refusals).toMatchObject([
      {
        code: 'insufficient_credits',
        limitNanoUsd: 1_000n,
        heldNanoUsd: 0n,
        neededNanoUsd: payer.boundNanoUsd(100),
        resetsAt: undefined,
      },
    ])
    expect(error.message).toContain('0.0001 can be spent now')
  })

  test('that is there to the last nano-dollar is enough', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: 0n })
    await payer.grant(payer.boundNanoUsd(100) - 1n)
    await refusalOf(house, payer, { maxOutputTokens: 100 })
    await payer.grant(1n)
    expect((await payer.chat({ maxOutputTokens: 100 })).status).toBe(200)
  })

  test('a refusal names every limit in the way, and its code is the first of them in order', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: 0n })
    const caps = { dailyNanoUsd: 10n, monthlyNanoUsd: 20n }
    await world.keys.setCaps({ workspaceId: payer.account.workspaceId, id: payer.keyId }, caps)
    await world.accounts.setWorkspaceCaps(payer.account, caps)
    const error = await refusalOf(house, payer)
    expect(error.code).toBe('key_daily_cap')
    expect(error.refusals.map(refusal => refusal.code)).toEqual([
      'key_daily_cap',
      'key_monthly_cap',
      'workspace_daily_cap',
      'workspace_monthly_cap',
      'insufficient_credits',
    ])
    const [day, month] = error.refusals
    expect(day?.limitNanoUsd).toBe(10n)
    expect(day?.resetsAt?.getTime()).toBeGreaterThan(Date.now())
    expect(month?.resetsAt?.getUTCDate()).toBe(1)
    await world.keys.setCaps(
      { workspaceId: payer.account.workspaceId, id: payer.keyId },
      { dailyNanoUsd: null, monthlyNanoUsd: null },
    )
    expect(await refusalOf(house, payer)).toMatchObject({ code: 'workspace_daily_cap' })
  })

  test('of test mode is another than that of live mode', async () => {
    const house = world.open({ providers: [{ id: 'alpha' }, { id: 'sandbox', builtIn: true }] })
    const tester = await house.payer({ mode: 'test' })
    await tester.chat()
    expect(house.provider('alpha').calls).toEqual([])
    expect(house.provider('sandbox').calls).toHaveLength(1)
    const live = { workspaceId: tester.account.workspaceId, mode: 'live' } as const
    expect(await house.ledger.balance(live)).toMatchObject({ balanceNanoUsd: 0n, heldNanoUsd: 0n })
  })
})

describe('a key', () => {
  test('that was revoked since it was last looked at takes no hold', async () => {
    const house = world.open()
    const payer = await house.payer()
    await payer.chat()
    await payer.revoke()
    expect(await refusalOf(house, payer)).toMatchObject({ code: 'invalid_api_key', status: 401 })
    expect(house.provider().calls).toHaveLength(1)
  })

  test('that expires while its call is on its way takes no hold', async () => {
    const house = world.open()
    const payer = await house.payer({ expiresAt: new Date(Date.now() + 60_000) })
    await payer.call()
    await world.database.query('', 'update api_key set expires_at = now() where id = $1', [payer.keyId])
    expect(await refusalOf(house, payer)).toMatchObject({ code: 'expired_api_key', status: 401 })
  })
})

describe('the rate limit', () => {
  const twoInTen = { calls: 2, windowMs: 10_000 }

  test('refuses the call too many and says when the next one fits', async () => {
    const clock = new TestClock()
    const house = world.open({ clock })
    const payer = await house.payer({ rateLimit: twoInTen })
    await payer.chat()
    clock.advance(2_500)
    await payer.streamed()
    const error = await refusalOf(house, payer)
    expect(error).toMatchObject({ code: 'rate_limited', status: 429, retryAfterSeconds: 8 })
    expect(error.message).toContain('2 in any 10 seconds')
    clock.advance(7_500)
    expect((await payer.chat()).status).toBe(200)
  })

  test('of the plan holds for keys without one of their own', async () => {
    const house = world.open({ settings: { planRateLimits: new Map([['free', twoInTen]]) } })
    const payer = await house.payer()
    await payer.chat()
    await payer.chat()
    expect(await refusalOf(house, payer)).toMatchObject({ code: 'rate_limited' })
    const own = await house.payer({ rateLimit: { calls: 3, windowMs: 10_000 } })
    for (let n = 0; n < 3; n++) await own.chat()
    expect(await refusalOf(house, own)).toMatchObject({ code: 'rate_limited' })
  })

  test('does not count calls that were refused for want of money, or for their model or body', async () => {
    const house = world.open({ clock: new TestClock() })
    const payer = await house.payer({ rateLimit: twoInTen, balanceNanoUsd: 0n })
    for (let n = 0; n < 3; n++) {
      await refusalOf(house, payer)
      await refusalOf(house, payer, { model: 'nothing' })
    }
    await payer.grant(chargeOf(0, 100_000))
    await payer.chat()
    await payer.chat()
    expect(await refusalOf(house, payer)).toMatchObject({ code: 'rate_limited' })
  })
})

describe('a call', () => {
  test('is admitted with its hold in place before any provider is asked', async () => {
    const house = world.open()
    const payer = await house.payer()
    let held = 0n
    const look = async () => {
      held = (await payer.money()).heldNanoUsd
    }
    house.provider().will(run(look), say('Hello'), finish(), used(1, 1))
    const { call } = await payer.streamed()
    expect(held).toBe(call.billing.heldNanoUsd)
    expect(held).toBeGreaterThan(0n)
    expect(await payer.money()).toMatchObject({ heldNanoUsd: 0n })
  })

  test('that runs counts against what others may hold, and what it did not use is there again at its end', async () => {
    const house = world.open()
    const payer = await house.payer({ balanceNanoUsd: 0n })
    await payer.grant(payer.boundNanoUsd(100))
    const { promise: answers, resolve: answer } = Promise.withResolvers<void>()
    house.provider().will(wait(answers), finish(), used(0, 0))
    const first = await payer.stream({ maxOutputTokens: 100 })
    await house.provider().called()
    const error = await refusalOf(house, payer, { maxOutputTokens: 1 })
    expect(error.refusals[0]?.heldNanoUsd).toBe(payer.boundNanoUsd(100))
    answer()
    await first.done
    expect((await payer.chat({ maxOutputTokens: 100 })).status).toBe(200)
  })
})
