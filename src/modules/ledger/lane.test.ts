import { expect, test } from 'vitest'
import type { CapSubject } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Clock } from '#spec/ports.ts'
import { FakeDatabase } from './fake-database.fixture.ts'
import { MoneyLane } from './lane.ts'
import type { EndRequest, HoldRequest } from './operations.ts'

const WORKSPACE = '0190f000-0000-7000-8000-000000000001' as Uuid
const KEY = '0190f000-0000-7000-8000-000000000002' as Uuid
const account = { workspaceId: WORKSPACE, mode: 'live' as const }
const subjects: readonly CapSubject[] = [
  { scope: 'key', id: KEY },
  { scope: 'workspace', id: WORKSPACE },
]
const terms = {
  operation: 'chat',
  dialect: 'openai',
  requestedModel: 'm',
  model: 'm',
  tier: 'starter',
  markupBasisPoints: 0,
  streamed: false,
}
const LIMITS = { batchItems: 4, endPatienceMs: 30_000, holdPatienceMs: 2_000 }

const idOf = (n: number) => `0190f000-0000-7000-8000-${String(n).padStart(12, '0')}` as Uuid
const hold = (n: number, amount = 10n) => ({
  kind: 'hold' as const,
  request: {
    id: idOf(n),
    account,
    keyId: KEY,
    subjects,
    amountsNanoUsd: [amount],
    headroom: 1,
    owner: KEY,
    lifetimeMs: 1000,
    terms,
  } satisfies HoldRequest,
})
const end = (n: number, charge = 5n): EndRequest => ({
  id: idOf(n),
  account,
  endedAs: 'settled',
  chargeNanoUsd: charge,
  usage: {
    ...terms,
    provider: 'p',
    upstreamModel: 'u',
    lines: [],
    costNanoUsd: 0n,
    outcome: 'succeeded',
    estimated: false,
    latencyMs: 1,
    firstByteMs: undefined,
  },
  idempotent: false,
})

/** Sleeping takes no time but passes it. */
function testClock(): Clock & { nowMs(): number } {
  let now = 0
  return {
    nowMs: () => now,
    monotonicMs: () => now,
    async sleep(delayMs) {
      now += delayMs
    },
  }
}

/** A gate that holds every statement until it is opened. */
function closedGate(database: FakeDatabase): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  database.gate = promise
  return () => {
    database.gate = Promise.resolve()
    resolve()
  }
}

function makeLane(limits = LIMITS) {
  const database = new FakeDatabase()
  const clock = testClock()
  return { database, clock, lane: new MoneyLane(database, clock, limits) }
}

test('an idle lane sends at once, and what gathers meanwhile shares the next statement', async () => {
  const { database, lane } = makeLane()
  const open = closedGate(database)
  const answers = [lane.hold(hold(1)), lane.hold(hold(2)), lane.end(end(1)), lane.hold(hold(3))]
  expect(database.sent).toEqual([{ ends: [], holds: ['1'] }])
  open()
  const outcomes = await Promise.all(answers)
  expect(outcomes.map(each => each.outcome)).toEqual(['held', 'held', 'settled', 'held'])
  expect(database.sent).toEqual([
    { ends: [], holds: ['1'] },
    { ends: ['1'], holds: ['2', '3'] },
  ])
})

test('a statement carries at most so many of each kind, in the order they came, and never two fly at once', async () => {
  const { database, lane } = makeLane()
  const open = closedGate(database)
  const answers = Array.from({ length: 10 }, (_, n) => lane.hold(hold(n)))
  open()
  await Promise.all(answers)
  expect(database.sent.map(statement => statement.holds)).toEqual([
    ['0'],
    ['1', '2', '3', '4'],
    ['5', '6', '7', '8'],
    ['9'],
  ])
  expect(Math.max(...database.statementsInFlight)).toBe(1)
})

test('one poisoned item fails alone; its neighbours, of both kinds, are answered', async () => {
  const { database, lane } = makeLane({ ...LIMITS, batchItems: 128 })
  const open = closedGate(database)
  database.fault = statement =>
    [...statement.ends, ...statement.holds].some(name => name === '7' || name === '25')
      ? { kind: 'statement', committed: false }
      : undefined
  const held = Array.from({ length: 20 }, (_, n) => lane.hold(hold(n)))
  const ended = Array.from({ length: 10 }, (_, n) => lane.end(end(20 + n)))
  open()
  const results = await Promise.allSettled([...held, ...ended])
  const failed = results.flatMap((result, n) => (result.status === 'rejected' ? [n] : []))
  expect(failed).toEqual([7, 25])
  expect(database.open.size).toBe(19)
})

test.each([true, false])(
  'after a lost answer (committed: %s) everything is sent again, and nothing is lost or doubled',
  async committed => {
    const { database, lane } = makeLane()
    await Promise.all([lane.hold(hold(1)), lane.hold(hold(2))])
    database.fault = (_, number) =>
      number >= 3 && number <= 5 ? { kind: 'commit-unknown', committed } : undefined
    const [settled, held] = await Promise.all([lane.end(end(1, 7n)), lane.hold(hold(3))])
    expect(settled.chargedNanoUsd).toBe(7n)
    expect(settled.outcome).toBe(committed ? 'already_settled' : 'settled')
    expect(held).toMatchObject({ outcome: 'held', amountNanoUsd: 10n })
    expect([...database.open.keys()]).toEqual([idOf(2), idOf(3)])
    expect(database.ended.size).toBe(1)
    await lane.drained()
  },
)

test('while the database is away holds are refused after their patience, and ends are kept until it is back', async () => {
  const { database, clock, lane } = makeLane()
  await lane.hold(hold(1))
  let isAway = true
  database.fault = () => (isAway ? { kind: 'not-sent', committed: false } : undefined)
  const settling = lane.end(end(1))
  const first = lane.hold(hold(2))
  const refused = await first.catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(GatewayError)
  expect(refused).toMatchObject({ code: 'database_unavailable', retryAfterSeconds: 1 })
  expect(clock.nowMs()).toBeGreaterThanOrEqual(LIMITS.holdPatienceMs)
  expect(clock.nowMs()).toBeLessThan(LIMITS.holdPatienceMs + 200)
  isAway = false
  expect((await settling).outcome).toBe('settled')
  expect(database.open.size).toBe(0)
})

test("a hold that waits behind an end that cannot be sent is refused after its own patience, not after the end's", async () => {
  const { database, clock, lane } = makeLane()
  await lane.hold(hold(1))
  database.fault = () => ({ kind: 'not-sent', committed: false })
  const settling = lane.end(end(1)).catch((error: unknown) => error)
  const refused = await lane.hold(hold(2)).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'database_unavailable' })
  expect(clock.nowMs()).toBeLessThan(LIMITS.holdPatienceMs + 200)
  expect(await settling).toMatchObject({ code: 'database_unavailable' })
  expect(clock.nowMs()).toBeGreaterThanOrEqual(LIMITS.endPatienceMs)
})

test('an end that may have been committed and cannot be looked up is unknown, never "nothing was charged"', async () => {
  const { database, lane } = makeLane()
  await lane.hold(hold(1))
  database.fault = (_, number) =>
    number === 2 ? { kind: 'commit-unknown', committed: true } : { kind: 'not-sent', committed: false }
  await expect(lane.end(end(1))).rejects.toMatchObject({ code: 'outcome_unknown', retry: 'unknown' })
})

test('a hold whose answer was lost and whose caller was refused is given back as soon as the database is there', async () => {
  const { database, lane } = makeLane()
  let isAway = true
  database.fault = (_, number) => {
    if (number === 1) return { kind: 'commit-unknown', committed: true }
    return isAway ? { kind: 'not-sent', committed: false } : undefined
  }
  await expect(lane.hold(hold(1))).rejects.toMatchObject({ code: 'database_unavailable' })
  expect(database.open.size).toBe(1)
  isAway = false
  await lane.drained()
  expect(database.open.size).toBe(0)
  expect(database.ended.get(idOf(1))?.as).toBe('released')
})

test('a deadlock or lock time-out is tried again with the same batch', async () => {
  const { database, lane } = makeLane()
  database.fault = (_, number) => (number <= 3 ? { kind: 'retryable', committed: false } : undefined)
  expect((await lane.hold(hold(1))).outcome).toBe('held')
  expect(database.sent).toHaveLength(4)
})

test('drained resolves at once when idle, and otherwise only after the last answer', async () => {
  const { database, lane } = makeLane()
  await lane.drained()
  const open = closedGate(database)
  let answered = 0
  const count = () => {
    answered += 1
  }
  void lane.hold(hold(1)).then(count)
  void lane.hold(hold(2)).then(count)
  expect(lane.depth).toBe(2)
  const drained = lane.drained().then(() => answered)
  open()
  expect(await drained).toBe(2)
  expect(lane.depth).toBe(0)
})

test('a call that is among the holds of a statement already waits for the next one, and keeps its turn', async () => {
  const { database, lane } = makeLane()
  const open = closedGate(database)
  const { subjects: counted, keyId, account: payer } = hold(2).request
  const extension = {
    id: idOf(2),
    account: payer,
    keyId,
    subjects: counted,
    windowDay: '2026-01-01',
    amountNanoUsd: 30n,
  }
  const answers = [
    lane.hold(hold(1)),
    lane.hold(hold(2)),
    lane.hold(hold(3)),
    lane.hold({ kind: 'extend', request: extension }),
    lane.hold(hold(4)),
  ]
  open()
  const outcomes = await Promise.all(answers)
  expect(outcomes[3]).toMatchObject({ outcome: 'held', amountNanoUsd: 30n })
  expect(database.sent.map(statement => statement.holds)).toEqual([['1'], ['2', '3'], ['2', '4']])
})
