/** The audit finds every kind of damage by the name of what it broke, and nothing where nothing is broken. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Uuid } from '#spec/ids.ts'
import { type Busy, DAMAGES, just, KEPT_ANSWER, TASK, workspaceOf } from './audit-damages.fixture.ts'
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
  await fixture.sql('alter table account drop constraint balance_covers_holds')
})
afterAll(() => fixture.close())

async function take(payer: Payer, amount: bigint): Promise<Uuid> {
  const hold = holdOf(payer, node.id, [amount])
  expect((await node.ledger.hold(hold)).outcome).toBe('held')
  return hold.id
}

/** Writes a task whose hold or receipt is there already, as the gateway writes it in the same statement. */
async function writeTask(payer: Payer, id: Uuid, state: string, held: bigint, charged = 0n): Promise<void> {
  await fixture.sql(TASK, [payer.account.workspaceId, id, payer.keyId, state, held, charged])
}

async function taskHold(payer: Payer, amount: bigint): Promise<Uuid> {
  const hold = { ...holdOf(payer, node.id, [amount]), owner: undefined, lifetimeMs: undefined }
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
  const [running, made, failed] = await Promise.all([
    taskHold(payer, 90n),
    taskHold(payer, 80n),
    taskHold(payer, 80n),
  ])
  const gift = ids.next()
  await writeTask(payer, running, 'running', 90n)
  await settle(ledger, payer, made, 75n)
  await writeTask(payer, made, 'succeeded', 80n, 75n)
  await ledger.release(releaseOf(payer, failed))
  await writeTask(payer, failed, 'failed', 80n)
  await ledger.recordFreeUsage(settleOf(payer, gift, 0n), payer.keyId)
  await writeTask(payer, gift, 'succeeded', 0n)
  return { payer, sibling, settled, released, late, lossy, open, free, running, made, failed, gift }
}

const auditOf = (payer: Payer) => node.ledger.audit([payer.account.workspaceId])

test('a workspace in which everything happened that may happen is whole', async () => {
  const { payer } = await busyWorkspace()
  expect(await auditOf(payer)).toEqual([])
})

test.each([1, 35])('midnight and the end of a month (%d days) pass without a false alarm', async days => {
  const { ledger } = node
  const { payer, sibling, open } = await busyWorkspace()
  const swept = await take(payer, 80n)
  await fixture.ageWindows([payer.account.workspaceId], days)
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

test('a free answer that is kept, a settled one, and the answer to a task whatever it came to, are no alarm', async () => {
  const { payer, settled, free, running, failed } = await busyWorkspace()
  await fixture.sql(KEPT_ANSWER, [payer.account.workspaceId, running])
  await fixture.sql(KEPT_ANSWER, [payer.account.workspaceId, failed])
  await fixture.sql(KEPT_ANSWER, [payer.account.workspaceId, settled])
  await fixture.sql(KEPT_ANSWER, [payer.account.workspaceId, free])
  expect(await auditOf(payer)).toEqual([])
})

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

test('the live auditor stops between two checks where it is told to', async () => {
  await busyWorkspace()
  const stop = new AbortController()
  const auditing = node.ledger.auditMoved(undefined, stop.signal)
  stop.abort()
  await expect(auditing).rejects.toThrow(stop.signal.reason)
})

test('the live auditor sees a workspace whose money moved since it last looked', async () => {
  const { payer } = await busyWorkspace()
  const { until } = await node.ledger.auditMoved(undefined)
  await fixture.sql(`update account set balance_nano_usd = balance_nano_usd + 1 where workspace_id = $1`, [
    payer.account.workspaceId,
  ])
  await node.ledger.grant(payer.account, ids.next(), 5n, 'a gift')
  const { violations } = await node.ledger.auditMoved(until)
  const here = violations.filter(violation => violation.workspaceId === payer.account.workspaceId)
  expect(here.map(violation => violation.invariant)).toContain('balance-is-sum-of-entries')
})
