/** The same call asked again, at once, late or on another day: what counts in which windows, and how often. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HoldOutcome, Ledger } from './index.ts'
import {
  createLedgerFixture,
  extensionOf,
  holdOf,
  type LedgerFixture,
  type Payer,
  releaseOf,
  settle,
  settleOf,
  type TestNode,
} from './ledger.fixture.ts'
import { chargeLate } from './store.pg.ts'

let fixture: LedgerFixture
let node: TestNode
let ledger: Ledger

beforeAll(async () => {
  fixture = await createLedgerFixture()
  node = await fixture.addNode()
  ledger = node.ledger
})
afterAll(() => fixture.close())

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

function held(outcome: HoldOutcome) {
  if (outcome.outcome !== 'held') throw new Error(`not held: ${outcome.outcome}`)
  return outcome
}

async function today(): Promise<string> {
  const rows = await fixture.sql<{ day: string }>(`select (now() at time zone 'utc')::date as day`)
  return rows[0]?.day ?? ''
}

const auditOf = (...payers: Payer[]) => ledger.audit(payers.map(payer => payer.account.workspaceId))

/** Makes an open hold, and the windows it counts in, so many days older. The payer has no other holds or charges. */
async function ageHold(payer: Payer, days: number): Promise<string> {
  const { workspaceId } = payer.account
  await fixture.ageWindows([workspaceId], days)
  const rows = await fixture.sql<{ day: string }>(
    'select window_day as day from hold where workspace_id = $1',
    [workspaceId],
  )
  return rows[0]?.day ?? ''
}

interface WindowRow {
  readonly period: string
  readonly starts_on: string
  readonly used_nano_usd: bigint
  readonly held_nano_usd: bigint
}

async function keyWindows(payer: Payer): Promise<(string | bigint)[][]> {
  const rows = await fixture.sql<WindowRow>(
    `select period, starts_on, used_nano_usd, held_nano_usd from cap_window
     where scope_id = $1 order by period, starts_on`,
    [payer.keyId],
  )
  return rows.map(row => [row.period, row.starts_on, row.used_nano_usd, row.held_nano_usd])
}

test.each([1, 40])(
  'a hold of %d days ago is extended against that day and settles there, while today has its own windows',
  async days => {
    const payer = await fixture.addPayer(1_000n)
    await fixture.setCaps(payer.account, 'key', payer.keyId, { daily: 100n })
    const old = holdOf(payer, node.id, [60n])
    held(await ledger.hold(old))
    const day = await ageHold(payer, days)
    const now = await today()
    // The old day has 40 left; today has 100, of which the first takes 80.
    const [first, tooMuch, extended, second] = await Promise.all([
      ledger.hold(holdOf(payer, node.id, [80n])),
      ledger.extend(extensionOf(payer, old.id, day, 101n)),
      ledger.extend(extensionOf(payer, old.id, day, 90n)),
      ledger.hold(holdOf(payer, node.id, [20n])),
    ])
    expect([first, extended, second].map(outcome => held(outcome).windowDay)).toEqual([now, day, now])
    expect(tooMuch).toMatchObject({
      outcome: 'refused',
      refusals: [{ code: 'key_daily_cap', heldNanoUsd: 60n }],
    })
    await settle(ledger, payer, old.id, 70n)
    const month = (of: string) => `${of.slice(0, 7)}-01`
    const sameMonth = month(day) === month(now)
    expect(await keyWindows(payer)).toEqual([
      ['day', day, 70n, 0n],
      ['day', now, 0n, 100n],
      ...(sameMonth
        ? [['month', month(now), 70n, 100n]]
        : [
            ['month', month(day), 70n, 0n],
            ['month', month(now), 0n, 100n],
          ]),
    ])
    expect(await auditOf(payer)).toEqual([])
  },
)

test('a hold of today and an extension of yesterday share their month: together they never pass its cap', async () => {
  const payer = await fixture.addPayer(10_000n)
  const old = holdOf(payer, node.id, [10n])
  held(await ledger.hold(old))
  // A day of the same month that is not today, which the first of a month does not have in its past.
  const days = (await today()).endsWith('-01') ? -1 : 1
  const day = await ageHold(payer, days)
  await fixture.setCaps(payer.account, 'key', payer.keyId, { monthly: 100n })
  const outcomes = await Promise.all([
    ledger.hold(holdOf(payer, node.id, [10n])),
    ledger.hold(holdOf(payer, node.id, [50n])),
    ledger.extend(extensionOf(payer, old.id, day, 60n)),
    ledger.extend(extensionOf(payer, old.id, day, 40n)),
  ])
  expect(outcomes.map(each => each.outcome)).toEqual(['held', 'held', 'refused', 'held'])
  expect((await keyWindows(payer)).at(-1)?.slice(2)).toEqual([0n, 100n])
  expect(await auditOf(payer)).toEqual([])
})

test('holds and extensions of one call in one batch count once each', async () => {
  const payer = await fixture.addPayer(1_000n)
  const day = await today()
  const hold = holdOf(payer, node.id, [10n])
  const outcomes = await Promise.all([
    ledger.hold(holdOf(payer, node.id, [1n])),
    ledger.hold(hold),
    ledger.hold(hold),
    ledger.extend(extensionOf(payer, hold.id, day, 30n)),
    ledger.extend(extensionOf(payer, hold.id, day, 20n)),
    ledger.extend(extensionOf(payer, hold.id, day, 50n)),
  ])
  expect(outcomes.map(each => held(each).amountNanoUsd)).toEqual([1n, 10n, 10n, 30n, 30n, 50n])
  expect(await ledger.balance(payer.account)).toMatchObject({ heldNanoUsd: 51n })
  expect(await auditOf(payer)).toEqual([])
})

test('ends of one call in one batch charge once, and the others are told so', async () => {
  const payer = await fixture.addPayer(1_000n)
  const hold = holdOf(payer, node.id, [100n])
  held(await ledger.hold(hold))
  const ends = await Promise.all([
    ledger.hold(holdOf(payer, node.id, [1n])),
    settle(ledger, payer, hold.id, 70n),
    settle(ledger, payer, hold.id, 70n),
    ledger.release(releaseOf(payer, hold.id)),
  ])
  expect(ends.slice(1)).toMatchObject([
    { chargedNanoUsd: 70n, lostNanoUsd: 0n },
    { chargedNanoUsd: 70n, lostNanoUsd: 0n },
    { outcome: 'already_settled', chargedNanoUsd: 70n },
  ])
  expect(await ledger.balance(payer.account)).toMatchObject({ balanceNanoUsd: 930n })
  expect(await auditOf(payer)).toEqual([])
})

test('an extension that was already made is held whatever the caps have become, and a larger one is not', async () => {
  const payer = await fixture.addPayer(1_000n)
  const hold = holdOf(payer, node.id, [100n])
  const { windowDay } = held(await ledger.hold(hold))
  await fixture.setCaps(payer.account, 'key', payer.keyId, { daily: 50n })
  expect(held(await ledger.extend(extensionOf(payer, hold.id, windowDay, 100n))).amountNanoUsd).toBe(100n)
  expect((await ledger.extend(extensionOf(payer, hold.id, windowDay, 101n))).outcome).toBe('refused')
  expect(await settle(ledger, payer, hold.id, 100n)).toMatchObject({ chargedNanoUsd: 100n })
})

test('an extension that names other windows than its hold is refused as a mistake', async () => {
  const payer = await fixture.addPayer(1_000n)
  const sibling = await fixture.addKey(payer.account)
  const hold = holdOf(payer, node.id, [10n])
  const { windowDay } = held(await ledger.hold(hold))
  expect(await failure(ledger.extend(extensionOf(payer, hold.id, '2026-01-01', 20n)))).toMatchObject({
    code: '22023',
  })
  expect(await failure(ledger.extend(extensionOf(sibling, hold.id, windowDay, 20n)))).toMatchObject({
    code: '22023',
  })
  const inTest = { ...payer, account: { ...payer.account, mode: 'test' as const } }
  expect(await failure(ledger.extend(extensionOf(inTest, hold.id, windowDay, 20n)))).toMatchObject({
    code: '22023',
  })
  expect(await ledger.release(releaseOf(inTest, hold.id))).toMatchObject({ outcome: 'unknown' })
  expect(await auditOf(payer)).toEqual([])
})

test('a hold that comes late, after its call has ended, is not taken again', async () => {
  const payer = await fixture.addPayer(1_000n)
  const hold = holdOf(payer, node.id, [10n])
  held(await ledger.hold(hold))
  await ledger.release(releaseOf(payer, hold.id))
  expect((await ledger.hold(hold)).outcome).toBe('no_hold')
  expect(await ledger.balance(payer.account)).toMatchObject({ heldNanoUsd: 0n })
})

test('a hold asked again after midnight still names the day it counts in', async () => {
  const payer = await fixture.addPayer(1_000n)
  const hold = holdOf(payer, node.id, [10n])
  held(await ledger.hold(hold))
  const day = await ageHold(payer, 1)
  expect(held(await ledger.hold(hold)).windowDay).toBe(day)
})

test('a call that was charged without a hold is never held, and never charged a second time', async () => {
  const payer = await fixture.addPayer(1_000n)
  const hold = holdOf(payer, node.id, [100n])
  expect(await settle(ledger, payer, hold.id, 40n)).toMatchObject({ chargedNanoUsd: 40n })
  expect((await ledger.hold(hold)).outcome).toBe('no_hold')
  expect(await settle(ledger, payer, hold.id, 40n)).toMatchObject({ chargedNanoUsd: 40n })
  expect(await ledger.balance(payer.account)).toEqual({ balanceNanoUsd: 960n, heldNanoUsd: 0n })
  expect(await auditOf(payer)).toEqual([])
})

test('nothing is charged late while the hold is open', async () => {
  const payer = await fixture.addPayer(1_000n)
  const hold = holdOf(payer, node.id, [100n])
  held(await ledger.hold(hold))
  const charging = chargeLate(fixture.database, settleOf(payer, hold.id, 40n), payer.keyId, payer.subjects)
  await expect(charging).rejects.toMatchObject({ code: '22023' })
  expect(await settle(ledger, payer, hold.id, 40n)).toMatchObject({ chargedNanoUsd: 40n })
  expect(await auditOf(payer)).toEqual([])
})

test('the end of a hold says what becomes of its Idempotency-Key, whoever ends it', async () => {
  const payer = await fixture.addPayer(1_000n)
  const { workspaceId, mode } = payer.account
  const answered = async (owner: TestNode['id']) => {
    const request = holdOf(payer, owner, [100n])
    held(await ledger.hold(request))
    await fixture.sql(
      `insert into idempotency (workspace_id, mode, route, key_digest, body_digest, request_id, owner, state)
       values ($1, $2, '/chat/completions', sha256($3::uuid::text::bytea), ''::bytea, $3, $4, 'answered')`,
      [workspaceId, mode, request.id, owner],
    )
    return request.id
  }
  const stateOf = async (id: string) => {
    const rows = await fixture.sql<{ state: string }>('select state from idempotency where request_id = $1', [
      id,
    ])
    return rows[0]?.state
  }
  const settled = await answered(node.id)
  const released = await answered(node.id)
  const dead = await fixture.registerNode()
  const orphaned = await answered(dead)

  await ledger.settle({ ...settleOf(payer, settled, 10n), idempotent: true }, payer.keyId, payer.subjects)
  await ledger.release({ ...releaseOf(payer, released), idempotent: true })
  await fixture.killNode(dead)
  await ledger.releaseOrphans({ deadAfterMs: 20_000 })

  expect(await stateOf(settled)).toBe('done')
  expect(await stateOf(released)).toBeUndefined()
  expect(await stateOf(orphaned)).toBeUndefined()
})
