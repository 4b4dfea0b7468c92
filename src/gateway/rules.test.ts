/** What holds for every call, whatever the provider, the client and the money do. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Receipt } from '#spec/receipt.ts'
import type { Payer, PlainCall, StreamedCall } from '#testing/payer.ts'
import { fail, finish, hang, run, type Step, say, send, used } from '#testing/scripted-provider.ts'
import { TestClock } from '#testing/test-clock.ts'
import type { House } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'

const world = worldOfFile()

interface Story {
  readonly way: 'ask' | 'stream'
  readonly stopsBillingOnAbort: boolean
  readonly ignoresAbort: boolean
  readonly keyed: boolean
  /** For how many output tokens there is money. */
  readonly affordable: number
  readonly maxOutputTokens: number | undefined
  readonly choices: number
  /** Bytes of each delta, delta by delta in one read, read by read. */
  readonly reads: readonly (readonly number[])[]
  readonly ending: 'finish' | 'fail' | 'hang'
  readonly usage: 'exact' | 'none' | 'huge'
  /** After which read the client leaves, or the gateway stops; never where there are fewer. */
  readonly leavesAfter: number
  readonly stopsAfter: number
}

const stories: fc.Arbitrary<Story> = fc.record({
  way: fc.constantFrom('ask', 'stream'),
  stopsBillingOnAbort: fc.boolean(),
  ignoresAbort: fc.boolean(),
  keyed: fc.boolean(),
  affordable: fc.integer({ min: 1, max: 1_500 }),
  maxOutputTokens: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined, freq: 3 }),
  choices: fc.integer({ min: 1, max: 3 }),
  reads: fc.array(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 30 }), {
    maxLength: 12,
  }),
  ending: fc.constantFrom('finish', 'finish', 'fail', 'hang'),
  usage: fc.constantFrom('exact', 'none', 'huge'),
  leavesAfter: fc.integer({ min: 0, max: 40 }),
  stopsAfter: fc.integer({ min: 0, max: 40 }),
})

/** Each choice says its own letters, so that what was delivered can be told from what was not. */
function stepsOf(story: Story, events: { leave: () => void; stop: () => void }): Step[] {
  let delta = 0
  const deltaOf = (bytes: number) => {
    const choice = delta++ % story.choices
    return say(String.fromCharCode(97 + (delta % 26)).repeat(bytes), choice)
  }
  const steps = story.reads.flatMap((read, n) => [
    send(...read.map(deltaOf)),
    run(() => {
      if (n === story.leavesAfter) events.leave()
      if (n === story.stopsAfter) events.stop()
    }),
  ])
  return [...steps, ...endOf(story, events)]
}

function endOf(story: Story, { leave }: { leave: () => void }): Step[] {
  if (story.ending === 'fail') return [fail('interrupted')]
  if (story.ending === 'hang') return story.ignoresAbort ? [fail('timeout')] : [run(leave), run(leave), hang]
  const tokens = Math.ceil(story.reads.flat().reduce((sum, bytes) => sum + bytes, 0) / 4)
  const usage = { exact: [used(5, tokens)], none: [], huge: [used(1_000_000, 1_000_000)] }[story.usage]
  return [...Array.from({ length: story.choices }, (_, choice) => finish('stop', choice)), ...usage]
}

interface Told {
  readonly house: House
  readonly payer: Payer
  readonly asking: PlainCall | StreamedCall
  readonly failure: unknown
}

async function tell(story: Story): Promise<Told> {
  const { stopsBillingOnAbort, ignoresAbort, choices, maxOutputTokens } = story
  const clock = new TestClock()
  const house = world.open({ clock, providers: [{ id: 'alpha', stopsBillingOnAbort, ignoresAbort }] })
  const payer = await house.payer({ balanceNanoUsd: 0n })
  const fields = { choices, maxOutputTokens }
  await payer.grant(payer.boundNanoUsd(story.affordable, fields))
  const asking = await payer[story.way](fields, story.keyed ? { idempotencyKey: 'once' } : {})
  const leave = () => ('reply' in asking ? asking.reply.leave() : asking.call.abort())
  house.provider().will(...stepsOf(story, { leave, stop: house.stop }))
  // A client that has gone from a provider that hangs: the drain ends it.
  if (story.ending === 'hang' && !story.ignoresAbort)
    house
      .provider()
      .called()
      .then(() => setTimeout(house.stop, 5))
  const failure = await clock
    .drive<unknown>('done' in asking ? asking.done : asking.answer)
    .then(() => undefined)
    .catch((error: unknown) => error ?? 'failed')
  return { house, payer, asking, failure }
}

function checkMoney(receipt: Receipt, spent: bigint, granted: bigint): void {
  expect(receipt.chargeNanoUsd).toBe(spent)
  expect(receipt.chargeNanoUsd).toBeLessThanOrEqual(receipt.heldNanoUsd)
  expect(receipt.heldNanoUsd).toBeLessThanOrEqual(granted)
  const isCharged = ['succeeded', 'cut_by_limit', 'client_left'].includes(receipt.outcome)
  if (!isCharged) expect(receipt.chargeNanoUsd).toBe(0n)
}

/** What the client has is the beginning of what the provider said, answer by answer; whole where it was told so. */
function checkDelivery({ house, asking }: Told): void {
  if (!('reply' in asking)) return
  const { texts, finishes, end, error } = asking.reply.received
  const sent = new Map<number, string>()
  for (const part of house.provider().calls[0]?.sent ?? []) {
    if (part.type === 'text-delta') sent.set(part.choice, (sent.get(part.choice) ?? '') + part.text)
  }
  for (const [choice, text] of texts) expect(sent.get(choice)?.startsWith(text)).toBe(true)
  if (end && !end.cut) {
    for (const [choice, text] of sent) expect(texts.get(choice)).toBe(text)
    expect(finishes.size).toBeGreaterThan(0)
  }
  if (error) expect(end).toBeUndefined()
}

test('every call: what is delivered is a beginning of what was said, charge ≤ hold ≤ money, and it ends once', async () => {
  await fc.assert(
    fc.asyncProperty(stories, async story => {
      const told = await tell(story)
      const { house, payer, asking, failure } = told
      checkDelivery(told)
      const wasRefused = house.refused.length === 1
      expect(house.ended.length + house.refused.length).toBe(1)
      if (wasRefused) expect(failure).toMatchObject({ code: 'insufficient_credits' })
      const granted = payer.boundNanoUsd(story.affordable, { choices: story.choices })
      if (wasRefused) expect(await payer.spent()).toBe(0n)
      else checkMoney(await payer.receipt(asking.call), await payer.spent(), granted)
      expect(await payer.money()).toMatchObject({ heldNanoUsd: 0n })
    }),
    { numRuns: 120 },
  )
  expect(await world.audit()).toEqual([])
}, 30_000)
