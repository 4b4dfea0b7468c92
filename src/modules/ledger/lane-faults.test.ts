/** The real lane on a database whose connections break while they are used. */
import process from 'node:process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CommitUnknown, NotSent } from '#platform/postgres/errors.ts'
import { createLedger, type Ledger } from './index.ts'
import {
  clock,
  createLedgerFixture,
  extensionOf,
  holdOf,
  type LedgerFixture,
  releaseOf,
  settle,
  settleOf,
  type TestNode,
} from './ledger.fixture.ts'

const SCALE = Number(process.env.LEDGER_RACE_SCALE ?? 1)

let fixture: LedgerFixture
let nodes: readonly [TestNode, TestNode]

beforeAll(async () => {
  fixture = await createLedgerFixture()
  nodes = [await fixture.addNode(), await fixture.addNode()]
})
afterAll(() => fixture.close())

/** Breaks the connections of every lane, whatever they are doing. */
async function breakLanes(): Promise<void> {
  await fixture.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'ledger-test-lane' and datname = current_database()`,
  )
}

test(
  'connections that die under load lose no charge and double none',
  async () => {
    const payer = await fixture.addPayer(1_000_000_000n)
    const total = 3_000 * SCALE
    let calls = 0
    let charged = 0n
    let served = 0

    const oneCall = async ({ id, ledger }: TestNode, n: number) => {
      const hold = holdOf(payer, id, [100n])
      const taken = await ledger.hold(hold).catch(isUnavailable)
      if (taken?.outcome !== 'held') return
      const more = await ledger
        .extend(extensionOf(payer, hold.id, taken.windowDay, 150n))
        .catch(isUnavailable)
      const amount = more?.outcome === 'held' ? 150n : 100n
      if (n % 5 === 0) {
        await ledger.release(releaseOf(payer, hold.id))
        return
      }
      const settled = await settle(ledger, payer, hold.id, amount - 1n)
      expect(settled).toMatchObject({ chargedNanoUsd: amount - 1n, lostNanoUsd: 0n })
      charged += settled.chargedNanoUsd
      served += 1
    }
    const client = async (node: TestNode) => {
      while (calls < total) {
        calls += 1
        if (calls % 150 === 0) await breakLanes()
        await oneCall(node, calls)
      }
    }
    await Promise.all(Array.from({ length: 32 }, (_, n) => client(n % 2 === 0 ? nodes[0] : nodes[1])))
    await Promise.all(nodes.map(node => node.ledger.drained()))

    expect(nodes[0].lane.stats().reconnects).toBeGreaterThan(5)
    expect(served).toBeGreaterThan(total / 2)
    expect(await nodes[0].ledger.balance(payer.account)).toEqual({
      balanceNanoUsd: 1_000_000_000n - charged,
      heldNanoUsd: 0n,
    })
    const rows = await fixture.sql<{ settles: bigint; calls: bigint }>(
      `select count(*) as settles, count(distinct id) as calls from ledger_entry
       where workspace_id = $1 and kind = 'settle'`,
      [payer.account.workspaceId],
    )
    expect(rows[0]).toEqual({ settles: BigInt(served), calls: BigInt(served) })
    expect(await nodes[0].ledger.audit()).toEqual([])
  },
  60_000 * SCALE,
)

/** A hold or an extension may be refused while the database is away; an end may not. */
function isUnavailable(error: unknown): undefined {
  expect(error).toMatchObject({ code: 'database_unavailable' })
}

/** A ledger whose late charges fail as told, in turn, before or after they are committed. */
function ledgerWithLateFaults(faults: ('before' | 'after')[]): Ledger {
  const { database } = fixture
  const query: typeof database.query = async (name, text, values) => {
    const fault = name === 'ledger_charge_late' ? faults.shift() : undefined
    if (fault === 'before') throw new NotSent('lost')
    const answer = await database.query<never>(name, text, values)
    if (fault === 'after') throw new CommitUnknown('lost')
    return answer
  }
  return createLedger([nodes[0].lane], { ...database, query }, clock)
}

test('a late charge whose answer is lost is asked again and charged once', async () => {
  const payer = await fixture.addPayer(1_000n)
  const hold = holdOf(payer, nodes[0].id, [100n])
  await nodes[0].ledger.hold(hold)
  await nodes[1].ledger.release(releaseOf(payer, hold.id))
  const ledger = ledgerWithLateFaults(['before', 'after', 'after'])
  const settling = ledger.settle(settleOf(payer, hold.id, 80n), payer.keyId, payer.subjects)
  await ledger.drained()
  expect(await settling).toMatchObject({ chargedNanoUsd: 80n, availableNanoUsd: 920n })
  expect(await ledger.balance(payer.account)).toMatchObject({ balanceNanoUsd: 920n })
  expect(await ledger.audit([payer.account.workspaceId])).toEqual([])
})

test('drained waits for late charges too', async () => {
  const payer = await fixture.addPayer(1_000n)
  const hold = holdOf(payer, nodes[0].id, [100n])
  await nodes[0].ledger.hold(hold)
  await nodes[1].ledger.release(releaseOf(payer, hold.id))
  const ledger = ledgerWithLateFaults(['before', 'before'])
  const settling = ledger.settle(settleOf(payer, hold.id, 80n), payer.keyId, payer.subjects)
  await ledger.drained()
  expect(await ledger.balance(payer.account)).toMatchObject({ balanceNanoUsd: 920n })
  await settling
})
