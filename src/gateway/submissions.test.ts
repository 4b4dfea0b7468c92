/** A task's way in: what is held, what is refused, and what becomes of the files that a request brings. */
import { describe, expect, test } from 'vitest'
import { failure, PIXEL, picture } from '#testing/scripted-tasks.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { answerOf, errorOf, openStudio, PICTURE_NANO_USD, submissionOf, submitted } from './tasks.fixture.ts'

const world = worldOfFile()

describe('a submission', () => {
  test('with the same Idempotency-Key gives the same task, and is held once', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const keyed = () => payer.call('/task', { idempotencyKey: 'k1', body: 'same' })
    const first = await studio.house.gateway.submit(await keyed(), submissionOf(), answerOf)
    const second = await studio.house.gateway.submit(await keyed(), submissionOf(), answerOf)
    expect(String(second.body)).toBe(String(first.body))
    expect((await payer.money()).heldNanoUsd).toBe(PICTURE_NANO_USD)
    await studio.house.step()
    await studio.house.step()
    const third = await studio.house.gateway.submit(await keyed(), submissionOf(), answerOf)
    expect(String(third.body)).toBe(String(first.body))
    expect(await payer.spent()).toBe(PICTURE_NANO_USD)
  })

  test('that the balance does not cover leaves nothing behind', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer({ balanceNanoUsd: PICTURE_NANO_USD - 1n })
    const call = await payer.call('/task')
    const error = await errorOf(studio.house.gateway.submit(call, submissionOf(), answerOf))
    expect(error).toMatchObject({ code: 'insufficient_credits', status: 402 })
    expect(await studio.house.gateway.findTask(await payer.call('/look'), call.requestId)).toBeUndefined()
  })

  test('that covers the cheaper offering only is made there', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer({ balanceNanoUsd: PICTURE_NANO_USD })
    studio.alpha.willStart(failure('credential', 401))
    const { look } = await submitted(studio, payer, { model: 'both' })
    await studio.house.step()
    expect(studio.beta.starts).toHaveLength(0)
    expect(await look()).toMatchObject({ state: 'failed', failure: { code: 'upstream_unavailable' } })
  })

  test('twenty-one in ten seconds is one too many, and a refused one counts for nothing', async () => {
    const studio = openStudio(world, { media: { creationRateLimit: { calls: 20, windowMs: 10_000 } } })
    const payer = await studio.house.payer()
    const bad = submissionOf({ inputs: [{ role: 'image', url: 'http://127.0.0.1/x.png', param: 'image' }] })
    for (let n = 0; n < 3; n++) {
      const refused = studio.house.gateway.submit(await payer.call('/task'), bad, answerOf)
      expect(await errorOf(refused)).toMatchObject({ code: 'input_rejected', param: 'image' })
    }
    for (let n = 0; n < 20; n++) {
      await studio.house.gateway.submit(await payer.call('/task'), submissionOf(), answerOf)
    }
    const over = studio.house.gateway.submit(await payer.call('/task'), submissionOf(), answerOf)
    expect(await errorOf(over)).toMatchObject({ code: 'rate_limited', status: 429 })
    for (let steps = 0; steps < 2; steps++) await studio.house.step()
  })

  test('keeps the bytes of a data URI as a file, and out of the task', async () => {
    const studio = openStudio(world)
    const payer = await studio.house.payer()
    const url = `data:image/png;base64,${(picture().source as { read: () => Promise<Buffer> }).read === undefined ? '' : (await (picture().source as { read: () => Promise<Buffer> }).read()).toString('base64')}`
    const inputs = [{ role: 'image', url, param: 'image' }] as const
    const { look } = await submitted(studio, payer, { inputs }, { wire: { image: url } })
    const task = await look()
    expect(task.wire.image).toMatch(/^http:\/\/gateway\.test\/files\//)
    expect(task.request.inputs[0]?.url).toBe(task.wire.image)
    await studio.house.step()
    expect(await studio.alpha.starts[0]?.inputs[0]?.read()).toHaveLength(
      Buffer.from(url.split(',')[1] ?? '', 'base64').length,
    )
    await studio.house.step()
  })
})

describe('a file that a client sends', () => {
  const keep = async (bytes: Uint8Array, role?: 'image' | 'video') => {
    const { house } = openStudio(world)
    const payer = await house.payer()
    return house.gateway.storeFile(await payer.call('/files'), { bytes }, { param: 'image', role })
  }

  test('is known by its own bytes', async () => {
    const { contentType, url } = await keep(PIXEL, 'image')
    expect(contentType).toBe('image/png')
    expect(url).toMatch(/^http:\/\/gateway\.test\/files\/\w{43}\/upload\.png$/)
  })

  test.each([
    ['of another kind', PIXEL, 'video', /is not a video file/],
    ['that could be run', Buffer.from('<html><script>'), undefined, /known type/],
    ['that begins as a picture and ends there', PIXEL.subarray(0, 12), 'image', /broken or cut off/],
    ['that unpacks to a wall', wall(), 'image', /60000 × 60000 pixels/],
  ] as const)('%s is refused', async (_, bytes, role, message) => {
    const error = await errorOf(keep(bytes, role))
    expect(error).toMatchObject({ code: 'input_rejected', param: 'image' })
    expect(error.message).toMatch(message)
  })
})

/** A PNG whose head says that it is 60,000 pixels a side. */
function wall(): Buffer {
  const bytes = Buffer.from(PIXEL)
  bytes.writeUInt32BE(60_000, 16)
  bytes.writeUInt32BE(60_000, 20)
  return bytes
}
