/**
 * The vendor's invoice against the ledger and against what clients received, call by call, while the vendor breaks in
 * every way it knows. `E2E_SCALE=10` makes ten times the calls; `E2E_SEED` repeats a run.
 */
import process from 'node:process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MeterCall, MeterUsage } from '#testing/upstreams/openai/meter.ts'
import {
  type Books,
  createPayer,
  type Entry,
  expectAccountedFor,
  expectCleanAudit,
  openBooks,
  type Payer,
  sum,
  type UsageRow,
  waitForNoHold,
} from './books.fixture.ts'
import { type Answer, chunksOf, createClient, createDice, inParallel } from './client.fixture.ts'
import { type Fate, fateOf, type Plan, planOf } from './invoice-plans.fixture.ts'
import { databaseUrlOf, startServer, type TollgateServer } from './server.ts'
import { createCatalog, type Rates, startVendor, type TestCatalog, type Vendor } from './vendor.fixture.ts'

const CALLS = 2_400 * Number(process.env.E2E_SCALE ?? 1)
const SEED = Number(process.env.E2E_SEED ?? Date.now() % 1_000_000)
/** 10,000 and the markup, in basis points. */
const MARKUP = 14_000n
const RATES = { input: '1.25', output: '10', cached_input: '0.125', cache_write: '1.5625' }
const DEARER = { input: '1.7', output: '13.3', cached_input: '0.17' }
const EMBED_RATES = { input: '0.02' }

interface Made extends Plan {
  readonly answer: Answer
  readonly row: UsageRow | undefined
  /** Of the vendors that were asked, in order. */
  readonly invoices: readonly Invoice[]
  readonly invoice: Invoice | undefined
}

interface Invoice extends MeterCall {
  readonly rates: Rates
}

let catalog: TestCatalog
let vendors: Vendor[]
let server: TollgateServer
let books: Books
let payer: Payer
let made: readonly Made[]
let entries: readonly Entry[]

beforeAll(
  async () => {
    catalog = await createCatalog([
      {
        id: 'e2e-chat',
        operation: 'chat',
        maxOutputTokens: 16_384,
        offerings: [{ provider: 'openai', upstreamModel: 'e2e-chat', rates: RATES }],
      },
      {
        id: 'e2e-fallback',
        operation: 'chat',
        maxOutputTokens: 4_096,
        offerings: [
          { provider: 'openai', upstreamModel: 'e2e-fallback:error503', rates: RATES },
          { provider: 'openrouter', upstreamModel: 'e2e-fallback', rates: DEARER },
        ],
      },
      {
        id: 'e2e-embed',
        operation: 'embed',
        offerings: [{ provider: 'openai', upstreamModel: 'e2e-embed', rates: EMBED_RATES }],
      },
    ])
    vendors = [await startVendor(catalog), await startVendor(catalog, 'openrouter')]
    const env = Object.assign({}, ...vendors.map(vendor => vendor.env))
    const timeouts = {
      UPSTREAM_FIRST_BYTE_TIMEOUT_MS: '1500',
      UPSTREAM_CHUNK_TIMEOUT_MS: '1500',
      UPSTREAM_TOTAL_TIMEOUT_MS: '20000',
    }
    server = await startServer({ env: { ...env, ...catalog.env, ...timeouts, LOG_LEVEL: 'error' } })
    books = await openBooks(await databaseUrlOf(server))
    payer = await createPayer(server, 10n ** 13n)
    made = await makeCalls()
    entries = await books.entries(payer.workspace)
  },
  180_000 * Math.max(1, CALLS / 2_400),
)

afterAll(async () => {
  await books?.close()
  await server?.stop()
  for (const vendor of vendors ?? []) await vendor.stop()
  await catalog?.remove()
})

async function makeCalls(): Promise<readonly Made[]> {
  const dice = createDice(SEED)
  const plans = Array.from({ length: CALLS }, (_, number) => planOf(number, dice))
  const client = createClient(server.url, payer.key)
  const answers = await inParallel(CALLS, 32, number => client.call((plans[number] as Plan).wish))
  client.close()
  // Of a client that left, the call may still be ending.
  await waitForNoHold(books, 30_000)
  const rows = new Map((await books.usage(payer.workspace)).map(row => [row.requestId, row]))
  const invoices = await invoicesByCall()
  return plans.map((plan, number) => {
    const answer = answers[number] as Answer
    const asked = invoices.get(number) ?? []
    return { ...plan, answer, row: rows.get(answer.requestId ?? ''), invoices: asked, invoice: asked.at(-1) }
  })
}

/** By the number in the prompt, in the order of asking. A vendor numbers its calls as they arrive. */
async function invoicesByCall(): Promise<Map<number, Invoice[]>> {
  const invoices = new Map<number, Invoice[]>()
  for (const [position, vendor] of vendors.entries()) {
    const calls = new Map((await vendor.meter()).calls.map(call => [call.id, call]))
    for (const [index, request] of (await vendor.requests()).entries()) {
      const call = calls.get(`chatcmpl-sim-${index + 1}`)
      const number = Number(/n=(\d+);/.exec(request.body)?.[1])
      if (call === undefined) continue
      const rates = position > 0 ? DEARER : request.path === '/v1/embeddings' ? EMBED_RATES : RATES
      invoices.set(number, [...(invoices.get(number) ?? []), { ...call, rates }])
    }
  }
  return invoices
}

function madeWith(fate: Fate): readonly Made[] {
  const found = made.filter(one => fateOf(one) === fate)
  expect(found.length, `calls with the fate "${fate}" (E2E_SEED=${SEED})`).toBeGreaterThan(10)
  return found
}

/** To say which call it was. */
function nameOf({ kind, fault, answer }: Made): string {
  return `E2E_SEED=${SEED} ${answer.requestId} ${kind} ${fault ?? ''}`
}

/** Worked out here from the vendor's own count: cost and charge in nano-dollars, each rounded up once. */
function worthOf(usage: MeterUsage, rates: Rates): { costNanoUsd: bigint; chargeNanoUsd: bigint } {
  const price = (dollars: string) => BigInt(Math.round(Number(dollars) * 1e9))
  const { input, output = '0', cached_input = input, cache_write = input } = rates
  const scaled =
    BigInt(usage.prompt - usage.cached - usage.cacheWrite) * price(input) +
    BigInt(usage.cached) * price(cached_input) +
    BigInt(usage.cacheWrite) * price(cache_write) +
    BigInt(usage.completion) * price(output)
  const ceil = (dividend: bigint, divisor: bigint) => (dividend + divisor - 1n) / divisor
  return {
    costNanoUsd: ceil(scaled, 1_000_000n),
    chargeNanoUsd: ceil(scaled * MARKUP, 1_000_000n * 10_000n),
  }
}

test('a call with reported usage costs what the vendor invoices, and is charged that with the markup, to the nano-dollar', () => {
  for (const one of madeWith('exact')) {
    const { answer, row, invoice } = one
    expect(`${answer.whole} ${row?.outcome} ${row?.estimated}`, nameOf(one)).toBe('true succeeded false')
    if (!invoice) throw new Error(`${nameOf(one)} is unknown to the vendor`)
    const { costNanoUsd, chargeNanoUsd } = worthOf(invoice.usage, invoice.rates)
    expect(invoice.invoiceNanoUsd, nameOf(one)).toBe(String(costNanoUsd))
    expect(row?.costNanoUsd, nameOf(one)).toBe(costNanoUsd)
    expect(row?.chargeNanoUsd, nameOf(one)).toBe(chargeNanoUsd)
    expect(row?.heldNanoUsd ?? 0n, nameOf(one)).toBeGreaterThanOrEqual(chargeNanoUsd)
  }
})

test('a failed call is answered with an error, costs the client nothing and leaves no entry', () => {
  const moved = new Set(entries.map(entry => entry.requestId))
  for (const one of madeWith('failed')) {
    const { answer, row } = one
    expect(answer.whole, nameOf(one)).toBe(false)
    expect(answer.error, nameOf(one)).toMatch(
      /^(upstream_(error|timeout|rejected|rate_limited)|content_rejected|context_length_exceeded)$/,
    )
    expect(row?.outcome, nameOf(one)).toMatch(/^(upstream_failed|timed_out|rejected)$/)
    expect(row?.chargeNanoUsd, nameOf(one)).toBe(0n)
    expect(moved.has(answer.requestId ?? ''), nameOf(one)).toBe(false)
  }
})

test('a failed try before a successful one is neither invoiced nor charged, and the price is that of who served', () => {
  const fellBack = madeWith('exact').filter(one => one.kind === 'fallback' && one.fault === undefined)
  for (const one of fellBack) {
    expect(one.answer.headers['x-ai-served-by'], nameOf(one)).toBe('openrouter/e2e-fallback')
    expect(one.invoices.map(invoice => invoice.outcome).slice(-2), nameOf(one)).toEqual(
      // Once its circuit is open the first is not even asked.
      one.invoices.length === 1 ? ['completed'] : ['failed', 'completed'],
    )
  }
  expect(fellBack.filter(one => one.invoices.length === 2).length).toBeGreaterThan(0)
})

test('usage far above the hold is charged up to the hold, and the rest is booked as the loss of the operator', () => {
  const losses = new Map(
    entries
      .filter(entry => entry.kind === 'operator_loss')
      .map(entry => [entry.requestId, entry.amountNanoUsd]),
  )
  let beyond = 0
  for (const one of madeWith('beyond its hold')) {
    const { answer, row, invoice } = one
    if (!invoice || !row) throw new Error(`${nameOf(one)} has no receipt or no invoice`)
    expect(`${answer.whole} ${row.outcome} ${row.estimated}`, nameOf(one)).toBe('true succeeded false')
    const { prompt, completion } = invoice.usage
    const reported = { ...invoice.usage, prompt: prompt * 1000, completion: completion * 1000 }
    const { costNanoUsd, chargeNanoUsd } = worthOf(reported, invoice.rates)
    const lost = chargeNanoUsd > row.heldNanoUsd ? chargeNanoUsd - row.heldNanoUsd : 0n
    expect(row.costNanoUsd, nameOf(one)).toBe(costNanoUsd)
    expect(row.chargeNanoUsd, nameOf(one)).toBe(chargeNanoUsd - lost)
    expect(losses.get(row.requestId) ?? 0n, nameOf(one)).toBe(lost)
    losses.delete(row.requestId)
    if (lost > 0n) beyond += 1
  }
  expect(beyond).toBeGreaterThan(10)
  expect([...losses], 'losses of other calls').toEqual([])
})

test('usage that is missing or no count is estimated from what was delivered, within the hold, and flagged', () => {
  for (const one of madeWith('estimated')) {
    const { answer, row } = one
    if (!row) throw new Error(`${nameOf(one)} has no receipt`)
    expect(`${answer.whole} ${row.outcome} ${row.estimated}`, nameOf(one)).toBe('true succeeded true')
    expect(row.chargeNanoUsd, nameOf(one)).toBeGreaterThan(0n)
    expect(row.chargeNanoUsd, nameOf(one)).toBeLessThanOrEqual(row.heldNanoUsd)
    if (one.kind !== 'embed') {
      expect(row.outputTokens, nameOf(one)).toBe(BigInt(Math.ceil(contentBytesOf(answer) / 4)))
    }
  }
})

test('a client that leaves within a stream pays for about what it was sent, and the vendor is hung up on', () => {
  for (const one of madeWith('left')) {
    const { answer, row, invoice } = one
    if (!row || !invoice) throw new Error(`${nameOf(one)} has no receipt or no invoice`)
    expect(`${answer.whole} ${row.outcome} ${row.estimated}`, nameOf(one)).toBe('false client_left true')
    expect(invoice.outcome, nameOf(one)).toBe('aborted')
    expect(row.chargeNanoUsd, nameOf(one)).toBeGreaterThan(0n)
    expect(row.chargeNanoUsd, nameOf(one)).toBeLessThanOrEqual(row.heldNanoUsd)
    expect(Number(row.outputTokens), nameOf(one)).toBeGreaterThanOrEqual(contentBytesOf(answer) / 4)
    // A token of the vendor is at most seven bytes.
    expect(Number(row.outputTokens), nameOf(one)).toBeLessThanOrEqual((invoice.usage.completion * 7) / 4 + 1)
  }
})

test('a client that leaves before anything was sent pays nothing', async () => {
  const unheard = madeWith('never begun')
  const rows = (await books.usage(payer.workspace)).filter(
    row => row.outcome === 'client_left' && !row.estimated,
  )
  expect(rows).toHaveLength(unheard.length)
  expect(sum(rows.map(row => row.chargeNanoUsd))).toBe(0n)
})

test('every whole answer has its charge, and nothing else has one but for those who left', () => {
  for (const one of made) {
    const { answer, row } = one
    if (answer.whole) expect(row?.chargeNanoUsd ?? 0n, nameOf(one)).toBeGreaterThan(0n)
    else if (fateOf(one) !== 'left') expect(row?.chargeNanoUsd ?? 0n, nameOf(one)).toBe(0n)
  }
})

test('whatever the vendors invoice is a call the ledger knows, and the totals agree', async () => {
  const readings = await Promise.all(vendors.map(vendor => vendor.meter()))
  const invoiced = sum(readings.map(reading => BigInt(reading.totals.invoiceNanoUsd)))
  const invoicedFor = (calls: readonly Made[]) =>
    sum(calls.flatMap(one => one.invoices).map(invoice => BigInt(invoice.invoiceNanoUsd)))
  expect(invoicedFor(made)).toBe(invoiced)
  const exact = madeWith('exact')
  expect(invoicedFor(exact)).toBe(sum(exact.map(one => one.row?.costNanoUsd ?? 0n)))
  // A vendor that stalls within a stream is hung up on, and bills what it had sent: that is the operator's.
  for (const one of madeWith('failed')) {
    if (one.fault !== 'hang-mid') expect(invoicedFor([one]), nameOf(one)).toBe(0n)
  }
  await expectAccountedFor(books, payer)
  await expectCleanAudit(server)
})

/** Of the text a client received, whole or in part. */
function contentBytesOf(answer: Answer): number {
  let bytes = 0
  for (const chunk of chunksOf(answer)) {
    for (const { message, delta } of (chunk.choices ?? []) as readonly Choice[]) {
      bytes += Buffer.byteLength((message ?? delta)?.content ?? '')
    }
  }
  return bytes
}

interface Choice {
  readonly message?: { readonly content?: string | null }
  readonly delta?: { readonly content?: string | null }
}
