/** The audit finds every kind of damage by the name of what it broke, and nothing where nothing is broken. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Uuid } from '#spec/ids.ts'
import { CHECKS } from './index.ts'
import {
  createLedgerFixture,
  extensionOf,
  holdOf,
  ids,
  type LedgerFixture,
  type Payer,
  releaseOf,
  settle,
  settleOf,
  type TestNode,
} from './ledger.fixture.ts'

let fixture: LedgerFixture
let node: TestNode

beforeAll(async () => {
  fixture = await createLedgerFixture()
  node = await fixture.addNode()
  // So that the audit is asked what these constraints would have refused.
  await fixture.sql(
    'alter table account drop constraint balance_covers_holds, drop constraint account_held_nano_usd_check',
  )
})
afterAll(() => fixture.close())

/** A workspace in which everything has happened that may happen to a call. */
interface Busy {
  readonly payer: Payer
  readonly sibling: Payer
  readonly settled: Uuid
  readonly released: Uuid
  readonly late: Uuid
  readonly lossy: Uuid
  readonly open: Uuid
  readonly free: Uuid
}

async function take(payer: Payer, amount: bigint): Promise<Uuid> {
  const hold = holdOf(payer, node.id, [amount])
  expect((await node.ledger.hold(hold)).outcome).toBe('held')
  return hold.id
}

async function busyWorkspace(): Promise<Busy> {
  const { ledger } = node
  const payer = await fixture.addPayer(10_000n)
  const sibling = await fixture.addKey(payer.account)
  const [settled, released, late, lossy, idle, ofSibling, open] = await Promise.all([
    take(payer, 100n),
    take(payer, 100n),
    take(payer, 100n),
    take(payer, 100n),
    take(payer, 50n),
    take(sibling, 70n),
    take(payer, 30n),
  ])
  await settle(ledger, payer, settled, 60n)
  await ledger.release(releaseOf(payer, released))
  await ledger.release(releaseOf(payer, late))
  await settle(ledger, payer, late, 40n)
  await settle(ledger, payer, lossy, 150n)
  await settle(ledger, payer, idle, 0n)
  await settle(ledger, sibling, ofSibling, 70n)
  const free = ids.next()
  await ledger.recordFreeUsage(settleOf(payer, free, 0n), payer.keyId)
  return { payer, sibling, settled, released, late, lossy, open, free }
}

const auditOf = (payer: Payer) => node.ledger.audit([payer.account.workspaceId])

test('a workspace in which everything happened that may happen is whole', async () => {
  const { payer } = await busyWorkspace()
  expect(await auditOf(payer)).toEqual([])
})

/** Makes all that is dated by a window older, as if the holds had been taken so many days ago. */
async function ageWindows({ account }: Payer, days: number): Promise<void> {
  const set = [account.workspaceId, days]
  await fixture.sql(`delete from cap_window where workspace_id = $1 and period = 'month'`, [
    account.workspaceId,
  ])
  await fixture.sql('update cap_window set starts_on = starts_on - $2::int where workspace_id = $1', set)
  await fixture.sql('update hold set window_day = window_day - $2::int where workspace_id = $1', set)
  await fixture.sql(
    `insert into cap_window select workspace_id, mode, scope, scope_id, 'month', date_trunc('month', starts_on)::date,
       sum(used_nano_usd), sum(held_nano_usd)
     from cap_window where workspace_id = $1 group by 1, 2, 3, 4, 6`,
    [account.workspaceId],
  )
}

test.each([1, 35])('midnight and the end of a month (%d days) pass without a false alarm', async days => {
  const { ledger } = node
  const { payer, sibling, open } = await busyWorkspace()
  const swept = await take(payer, 80n)
  await ageWindows(payer, days)
  expect(await auditOf(payer)).toEqual([])

  const today = await take(sibling, 25n)
  const rows = await fixture.sql<{ day: string }>('select window_day as day from hold where id = $1', [open])
  await ledger.extend(extensionOf(payer, open, rows[0]?.day ?? '', 90n))
  expect(await auditOf(payer)).toEqual([])
  await settle(ledger, payer, open, 85n)
  // Released in the windows of its day, charged in those of today.
  await ledger.release(releaseOf(payer, swept))
  await settle(ledger, payer, swept, 95n)
  await settle(ledger, sibling, today, 25n)
  await ledger.grant(payer.account, ids.next(), 5n, 'a gift')
  expect(await auditOf(payer)).toEqual([])
})

test('a free answer that is kept, and a settled one, are no alarm', async () => {
  const { payer, settled, free } = await busyWorkspace()
  await fixture.sql(KEPT_ANSWER, [payer.account.workspaceId, settled])
  await fixture.sql(KEPT_ANSWER, [payer.account.workspaceId, free])
  expect(await auditOf(payer)).toEqual([])
})

const KEPT_ANSWER = `
  insert into idempotency (workspace_id, mode, route, key_digest, body_digest, request_id, owner, state)
  values ($1, 'live', 'chat', uuid_send($2), uuid_send($2), $2, $2, 'done')`

type Damage = readonly [
  what: string,
  invariant: string,
  statement: string,
  values: (busy: Busy) => readonly unknown[],
]

const workspaceOf = ({ payer }: Busy) => payer.account.workspaceId
const just = (busy: Busy) => [workspaceOf(busy)]
const and = (call: keyof Busy) => (busy: Busy) => [workspaceOf(busy), busy[call]]

const DAMAGES: readonly Damage[] = [
  [
    'a balance off by one',
    'balance-is-sum-of-entries',
    `update account set balance_nano_usd = balance_nano_usd + 1 where workspace_id = $1 and mode = 'live'`,
    just,
  ],
  [
    'an account that is gone',
    'balance-is-sum-of-entries',
    `delete from account where workspace_id = $1 and mode = 'live'`,
    just,
  ],
  [
    'a lost entry',
    'balance-is-sum-of-entries',
    'delete from ledger_entry where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'held off by one',
    'held-is-sum-of-holds',
    `update account set held_nano_usd = held_nano_usd + 1 where workspace_id = $1 and mode = 'live'`,
    just,
  ],
  [
    'a lost hold',
    'held-is-sum-of-holds',
    'delete from hold where workspace_id = $1 and id = $2',
    and('open'),
  ],
  [
    'less than is held',
    'nothing-below-zero',
    `update account set balance_nano_usd = 29 where workspace_id = $1 and mode = 'live'`,
    just,
  ],
  [
    'less than nothing held',
    'nothing-below-zero',
    `update account set held_nano_usd = -1 where workspace_id = $1 and mode = 'test'`,
    just,
  ],
  [
    'a hold without an account',
    'hold-belongs-to-an-account',
    `delete from account where workspace_id = $1 and mode = 'live'`,
    just,
  ],
  [
    'a hold open and ended',
    'hold-ends-once',
    `insert into ledger_event values ($1, 'hold:' || $2::uuid, 'settled', 0)`,
    and('open'),
  ],
  [
    'a hold past its deadline',
    'no-hold-is-overdue',
    `update hold set deadline = now() - interval '61 seconds' where workspace_id = $1 and id = $2`,
    and('open'),
  ],
  [
    'a hold of a dead node',
    'no-hold-is-overdue',
    `update hold set owner = id, created_at = now() - interval '61 seconds' where workspace_id = $1 and id = $2`,
    and('open'),
  ],
  [
    'a window that holds too much',
    'window-held-is-sum-of-holds',
    `update cap_window set held_nano_usd = held_nano_usd + 1 where workspace_id = $1 and scope = 'key' and period = 'day' and held_nano_usd > 0`,
    just,
  ],
  [
    'a window that is gone',
    'window-held-is-sum-of-holds',
    `delete from cap_window where workspace_id = $1 and scope = 'workspace' and period = 'month'`,
    just,
  ],
  [
    'a day that drifted',
    'month-is-sum-of-days',
    `update cap_window set used_nano_usd = used_nano_usd + 1 where workspace_id = $1 and scope = 'key' and period = 'day'`,
    just,
  ],
  [
    'a month that drifted',
    'month-is-sum-of-days',
    `update cap_window set used_nano_usd = used_nano_usd - 1 where workspace_id = $1 and scope = 'workspace' and period = 'month'`,
    just,
  ],
  [
    'a key that drifted from its workspace',
    'workspace-is-sum-of-keys',
    `update cap_window set used_nano_usd = used_nano_usd + 1 where workspace_id = $1 and scope_id = $2`,
    ({ payer }) => [payer.account.workspaceId, payer.keyId],
  ],
  [
    'a charge counted for another key',
    'key-is-sum-of-receipts',
    `update cap_window set used_nano_usd = used_nano_usd + case scope_id when $2 then 5 else -5 end where workspace_id = $1 and scope = 'key'`,
    ({ payer }) => [payer.account.workspaceId, payer.keyId],
  ],
  [
    'windows that drifted together',
    'windows-are-sum-of-charges',
    `update cap_window set used_nano_usd = used_nano_usd + 5 where workspace_id = $1 and (scope = 'workspace' or scope_id = $2)`,
    ({ payer }) => [payer.account.workspaceId, payer.keyId],
  ],
  [
    'a doubled entry',
    'entry-has-its-event',
    `insert into ledger_entry select workspace_id, mode, id, kind, debit, credit, amount_nano_usd, note, created_at + interval '1 microsecond' from ledger_entry where workspace_id = $1 and id = $2`,
    and('settled'),
  ],
  [
    'a doubled late charge',
    'entry-has-its-event',
    `insert into ledger_entry select workspace_id, mode, id, kind, debit, credit, amount_nano_usd, note, created_at + interval '1 microsecond' from ledger_entry where workspace_id = $1 and id = $2`,
    and('late'),
  ],
  [
    'a doubled loss',
    'entry-has-its-event',
    `insert into ledger_entry select workspace_id, mode, id, kind, debit, credit, amount_nano_usd, note, created_at + interval '1 microsecond' from ledger_entry where workspace_id = $1 and id = $2 and kind = 'operator_loss'`,
    and('lossy'),
  ],
  [
    'an entry without its event',
    'entry-has-its-event',
    `delete from ledger_event where workspace_id = $1 and event_key = 'hold:' || $2::uuid`,
    and('settled'),
  ],
  [
    'an entry of another amount',
    'entry-has-its-event',
    'update ledger_entry set amount_nano_usd = 59 where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'a charge without its entry',
    'event-has-its-entry',
    'delete from ledger_entry where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'a grant without its entry',
    'event-has-its-entry',
    `insert into ledger_event values ($1, 'grant:' || $2::uuid, 'granted', 5)`,
    and('free'),
  ],
  [
    'an event of a kind to come, not named by an id',
    'event-has-its-entry',
    `insert into ledger_event values ($1, 'topup:pi_3Nx', 'paid', 5)`,
    just,
  ],
  [
    'a receipt above the charge',
    'receipt-equals-charge',
    'update usage set charge_nano_usd = 61 where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'a late receipt below the charge',
    'receipt-equals-charge',
    'update usage set charge_nano_usd = 0 where workspace_id = $1 and id = $2',
    and('late'),
  ],
  [
    'a charge without a receipt',
    'receipt-equals-charge',
    'delete from usage where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'a released call without a receipt',
    'receipt-equals-charge',
    'delete from usage where workspace_id = $1 and id = $2',
    and('released'),
  ],
  [
    'a second receipt',
    'receipt-equals-charge',
    `insert into usage select (jsonb_populate_record(u, jsonb_build_object('created_at', u.created_at + interval '1 second'))).* from usage u where workspace_id = $1 and id = $2`,
    and('released'),
  ],
  [
    'a charge above its hold',
    'settled-within-hold',
    'update usage set held_nano_usd = 59 where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'a free call that was charged',
    'settled-within-hold',
    'update usage set charge_nano_usd = 1 where workspace_id = $1 and id = $2',
    and('free'),
  ],
  [
    'a release that charged',
    'release-charges-nothing',
    `update ledger_event set amount_nano_usd = 5 where workspace_id = $1 and event_key = 'hold:' || $2::uuid`,
    and('released'),
  ],
  [
    'a failed call that was charged',
    'release-charges-nothing',
    `update usage set outcome = 'timed_out' where workspace_id = $1 and id = $2`,
    and('settled'),
  ],
  [
    'an entry outside its month',
    'no-row-outside-its-month',
    `insert into ledger_entry values ($1, 'live', $2, 'adjustment', 'clearing', 'revenue', 1, null, '2200-01-01')`,
    and('free'),
  ],
  [
    'a usage row outside its month',
    'no-row-outside-its-month',
    `insert into usage select (jsonb_populate_record(u, '{"created_at": "2200-01-01"}')).* from usage u where workspace_id = $1 and id = $2`,
    and('free'),
  ],
  [
    'an answer called done of a call that was released',
    'answer-belongs-to-a-settled-call',
    KEPT_ANSWER,
    and('released'),
  ],
  [
    'an answer called done of a call that is still held',
    'answer-belongs-to-a-settled-call',
    KEPT_ANSWER,
    and('open'),
  ],
  [
    'an answer called done of a call that never was',
    'answer-belongs-to-a-settled-call',
    KEPT_ANSWER,
    busy => [workspaceOf(busy), ids.next()],
  ],
]

test.each(DAMAGES)('%s is found: %s', async (_, invariant, statement, values) => {
  const busy = await busyWorkspace()
  const damaged = await fixture.database.transaction(async tx => {
    // Without triggers and foreign keys, as only a superuser's hand or a broken disk could.
    await tx.query('', 'set local session_replication_role = replica')
    return tx.query('', statement, values(busy))
  })
  expect(damaged.rowCount).toBeGreaterThan(0)
  const found = await auditOf(busy.payer)
  expect(found.map(violation => violation.invariant)).toContain(invariant)
  for (const violation of found) expect(violation.workspaceId).toBe(workspaceOf(busy))
})

test('every invariant has a damage that shows it', () => {
  const shown = new Set(DAMAGES.map(([, invariant]) => invariant))
  expect(CHECKS.map(check => check.invariant).filter(invariant => !shown.has(invariant))).toEqual([])
})

test('the damage of one workspace is not told of another', async () => {
  const [broken, whole] = await Promise.all([busyWorkspace(), busyWorkspace()])
  await fixture.sql('update account set balance_nano_usd = 1 where workspace_id = $1', just(broken))
  expect(await auditOf(whole.payer)).toEqual([])
})

test('the live auditor sees a workspace whose money moved since it last looked', async () => {
  const { payer } = await busyWorkspace()
  await node.ledger.auditMoved()
  await fixture.sql(`update account set balance_nano_usd = balance_nano_usd + 1 where workspace_id = $1`, [
    payer.account.workspaceId,
  ])
  await node.ledger.grant(payer.account, ids.next(), 5n, 'a gift')
  const found = await node.ledger.auditMoved()
  const here = found.filter(violation => violation.workspaceId === payer.account.workspaceId)
  expect(here.map(violation => violation.invariant)).toContain('balance-is-sum-of-entries')
})
