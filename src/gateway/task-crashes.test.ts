/** What is left of a step that a death cut short, and what the next worker makes of it. */
import { buffer } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ProviderFailure } from '#spec/provider.ts'
import type { Checked, ProviderOutput } from '#spec/task-provider.ts'
import { failed, failure, made, PIXEL, pending, picture } from '#testing/scripted-tasks.ts'
import { createWorld, type House, type HouseOptions, type World } from '#testing/world.ts'
import { answerOf, openStudio, PICTURE_NANO_USD, submissionOf, submitted } from './tasks.fixture.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterEach(async () => expect(await world.audit()).toEqual([]))
afterAll(() => world.close())

const TELLING = {
  dialects: [{ id: 'test', renderCallback: () => ({ done: true }) }],
} satisfies HouseOptions

/** The dialect of the calls of a test's payer. */
async function telling(): Promise<HouseOptions> {
  const payer = await openStudio(world).house.payer()
  const { dialect } = await payer.call('/task')
  return { dialects: TELLING.dialects.map(one => ({ ...one, id: dialect })) }
}

/** A picture of other bytes, which is still a picture. */
function other(index: number): ProviderOutput {
  return picture(index, Buffer.concat([PIXEL, Buffer.from(`picture ${index}`)]))
}

function early(...outputs: ProviderOutput[]): Checked {
  return { ...pending(0.5), stage: 'first', partial: { outputs } } as Checked
}

async function bytesOf(house: House, url: string): Promise<string> {
  const file = await house.gateway.openFile(new URL(url).pathname)
  const opened = await file?.open(undefined)
  return opened === undefined ? '' : (await buffer(opened)).toString('latin1')
}

describe('the end of a task', () => {
  test('is one statement whatever it carries: files, callbacks, both or nothing', async () => {
    const studio = openStudio(world, await telling())
    const payer = await studio.house.payer()
    const told = { callbackUrl: 'https://client.example.com/done' }
    const ends = [made(), failed(), made(), failed(), made(), failed(), made(), failed()]
    for (const [number, end] of ends.entries()) {
      studio.alpha.willCheck(end, end)
      const { look } = await submitted(studio, payer, {}, number % 4 < 2 ? {} : told)
      await studio.house.step()
      await studio.house.step()
      expect((await look()).state).toBe(end.kind)
    }
  })
})
