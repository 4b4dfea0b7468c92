/** What a key may look at. Nothing of it holds or charges. */
import { expect, test } from 'vitest'
import { chatModel, offering } from '#testing/catalog-source.ts'
import { chargeOf } from '#testing/payer.ts'
import { finish, hang, say, used } from '#testing/scripted-provider.ts'
import { worldOfFile } from '#testing/world-of-file.ts'

const world = worldOfFile()

test('a quote says the highest price, a probable one, and what would be held; the call is never dearer', async () => {
  const house = world.open()
  const payer = await house.payer()
  const before = await payer.money()
  const quote = await payer.quote({ maxOutputTokens: 100 })
  expect(quote).toMatchObject({
    model: 'echo',
    offerings: ['alpha/echo'],
    highestNanoUsd: payer.boundNanoUsd(100),
    heldNanoUsd: payer.boundNanoUsd(100),
    availableNanoUsd: before.availableNanoUsd,
    refusals: [],
  })
  expect(quote.expectedNanoUsd).toBeLessThanOrEqual(quote.highestNanoUsd)
  expect(await payer.money()).toEqual(before)
  house.provider().will(say('Hello'), finish(), used(1_000_000, 1_000_000))
  const { call } = await payer.streamed({ maxOutputTokens: 100 })
  expect(call.billing.heldNanoUsd).toBe(quote.heldNanoUsd)
  expect(await payer.spent()).toBe(quote.highestNanoUsd)
})

test('a quote without max_tokens tells the whole bound, and the step that would be held', async () => {
  const house = world.open()
  const payer = await house.payer({ balanceNanoUsd: chargeOf(0, 8_192) * 3n })
  const quote = await payer.quote()
  expect(quote.highestNanoUsd).toBe(payer.boundNanoUsd(8_192))
  expect(quote.heldNanoUsd).toBe(payer.boundNanoUsd(256))
})

test('a quote of a call that would be refused says why, and is no error', async () => {
  const house = world.open()
  const payer = await house.payer({ balanceNanoUsd: 5n })
  const quote = await payer.quote({ maxOutputTokens: 100 })
  expect(quote.heldNanoUsd).toBe(0n)
  expect(quote.refusals.map(({ code }) => code)).toEqual(['insufficient_credits'])
})

test('a quote of what no call could be is the error the call would get', async () => {
  const house = world.open()
  const payer = await house.payer()
  await expect(payer.quote({ model: 'nothing' })).rejects.toMatchObject({ code: 'model_not_found' })
  await payer.revoke()
  await expect(payer.quote()).rejects.toMatchObject({ code: 'invalid_api_key' })
  expect(house.refused).toEqual([])
})

test('a free model is quoted at nothing, without any money', async () => {
  const free = offering('alpha', 'echo', { input: '0', output: '0' })
  const house = world.open({ models: [chatModel('echo', { offerings: [free] })] })
  const payer = await house.payer({ balanceNanoUsd: 0n })
  expect(await payer.quote()).toMatchObject({ highestNanoUsd: 0n, heldNanoUsd: 0n, refusals: [] })
})

test('an account shows what is there, what is held and what was spent', async () => {
  const house = world.open()
  const payer = await house.payer({ balanceNanoUsd: chargeOf(0, 1_000_000) })
  await payer.chat()
  house.provider().will(hang)
  const running = await payer.stream({ maxOutputTokens: 100 })
  await house.provider().called(2)
  const call = await payer.call('/me')
  const view = await house.gateway.account(call)
  const spent = chargeOf(10, 2)
  expect(view).toMatchObject({
    balanceNanoUsd: chargeOf(0, 1_000_000) - spent,
    heldNanoUsd: payer.boundNanoUsd(100),
    availableNanoUsd: chargeOf(0, 1_000_000) - spent - payer.boundNanoUsd(100),
    spend30DaysNanoUsd: spent,
    tier: 'starter',
    nextTier: { tier: 'growth' },
  })
  expect(view.caps.map(({ scope, period }) => `${scope} ${period}`)).toEqual([
    'key day',
    'key month',
    'workspace day',
    'workspace month',
  ])
  expect(call.billing.availableNanoUsd).toBe(view.availableNanoUsd)
  expect(await house.gateway.balance(call)).toBe(view.availableNanoUsd)
  running.reply.leave()
  await expect(running.done).rejects.toThrow()
})

test('a receipt is for its own workspace and mode alone', async () => {
  const house = world.open()
  const [one, two] = [await house.payer(), await house.payer()]
  const { call } = await one.streamed()
  expect((await one.receipt(call)).requestId).toBe(call.requestId)
  await expect(two.receipt(call)).rejects.toMatchObject({ code: 'not_found', status: 404 })
})

test('a key sees the models it may use, and near names for those it may not', async () => {
  const house = world.open({
    models: [chatModel('echo', { aliases: ['e1'] }), chatModel('other', { vendor: 'else' })],
  })
  const payer = await house.payer({ allowedModels: ['acme/*'] })
  const call = await payer.call('/models')
  expect(house.gateway.models(call).map(({ id }) => id)).toEqual(['echo'])
  expect(house.gateway.model(call, 'e1').id).toBe('echo')
  expect(() => house.gateway.model(call, 'other')).toThrow(/^The model "other" does not exist\.$/)
  expect(() => house.gateway.model(call, 'echos')).toThrow('Close names: echo.')
})
