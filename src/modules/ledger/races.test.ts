/** Two nodes, one database: what must hold whoever comes first. Sizes: README.md. */
import process from 'node:process'
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
  releaseOf,
  settle,
  type TestNode,
} from './ledger.fixture.ts'

/** How often the fixed amounts of work below are done; more for a long run. */
const SCALE = Number(process.env.LEDGER_RACE_SCALE ?? 1)
const TIMEOUT_MS = 120_000 * SCALE

let fixture: LedgerFixture
let nodes: readonly [TestNode, TestNode]

beforeAll(async () => {
  fixture = await createLedgerFixture()
  nodes = [await fixture.addNode(), await fixture.addNode()]
})
afterAll(() => fixture.close())

const nodeOf = (n: number): TestNode => (n % 2 === 0 ? nodes[0] : nodes[1])

async function expectWhole(): Promise<void> {
  expect(await nodes[0].ledger.audit()).toEqual([])
  expect(fixture.refusedStates).toEqual([])
}

/** So many clients at once, each doing its work again and again until it says stop. */
async function clients(
  count: number,
  work: (client: number, turn: number) => Promise<boolean>,
): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async (_, client) => {
      for (let turn = 0; await work(client, turn); turn += 1);
    }),
  )
}

test.each(['key', 'workspace'] as const)(
  '64 clients on two nodes against a %s cap that fits exactly 1,000 calls get exactly 1,000',
  async scope => {
    const payer = await fixture.addPayer(1_000_000_000n)
    const scopeId = scope === 'key' ? payer.keyId : payer.account.workspaceId
    await fixture.setCaps(payer.account, scope, scopeId, { daily: 7_000n, monthly: 9_000n })
    let tries = 0
    let admitted = 0
    await clients(64, async client => {
      tries += 1
      const { id, ledger } = nodeOf(client)
      const hold = holdOf(payer, id, [7n])
      const { outcome } = await ledger.hold(hold)
      if (outcome === 'held') {
        admitted += 1
        if (tries % 3 === 0) expect((await settle(ledger, payer, hold.id, 7n)).chargedNanoUsd).toBe(7n)
      } else {
        expect(outcome).toBe('refused')
      }
      return tries < 3_200 * SCALE
    })
    expect(tries).toBeGreaterThanOrEqual(3_000)
    expect(admitted).toBe(1_000)
    await expectWhole()
  },
  TIMEOUT_MS,
)

test(
  'one dollar under 500 parallel calls never goes below zero, and every nano-dollar is accounted for',
  async () => {
    const dollar = 1_000_000_000n
    const payer = await fixture.addPayer(dollar)
    let charged = 0n
    let refused = 0
    await Promise.all(
      Array.from({ length: 500 * SCALE }, async (_, n) => {
        const { id, ledger } = nodeOf(n)
        const hold = holdOf(payer, id, [3_333_333n + BigInt(n)])
        const held = await ledger.hold(hold)
        if (held.outcome !== 'held') {
          refused += 1
          return
        }
        if (n % 7 === 0) {
          await ledger.release(releaseOf(payer, hold.id))
          return
        }
        const settled = await settle(nodeOf(n + 1).ledger, payer, hold.id, 2_999_999n + BigInt(n))
        charged += settled.chargedNanoUsd
        expect(settled.availableNanoUsd).toBeGreaterThanOrEqual(0n)
      }),
    )
    expect(refused).toBeGreaterThan(0)
    expect(await nodes[0].ledger.balance(payer.account)).toEqual({
      balanceNanoUsd: dollar - charged,
      heldNanoUsd: 0n,
    })
    await expectWhole()
  },
  TIMEOUT_MS,
)

test(
  '20 streams held in steps on a balance that covers their cost and one step each are all served',
  async () => {
    const streams = 20
    const step = 1_000n
    const steps = 10n
    const bound = 400_000n
    const payer = await fixture.addPayer(BigInt(streams) * (steps * step + step))
    await Promise.all(
      Array.from({ length: streams }, async (_, n) => {
        const { id, ledger } = nodeOf(n)
        const hold = holdOf(payer, id, [bound, step], { headroom: 16 })
        const first = held(await ledger.hold(hold))
        expect(first.amountNanoUsd).toBe(step)
        for (let done = 1n; done <= steps; done += 1n) {
          const total = (done + 1n) * step
          const more = await ledger.extend(extensionOf(payer, hold.id, first.windowDay, total))
          expect(held(more).amountNanoUsd).toBe(total)
        }
        const settled = await settle(ledger, payer, hold.id, steps * step)
        expect(settled).toMatchObject({ chargedNanoUsd: steps * step, lostNanoUsd: 0n })
      }),
    )
    await expectWhole()
  },
  TIMEOUT_MS,
)

function held(outcome: HoldOutcome) {
  if (outcome.outcome !== 'held') throw new Error(`not held: ${outcome.outcome}`)
  return outcome
}

/** A call that a node thinks its own and that the others think orphaned. */
async function orphanedCall(payer: Payer, amount: bigint): Promise<{ id: Uuid; owner: Uuid }> {
  const owner = await fixture.registerNode()
  const hold = holdOf(payer, owner, [amount])
  held(await nodes[0].ledger.hold(hold))
  await fixture.killNode(owner)
  return { id: hold.id, owner }
}

const sweep = (ledger: Ledger) => ledger.releaseOrphans({ deadAfterMs: 20_000 })

test(
  'an owner that settles while others sweep is charged once, whoever wins',
  async () => {
    const payer = await fixture.addPayer(1_000_000n)
    const rounds = 60 * SCALE
    let sweptFirst = 0
    for (let round = 0; round < rounds; round += 1) {
      const { id } = await orphanedCall(payer, 100n)
      const settling = () => settle(nodes[0].ledger, payer, id, 60n)
      const sweeping = () => sweep(nodes[1].ledger)
      const [settled, swept] =
        round % 2 === 0
          ? await Promise.all([settling(), sweeping()])
          : await Promise.all([sweeping(), settling()]).then(([a, b]) => [b, a] as const)
      sweptFirst += swept
      expect(settled).toMatchObject({ chargedNanoUsd: 60n, lostNanoUsd: 0n })
      expect(await settling()).toMatchObject({ chargedNanoUsd: 60n })
      expect(await nodes[1].ledger.receipt(payer.account, id)).toMatchObject({
        chargeNanoUsd: 60n,
        heldNanoUsd: 100n,
        outcome: 'succeeded',
      })
    }
    const { balanceNanoUsd } = await nodes[0].ledger.balance(payer.account)
    expect(balanceNanoUsd).toBe(1_000_000n - BigInt(rounds) * 60n)
    expect(sweptFirst).toBeLessThanOrEqual(rounds)
    await expectWhole()
  },
  TIMEOUT_MS,
)

test('a settle before the sweep leaves nothing to sweep, and one after it charges late, within the hold', async () => {
  const payer = await fixture.addPayer(1_000n)
  const early = await orphanedCall(payer, 100n)
  await settle(nodes[0].ledger, payer, early.id, 60n)
  expect(await sweep(nodes[1].ledger)).toBe(0)

  const late = await orphanedCall(payer, 100n)
  expect(await sweep(nodes[1].ledger)).toBe(1)
  expect(await nodes[1].ledger.receipt(payer.account, late.id)).toMatchObject({ outcome: 'node_died' })
  expect(await settle(nodes[0].ledger, payer, late.id, 160n)).toEqual({
    chargedNanoUsd: 100n,
    lostNanoUsd: 60n,
    availableNanoUsd: 840n,
  })
  await expectWhole()
})

test(
  'two settles of one call at once, of one node or of two, charge it once',
  async () => {
    const payer = await fixture.addPayer(100_000n)
    for (let round = 0; round < 30 * SCALE; round += 1) {
      const hold = holdOf(payer, nodes[0].id, [100n])
      const [first, second] = round % 2 === 0 ? [nodes[0], nodes[0]] : nodes
      held(await first.ledger.hold(hold))
      const settled = await Promise.all([
        // Keeps the lane busy, so that the two that follow share a statement.
        first.ledger.tryHold(holdOf(payer, nodes[0].id, [1n])).then(() => undefined),
        first.ledger.hold(holdOf(payer, nodes[0].id, [1n])).then(() => undefined),
        settle(first.ledger, payer, hold.id, 70n),
        settle(second.ledger, payer, hold.id, 70n),
      ])
      expect(settled.slice(2).map(each => each?.chargedNanoUsd)).toEqual([70n, 70n])
    }
    const { balanceNanoUsd } = await nodes[0].ledger.balance(payer.account)
    expect(balanceNanoUsd).toBe(100_000n - BigInt(30 * SCALE) * 70n)
    await expectWhole()
  },
  TIMEOUT_MS,
)

test(
  'two nodes that sweep at once release every orphan exactly once',
  async () => {
    const owner = await fixture.registerNode()
    const payers = await Promise.all(Array.from({ length: 12 }, () => fixture.addPayer(1_000_000n)))
    const orphans = 1_300 * SCALE
    const holds = Array.from({ length: orphans }, (_, n) => {
      const payer = payers[n % payers.length]
      if (!payer) throw new Error('no payer')
      return holdOf(payer, owner, [5n])
    })
    await nodes[0].ledger.holdMany(holds)
    await fixture.killNode(owner)
    let released = 0
    while (released < orphans) {
      const found = await Promise.all(nodes.map(node => sweep(node.ledger)))
      expect(found.some(count => count > 0)).toBe(true)
      for (const count of found) released += count
    }
    expect(released).toBe(orphans)
    expect(await sweep(nodes[0].ledger)).toBe(0)
    await expectWhole()
  },
  TIMEOUT_MS,
)

test(
  'a mixed load with sweepers, grants, cap changes and an auditor meets no deadlock, loses nothing and is whole at every moment',
  async () => {
    const payers = await Promise.all(
      Array.from({ length: 24 }, (_, n) => fixture.addPayer(50_000n, n % 2 === 0 ? 'live' : 'test')),
    )
    const doomed = await fixture.registerNode()
    await fixture.killNode(doomed)
    const total = 6_000 * SCALE
    const mix = mixer(payers, doomed)
    let calls = 0
    const isRunning = () => calls < total
    await Promise.all([
      clients(64, async client => {
        calls += 1
        await mix.call(nodeOf(client), calls)
        return isRunning()
      }),
      clients(2, async node => {
        await sweep(nodeOf(node).ledger)
        return isRunning()
      }),
      clients(2, async (_, turn) => {
        await mix.change(turn)
        return isRunning()
      }),
      clients(1, async () => {
        expect(await nodes[1].ledger.audit(payers.map(payer => payer.account.workspaceId))).toEqual([])
        return isRunning()
      }),
    ])
    await sweep(nodes[0].ledger)
    expect(calls).toBeGreaterThanOrEqual(total)
    await expectWhole()
  },
  TIMEOUT_MS,
)

/** Calls of every kind, spread over the payers; every ninth belongs to a node that is taken for dead. */
function mixer(payers: readonly Payer[], doomed: Uuid) {
  const payerOf = (n: number): Payer => {
    const payer = payers[(n * 7) % payers.length]
    if (!payer) throw new Error('no payer')
    return payer
  }
  return {
    async call({ id, ledger }: TestNode, n: number): Promise<void> {
      const payer = payerOf(n)
      const hold = holdOf(payer, n % 9 === 0 ? doomed : id, [900n, 300n], { headroom: 4 })
      const taken = await ledger.hold(hold)
      if (taken.outcome !== 'held') return
      if (n % 3 === 0) await ledger.extend(extensionOf(payer, hold.id, taken.windowDay, 1_000n))
      if (n % 5 === 0) await ledger.release(releaseOf(payer, hold.id))
      else await settle(ledger, payer, hold.id, BigInt(n % 400))
    },
    async change(turn: number): Promise<void> {
      const payer = payerOf(turn)
      const daily = turn % 3 === 0 ? undefined : BigInt(turn % 2_000) * 100n
      const scope = turn % 2 === 0 ? 'key' : 'workspace'
      const scopeId = scope === 'key' ? payer.keyId : payer.account.workspaceId
      await fixture.setCaps(payer.account, scope, scopeId, { daily })
      await nodeOf(turn).ledger.grant(payer.account, ids.next(), 777n, 'a gift')
    },
  }
}
