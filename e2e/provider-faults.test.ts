/**
 * Vendors of media that break in every way they know, with real money: what became of each task, what the client paid, what
 * the vendor's own meter bills, and how often the vendor was asked. `E2E_SEED` repeats a run's mixtures.
 */
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { expectAccountedFor, expectCleanAudit, sum } from './books.fixture.ts'
import { createDice, inParallel } from './client.fixture.ts'
import { CHAINS, type FaultPlan, LOSSES, mixedPlan, PLANS } from './fault-plans.fixture.ts'
import {
  type Account,
  accountsOf,
  type MediaHouse,
  openMediaHouse,
  startMediaVendors,
  untilEnded,
} from './media-house.fixture.ts'
import { FILE_NANO_USD, VENDORS, type VendorId } from './media-vendors.fixture.ts'

const SEED = Number(process.env.E2E_SEED ?? Date.now() % 1_000_000)
const MIXTURES = 60
const NANO_USD_PER_CREDIT = 10_000_000n
/** Half a minute on a machine that does nothing else. */
const ALL_MS = 240_000
/** Long enough for any of so many tasks to have been begun, on a machine that is busy. */
const BRIEF_SECONDS = 12

const dice = createDice(SEED)
const mixtures = Array.from({ length: MIXTURES }, () => mixedPlan(dice)).map((plan, number) => ({
  ...plan,
  name: `E2E_SEED=${SEED} mixture ${number} ${plan.name}`,
}))
const plans: readonly FaultPlan[] = [...PLANS, ...mixtures, ...CHAINS, ...LOSSES]

let vendors: Awaited<ReturnType<typeof startMediaVendors>>
let house: MediaHouse
/** Knows nothing of the failures that vendors have elsewhere. */
let fresh: MediaHouse
/** Gives up the copy of a file at its first failure. */
let hasty: MediaHouse
let accounts: ReadonlyMap<string, Account>

beforeAll(async () => {
  vendors = await startMediaVendors()
  house = await openMediaHouse(vendors, BRIEF_SECONDS)
  fresh = await openMediaHouse(vendors, BRIEF_SECONDS)
  hasty = await openMediaHouse(vendors, BRIEF_SECONDS, { COPY_PATIENCE_HOURS: '0' })
  accounts = new Map([
    ...(await run(house, [...PLANS, ...mixtures], 'm')),
    ...(await run(fresh, CHAINS, 'c')),
    ...(await run(hasty, LOSSES, 'h')),
  ])
}, ALL_MS)

afterAll(async () => {
  await house?.stop()
  await fresh?.stop()
  await hasty?.stop()
  for (const vendor of VENDORS) await vendors?.[vendor].stop()
})

/** Submits everything at once, waits for every end, and then reads all the books. By the plan's name. */
async function run(at: MediaHouse, wanted: readonly FaultPlan[], prefix: string) {
  const marks = new Map<string, string>()
  const names = new Map<string, string>()
  await inParallel(wanted.length, 16, async number => {
    const { model, words, count, name } = wanted[number] as FaultPlan
    const mark = `${prefix}=${number};`
    const id = await at.submit(model, `a fox ${mark} [[sim ${words}]]`, count)
    marks.set(id, mark)
    names.set(id, name)
  })
  await Promise.all([...marks.keys()].map(id => untilEnded(at, id, ALL_MS)))
  // Jobs that outlive their tasks end too, and are billed; but for kie.ai's one that neither ends nor can be stopped.
  await vi.waitFor(
    async () => {
      const meters = await Promise.all(VENDORS.map(vendor => vendors[vendor].meter()))
      expect(meters.map(({ totals }) => totals.running)).toEqual([0, 0, 1])
    },
    { timeout: 20_000, interval: 200 },
  )
  const found = await accountsOf(at, marks)
  return [...found].map(([id, account]) => [names.get(id) ?? '', account] as const)
}

function accountOf({ name }: FaultPlan): Account {
  const account = accounts.get(name)
  if (!account) throw new Error(`${name} was not made`)
  return account
}

function chargeOf(vendor: VendorId, files: number): bigint {
  return (FILE_NANO_USD[vendor] * BigInt(files) * 14n) / 10n
}

const creditsOf = (nanoUsd: bigint) => Number(nanoUsd) / Number(NANO_USD_PER_CREDIT)

/** What the log says vendors may bill for nothing, by task. */
function mayBillOf(log: string): (readonly [string, bigint])[] {
  return log.split('\n').flatMap(line => {
    if (!line.includes('"mayBillNanoUsd"')) return []
    const { taskId, mayBillNanoUsd } = JSON.parse(line)
    return [[String(taskId).replaceAll('-', ''), BigInt(mayBillNanoUsd)] as const]
  })
}

describe('a task', () => {
  test.each(plans)('$name', plan => {
    const { fate } = plan
    const { task, row, vendors: asked } = accountOf(plan)
    const creates = Object.fromEntries(
      VENDORS.flatMap(id => (asked[id].creates > 0 ? [[id, asked[id].creates]] : [])),
    )
    const seen = { state: task.state, code: task.error?.code, files: task.artifacts.length, creates }
    expect(seen).toEqual({ state: fate.state, code: fate.code, files: fate.files, creates: fate.creates })
    expect(task.provider).toBe(fate.by ?? task.provider)

    const charge = fate.by === undefined ? 0n : chargeOf(fate.by, fate.files)
    const cost = fate.by === undefined ? 0n : FILE_NANO_USD[fate.by] * BigInt(fate.files)
    expect(task.credits_charged).toBe(creditsOf(charge))
    expect([row?.chargeNanoUsd, row?.costNanoUsd]).toEqual([charge, cost])
    for (const vendor of VENDORS) {
      const delivered = fate.by === vendor ? cost : 0n
      const lost = BigInt(fate.lost?.[vendor] ?? 0) * FILE_NANO_USD[vendor]
      expect(asked[vendor].invoiceNanoUsd, vendor).toBe(delivered + lost)
    }
  })

  test('whose create call has an unknown outcome is never sent a second time', () => {
    const unknown = plans.filter(plan => /create-(lost|hang|html)/.test(plan.words))
    expect(unknown.length).toBeGreaterThanOrEqual(25)
    // Where its callback says that it failed, another vendor may make it.
    for (const plan of unknown.filter(({ words }) => !words.includes('fal:job-fails'))) {
      const { vendors: asked } = accountOf(plan)
      expect(Math.max(...VENDORS.map(id => asked[id].taken)), plan.name).toBe(1)
      expect(sum(VENDORS.map(id => BigInt(asked[id].taken))), plan.name).toBe(1n)
    }
  })

  test('that was delivered has files of its own, in their right type', async () => {
    for (const plan of plans.filter(one => /wrong-type|is-html|cut/.test(one.words) && one.fate.files > 0)) {
      for (const { url, content_type } of accountOf(plan).task.artifacts) {
        const answer = await fetch(url)
        expect([answer.status, answer.headers.get('content-type'), content_type], plan.name).toEqual([
          200,
          'image/png',
          'image/png',
        ])
        expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(50)
      }
    }
  })
})

describe('the books', () => {
  test('the cost lines are what the vendors bill for what was delivered; the rest is the operator’s', async () => {
    const meters = await Promise.all(VENDORS.map(id => vendors[id].meter()))
    const invoiced = sum(meters.map(({ totals }) => BigInt(totals.invoiceNanoUsd)))
    const cost = sum([...accounts.values()].map(({ row }) => row?.costNanoUsd ?? 0n))
    const lost = sum(
      plans.flatMap(({ fate }) =>
        VENDORS.map(vendor => BigInt(fate.lost?.[vendor] ?? 0) * FILE_NANO_USD[vendor]),
      ),
    )
    expect(lost).toBeGreaterThan(0n)
    expect(invoiced).toBe(cost + lost)
  })

  test('the operator is told of every file that a vendor may bill for nobody, by task and amount', () => {
    const told = new Map([house, fresh, hasty].flatMap(one => mayBillOf(one.server.log())))
    // A refusal inside a success says nothing of its bill.
    const lossy = plans.filter(({ fate, words }) => fate.lost !== undefined && !/in-success/.test(words))
    for (const plan of lossy) {
      const lost = VENDORS.map(id => BigInt(plan.fate.lost?.[id] ?? 0) * FILE_NANO_USD[id])
      expect(told.get(accountOf(plan).task.id), plan.name).toBe(sum(lost))
    }
    for (const plan of plans.filter(({ fate }) => fate.lost === undefined && fate.state !== 'expired')) {
      expect(told.has(accountOf(plan).task.id), plan.name).toBe(false)
    }
  })

  test('every nano-dollar of every gateway is accounted for, and no key is in a log', async () => {
    for (const one of [house, fresh, hasty]) {
      await expectAccountedFor(one.books, one.payer)
      await expectCleanAudit(one.server)
      expect(one.server.log()).not.toMatch(/sk-simulated|sk-e2e-provider/)
      expect(one.server.log()).not.toContain('a step of a task failed')
    }
  })
})
