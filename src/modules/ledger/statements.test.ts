/** What ledger_apply and its kin answer to what is unusual, asked through the ledger's door. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Uuid } from '#spec/ids.ts'
import type { HoldOutcome, Ledger } from './index.ts'
import {
  createLedgerFixture,
  extensionOf,
  holdOf,
  ids,
  type LedgerFixture,
  type Payer,
  settle,
  settleOf,
  TERMS,
  type TestNode,
} from './ledger.fixture.ts'

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

test('a hold of an account that does not exist fails alone, and a quote for it fails too', async () => {
  const payer = await fixture.addPayer(1_000n)
  const nobody: Payer = { ...payer, account: { workspaceId: ids.next(), mode: 'live' } }
  const [first, broken, second, end] = await Promise.allSettled([
    ledger.hold(holdOf(payer, node.id, [10n])),
    ledger.hold(holdOf(nobody, node.id, [10n])),
    ledger.hold(holdOf(payer, node.id, [10n])),
    settle(ledger, payer, ids.next(), 10n),
  ])
  expect([first.status, broken.status, second.status, end.status]).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ])
  expect(await failure(ledger.tryHold(holdOf(nobody, node.id, [10n])))).toMatchObject({ code: 'P0002' })
  expect(await failure(ledger.grant(nobody.account, ids.next(), 5n, ''))).toMatchObject({ code: 'P0002' })
  expect(await failure(settle(ledger, nobody, ids.next(), 5n))).toMatchObject({ code: 'P0002' })
  expect(await auditOf(payer)).toEqual([])
})

test.each([
  ['no amount', []],
  ['nothing', [0n]],
  ['less than nothing', [10n, -1n]],
  ['more than fits a bigint', [2n ** 63n]],
])('a hold of %s fails alone, and its neighbours are held', async (_, amounts) => {
  const payer = await fixture.addPayer(1_000n)
  const asked = [[10n], amounts, [10n], [10n]].map(each => ledger.hold(holdOf(payer, node.id, each)))
  const results = await Promise.allSettled(asked)
  expect(results.map(each => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(await ledger.balance(payer.account)).toMatchObject({ heldNanoUsd: 30n })
  expect(await auditOf(payer)).toEqual([])
})

test('a hold that does not count for its key and its workspace is refused as a mistake', async () => {
  const payer = await fixture.addPayer(1_000n)
  const ofOther = (await fixture.addPayer(1_000n)).subjects
  for (const subjects of [[], payer.subjects.slice(0, 1), payer.subjects.slice(1), ofOther]) {
    const hold = holdOf({ ...payer, subjects }, node.id, [10n])
    expect(await failure(ledger.hold(hold))).toMatchObject({ code: '22023' })
  }
  expect(await ledger.balance(payer.account)).toMatchObject({ heldNanoUsd: 0n })
})

test('amounts near the end of a bigint neither overflow nor pass a limit', async () => {
  const huge = 2n ** 62n
  const payer = await fixture.addPayer(huge)
  await fixture.setCaps(payer.account, 'key', payer.keyId, { daily: huge, monthly: 2n ** 63n - 1n })
  const outcome = await ledger.hold(
    holdOf(payer, node.id, [2n ** 63n - 1n, huge + 1n], { headroom: 2_000_000_000 }),
  )
  expect(outcome).toMatchObject({
    outcome: 'refused',
    refusals: [
      { code: 'key_daily_cap', limitNanoUsd: huge, neededNanoUsd: huge + 1n },
      { code: 'insufficient_credits', limitNanoUsd: huge, neededNanoUsd: huge + 1n },
    ],
  })
  const hold = holdOf(payer, node.id, [huge], { headroom: 2_000_000_000 })
  expect(held(await ledger.hold(hold))).toMatchObject({ amountNanoUsd: huge, availableNanoUsd: 0n })
  const settled = await settle(ledger, payer, hold.id, 2n ** 63n - 1n)
  expect(settled).toMatchObject({ chargedNanoUsd: huge, lostNanoUsd: 2n ** 63n - 1n - huge })
  expect(await auditOf(payer)).toEqual([])
})

test('a larger amount is taken only while so many such holds would fit, the last as soon as it fits once', async () => {
  const payer = await fixture.addPayer(400n)
  const take = (amounts: bigint[], headroom: number) =>
    ledger.hold(holdOf(payer, node.id, amounts, { headroom })).then(outcome => held(outcome).amountNanoUsd)
  expect(await take([101n, 7n], 4)).toBe(7n)
  expect(await take([98n, 7n], 4)).toBe(98n)
  expect(await take([74n, 295n], 4)).toBe(295n)
  expect(await ledger.hold(holdOf(payer, node.id, [2n, 1n]))).toMatchObject({ outcome: 'refused' })
})

test('an unknown key, a key of another workspace or mode and a revoked one are refused alike, an expired one as such', async () => {
  const payer = await fixture.addPayer(1_000n)
  const other = await fixture.addPayer(1_000n)
  const inTest = await fixture.addKey({ ...payer.account, mode: 'test' })
  const [, ofWorkspace] = payer.subjects
  if (!ofWorkspace) throw new Error('no subjects')
  const asking = (keyId: Uuid) => {
    const subjects = [{ scope: 'key' as const, id: keyId }, ofWorkspace]
    return ledger.hold(holdOf({ ...payer, keyId, subjects }, node.id, [10n]))
  }
  // The first travels alone; all others share a statement, in which the other workspace uses its key rightly.
  const outcomes = await Promise.all([
    asking(payer.keyId),
    ledger.hold(holdOf(other, node.id, [10n])),
    asking(other.keyId),
    asking(inTest.keyId),
    asking(ids.next()),
  ])
  expect(outcomes.map(each => each.outcome)).toEqual([
    'held',
    'held',
    'key_revoked',
    'key_revoked',
    'key_revoked',
  ])

  await fixture.sql('update api_key set revoked_at = now() where id = $1', [payer.keyId])
  await fixture.sql('update api_key set expires_at = now() where id = $1', [other.keyId])
  expect((await asking(payer.keyId)).outcome).toBe('key_revoked')
  expect((await ledger.hold(holdOf(other, node.id, [10n]))).outcome).toBe('key_expired')
})

test('a refusal lists every limit in the way, in the order of the error table, with its figures', async () => {
  const payer = await fixture.addPayer(100n)
  const workspaceId = payer.account.workspaceId
  const spent = holdOf(payer, node.id, [20n])
  held(await ledger.hold(spent))
  await settle(ledger, payer, spent.id, 15n)
  held(await ledger.hold(holdOf(payer, node.id, [5n])))
  await fixture.setCaps(payer.account, 'key', payer.keyId, { daily: 30n, monthly: 10n })
  await fixture.setCaps(payer.account, 'workspace', workspaceId, { daily: 0n, monthly: 60n })
  const refused = await ledger.hold(holdOf(payer, node.id, [500n, 90n]))
  const day = Date.parse(`${await today()}T00:00:00Z`)
  const resetsAt = new Date(day + 86_400_000)
  const monthResetsAt = new Date(Date.UTC(new Date(day).getUTCFullYear(), new Date(day).getUTCMonth() + 1, 1))
  const figures = { usedNanoUsd: 15n, heldNanoUsd: 5n, neededNanoUsd: 90n }
  expect(refused).toEqual({
    outcome: 'refused',
    availableNanoUsd: 80n,
    refusals: [
      { code: 'key_daily_cap', limitNanoUsd: 30n, resetsAt, ...figures },
      { code: 'key_monthly_cap', limitNanoUsd: 10n, resetsAt: monthResetsAt, ...figures },
      { code: 'workspace_daily_cap', limitNanoUsd: 0n, resetsAt, ...figures },
      { code: 'workspace_monthly_cap', limitNanoUsd: 60n, resetsAt: monthResetsAt, ...figures },
      { code: 'insufficient_credits', limitNanoUsd: 85n, resetsAt: undefined, ...figures, usedNanoUsd: 0n },
    ],
  })
  expect(await ledger.tryHold(holdOf(payer, node.id, [500n, 90n]))).toEqual(refused)
})

test('a quote writes nothing', async () => {
  const payer = await fixture.addPayer(100n)
  expect(held(await ledger.tryHold(holdOf(payer, node.id, [60n])))).toMatchObject({ amountNanoUsd: 60n })
  expect(await ledger.balance(payer.account)).toEqual({ balanceNanoUsd: 100n, heldNanoUsd: 0n })
  expect(
    await fixture.sql('select from cap_month where workspace_id = $1', [payer.account.workspaceId]),
  ).toEqual([])
})

test.each([
  ['alone', 1],
  ['among others', 3],
])(
  'what a provider calls itself, however broken the text, never keeps a call from being settled: %s',
  async (_, count) => {
    const payer = await fixture.addPayer(1_000n)
    const terms = { ...TERMS, requestedModel: 'a\0b\ud800"\\,{NULL}' }
    const holds = Array.from({ length: count }, () => holdOf(payer, node.id, [10n], { terms }))
    for (const outcome of await ledger.holdMany(holds))
      expect(outcome).toMatchObject({ value: { outcome: 'held' } })
    await Promise.all(
      holds.map(hold => {
        const end = settleOf(payer, hold.id, 5n)
        const usage = {
          ...end.usage,
          upstreamModel: 'x\0y\n"\\',
          provider: undefined,
          latencyMs: 12.7,
          firstByteMs: 3.2,
        }
        return ledger.settle({ ...end, usage }, payer.keyId, payer.subjects)
      }),
    )
    for (const { id } of holds) {
      expect(await ledger.receipt(payer.account, id)).toMatchObject({
        requestedModel: 'ab\ufffd"\\,{NULL}',
        upstreamModel: 'xy\n"\\',
        provider: undefined,
        latencyMs: 13,
        firstByteMs: 3,
        chargeNanoUsd: 5n,
      })
    }
  },
)

test.each([
  ['alone', 1],
  ['among others', 3],
])('a hold counts for every subject it names, from its creation to its end: %s', async (_, count) => {
  const payer = await fixture.addPayer(10_000n)
  const member = { scope: 'member' as const, id: ids.next() }
  const group = { scope: 'group' as const, id: ids.next() }
  const inGroup: Payer = { ...payer, subjects: [group, ...payer.subjects, member] }
  await fixture.setCaps(payer.account, 'member', member.id, { daily: 100n * BigInt(count) })
  const holds = Array.from({ length: count }, () => holdOf(inGroup, node.id, [60n]))
  await ledger.holdMany(holds)
  const windowDay = await today()
  const extend = (subjects: Payer['subjects'], total: bigint) =>
    Promise.all(
      holds.map(({ id }) => ledger.extend(extensionOf({ ...payer, subjects }, id, windowDay, total))),
    )
  for (const outcome of await extend(inGroup.subjects, 100n)) expect(outcome.outcome).toBe('held')
  for (const outcome of await extend(inGroup.subjects, 101n)) expect(outcome.outcome).toBe('refused')
  expect(await failure(extend(payer.subjects, 102n))).toMatchObject({ code: '22023' })
  expect(await ledger.hold(holdOf(inGroup, node.id, [1n]))).toMatchObject({
    outcome: 'refused',
    refusals: [{ limitNanoUsd: 100n * BigInt(count), heldNanoUsd: 100n * BigInt(count), neededNanoUsd: 1n }],
  })
  expect(await auditOf(payer)).toEqual([])

  await Promise.all(holds.map(({ id }) => settle(ledger, inGroup, id, 70n)))
  const counted = await fixture.sql<{ scope: string; used: bigint; held: bigint }>(
    `select scope::text, used_nano_usd as used, held_nano_usd as held from cap_month where workspace_id = $1 order by 1`,
    [payer.account.workspaceId],
  )
  const used = 70n * BigInt(count)
  expect(counted).toEqual(['group', 'key', 'member', 'workspace'].map(scope => ({ scope, used, held: 0n })))
  expect(await auditOf(payer)).toEqual([])
})

test('one hold that cannot be released keeps no other open', async () => {
  const owner = await fixture.registerNode()
  const payer = await fixture.addPayer(1_000n)
  const holds = [1, 2, 3].map(() => holdOf(payer, owner, [10n]))
  await ledger.holdMany(holds)
  const [, broken] = holds
  if (!broken) throw new Error('no hold')
  await fixture.sql(`insert into ledger_event values ($1, 'hold:' || $2::uuid, 'released', 0)`, [
    payer.account.workspaceId,
    broken.id,
  ])
  await fixture.killNode(owner)
  expect(await ledger.releaseOrphans({ deadAfterMs: 20_000 })).toBe(2)
  expect(await ledger.balance(payer.account)).toMatchObject({ heldNanoUsd: 10n })
  const found = await auditOf(payer)
  expect(found).toContainEqual(expect.objectContaining({ invariant: 'hold-ends-once', subject: broken.id }))
  await fixture.sql('delete from ledger_event where workspace_id = $1 and event_key = $2', [
    payer.account.workspaceId,
    `hold:${broken.id}`,
  ])
  expect(await ledger.releaseOrphans({ deadAfterMs: 20_000 })).toBe(1)
})

test('a hold without an owner outlives every node', async () => {
  const payer = await fixture.addPayer(1_000n)
  const hold = holdOf(payer, node.id, [10n])
  held(await ledger.hold(hold))
  await fixture.sql('update hold set owner = null, deadline = null where id = $1', [hold.id])
  await ledger.releaseOrphans({ deadAfterMs: 0, allInline: true })
  expect(await ledger.balance(payer.account)).toEqual({ balanceNanoUsd: 1_000n, heldNanoUsd: 10n })
  expect(await settle(ledger, payer, hold.id, 10n)).toMatchObject({ chargedNanoUsd: 10n })
})

test('the last line: no statement whatever leaves an account with less than it holds, or changes an entry', async () => {
  const payer = await fixture.addPayer(100n)
  held(await ledger.hold(holdOf(payer, node.id, [60n])))
  const workspaceId = payer.account.workspaceId
  const spend = fixture.sql('update account set balance_nano_usd = 59 where workspace_id = $1', [workspaceId])
  expect(await failure(spend)).toMatchObject({ code: '23514', constraint: 'balance_covers_holds' })
  const rewrite = fixture.sql('update ledger_entry set amount_nano_usd = 1 where workspace_id = $1', [
    workspaceId,
  ])
  expect(String(await failure(rewrite))).toContain('never changed or deleted')
  const erase = fixture.sql('delete from ledger_entry where workspace_id = $1', [workspaceId])
  expect(String(await failure(erase))).toContain('never changed or deleted')
})

test('a grant counts once, and house keeping from two nodes at once is safe', async () => {
  const payer = await fixture.addPayer(0n)
  const grantId = ids.next()
  const balances = await Promise.all(
    Array.from({ length: 8 }, () => ledger.grant(payer.account, grantId, 500n, 'a gift')),
  )
  expect(new Set(balances)).toEqual(new Set([500n]))
  const names = await fixture.sql<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits
     where inhparent in ('ledger_entry'::regclass, 'usage'::regclass) and inhrelid::regclass::text like '%\\_20%'
     order by 1 desc limit 1`,
  )
  await fixture.sql(`drop table ${names[0]?.name}`)
  await Promise.all([ledger.keepHouse(), ledger.keepHouse(), ledger.keepHouse()])
  expect(await fixture.sql('select to_regclass($1) is not null as exists', [names[0]?.name])).toEqual([
    { exists: true },
  ])
  expect(await auditOf(payer)).toEqual([])
})
