import process from 'node:process'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLedgerFixture, type LedgerFixture, type TestNode } from './ledger.fixture.ts'
import {
  Alone,
  DaysPass,
  Grant,
  SetCaps,
  SetKey,
  SweepNode,
  SweepOverdue,
  Together,
} from './ledger-commands.fixture.ts'
import { type Intent, makeModel, makeWorld, type Operation } from './ledger-world.fixture.ts'

const RUNS = Number(process.env.LEDGER_MODEL_RUNS ?? 70)
const COMMANDS = Number(process.env.LEDGER_MODEL_COMMANDS ?? 60)
const SEED = process.env.LEDGER_MODEL_SEED
/** Generous: a slow machine under load takes ten times what a quiet one does. */
const TIMEOUT_MS = 60_000 + RUNS * COMMANDS * 100

let fixture: LedgerFixture
let nodes: TestNode[]

beforeAll(async () => {
  fixture = await createLedgerFixture()
  // One lane each: the reference knows in which order the items of one batch are decided, and lanes have each their own.
  nodes = [await fixture.addNode(1), await fixture.addNode(1)]
})
afterAll(() => fixture.close())

const pick = fc.nat({ max: 10_000 })
const payer = fc.nat({ max: 3 })
const node = fc.nat({ max: 1 })
const amount = fc.bigInt({ min: 1n, max: 120n })
const amounts = fc
  .array(amount, { minLength: 1, maxLength: 3 })
  .map(list => list.sort((a, b) => (a < b ? 1 : a > b ? -1 : 0)))

/** Chosen when the operation is run. */
const slot = fc.constant(0)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('hold'),
      slot,
      amounts,
      headroom: fc.integer({ min: 1, max: 4 }),
      owner: node,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('extend'), slot, total: amount }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('settle'), slot, charge: fc.bigInt({ min: 0n, max: 150n }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release'), slot }) },
)
const intent: fc.Arbitrary<Intent> = fc.record({ pick, operation })
const bound = fc.option(fc.bigInt({ min: 0n, max: 400n }), { nil: undefined })

const commands = fc.commands(
  [
    ...Array.from({ length: 4 }, () => fc.tuple(intent, node).map(args => new Alone(...args))),
    ...Array.from({ length: 3 }, () =>
      fc.tuple(fc.array(intent, { minLength: 2, maxLength: 8 }), node).map(args => new Together(...args)),
    ),
    ...Array.from({ length: 2 }, () =>
      fc.tuple(payer, fc.nat({ max: 7 }), fc.bigInt({ min: 1n, max: 400n })).map(args => new Grant(...args)),
    ),
    fc
      .tuple(payer, fc.constantFrom('key' as const, 'workspace' as const), bound, bound)
      .map(([whose, scope, daily, monthly]) => new SetCaps(whose, scope, { daily, monthly })),
    fc
      .tuple(
        payer,
        fc.constantFrom(
          'good' as const,
          'good' as const,
          'good' as const,
          'key_revoked' as const,
          'key_expired' as const,
        ),
      )
      .map(args => new SetKey(...args)),
    node.map(owner => new SweepNode(owner)),
    pick.map(each => new SweepOverdue(each)),
    fc.constantFrom(1, 1, 31).map(days => new DaysPass(days)),
  ],
  { maxCommands: COMMANDS, size: 'max' },
)

test(
  'whatever is asked in whatever order, balances, holds, windows, answers and refusals are those of the reference',
  async () => {
    await fc.assert(
      fc.asyncProperty(commands, async sequence => {
        const world = await makeWorld(fixture, nodes)
        await fc.asyncModelRun(() => ({ model: makeModel(world), real: world }), sequence)
      }),
      { numRuns: RUNS, endOnFailure: false, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
    )
    expect(await nodes[0]?.ledger.audit()).toEqual([])
  },
  TIMEOUT_MS,
)
