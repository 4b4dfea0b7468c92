/**
 * The vendor's invoice against the ledger and against what clients received, call by call, while the vendor breaks in
 * every way it knows. `E2E_SCALE=10` makes ten times the calls; `E2E_SEED` repeats a run.
 */
import process from 'node:process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PriceLine, priceOf } from '#spec/money.ts'
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
import { type Answer, createClient, createDice, inParallel, type Wish } from './client.fixture.ts'
import { databaseUrlOf, startServer, type TollgateServer } from './server.ts'
import { createCatalog, startVendor, type TestCatalog, type Vendor } from './vendor.fixture.ts'

const CALLS = 2_400 * Number(process.env.E2E_SCALE ?? 1)
const SEED = Number(process.env.E2E_SEED ?? Date.now() % 1_000_000)
const MARKUP_BASIS_POINTS = 4_000
const RATES = { input: '1.25', output: '10', cached_input: '0.125', cache_write: '1.5625' }
const DEARER = { input: '1.7', output: '13.3', cached_input: '0.17' }
const EMBED_RATES = { input: '0.02' }

/** Ends the call, whatever was asked for. */
const REFUSING = [
  ...[
    'error400',
    'error401',
    'error402',
    'error404',
    'error500',
    'error502',
    'error503',
    'rate429',
    'quota429',
  ],
  ...['context-length', 'content-policy', 'hang', 'reset', 'html', 'error-200', 'not-json'],
]
/** Ends a stream; a whole answer knows nothing of it. */
const BREAKING = ['hang-mid', 'cut', 'eof', 'malformed', 'error-event', 'error-first', 'finish-error']
/** Odd and sound: charged as reported. */
const HARMLESS = ['drip', 'split-utf8', 'crlf', 'comments', 'no-done', 'usage-with-last']
const WITHOUT_USAGE = ['no-usage', 'usage-negative', 'usage-text']

type Kind = 'plain' | 'stream' | 'embed' | 'fallback'

interface Plan {
  readonly kind: Kind
  readonly fault: string | undefined
  readonly leaves: boolean
  readonly wish: Wish
}

interface Made extends Plan {
  readonly answer: Answer
  readonly row: UsageRow | undefined
  /** At the vendor that was asked last. */
  readonly invoice: MeterCall | undefined
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
    return { ...plan, answer, row: rows.get(answer.requestId ?? ''), invoice: invoices.get(number) }
  })
}

function planOf(number: number, dice: () => number): Plan {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(dice() * items.length)]
  const kind = pick<Kind>([
    'plain',
    'plain',
    'plain',
    'stream',
    'stream',
    'stream',
    'stream',
    'embed',
    'fallback',
  ])
  const draw = dice()
  const fault =
    draw < 0.14
      ? pick(REFUSING)
      : draw < 0.24
        ? pick(BREAKING)
        : draw < 0.34
          ? pick(HARMLESS)
          : draw < 0.4
            ? pick(WITHOUT_USAGE)
            : draw < 0.44
              ? 'usage-x1000'
              : undefined
  const leaves = fault === undefined && kind === 'stream' && dice() < 0.15
  const cached = dice() < 0.3 ? `cached=${Math.floor(dice() * 20)}` : ''
  const written = dice() < 0.2 ? `cache-write=${Math.floor(dice() * 20)}` : ''
  const tokens = leaves ? 400 : 1 + Math.floor(dice() * 120)
  const pace = leaves ? 'delay-ms=5' : `events-per-write=${1 + Math.floor(dice() * 8)}`
  const prompt = `n=${number};${'x'.repeat(Math.floor(dice() * 300))} [[sim ${[fault, `tokens=${tokens}`, cached, written, pace].join(' ')}]]`
  const wish = kind === 'embed' ? embedWish(prompt) : chatWish(kind ?? 'plain', prompt, tokens, dice)
  return { kind: kind ?? 'plain', fault, leaves, wish: leaves ? { ...wish, leaveAfterBytes: 3_000 } : wish }
}

function embedWish(prompt: string): Wish {
  return { path: '/v1/embeddings', body: { model: 'e2e-embed', input: [prompt, 'and another'] } }
}

function chatWish(kind: Kind, prompt: string, tokens: number, dice: () => number): Wish {
  const stream = kind === 'stream' || (kind === 'fallback' && dice() < 0.5)
  // At times below what the vendor would say, so that it stops at the limit.
  const limit = dice() < 0.7 ? { max_tokens: Math.max(1, Math.floor(tokens * (0.5 + dice()))) } : {}
  const usage = stream && dice() < 0.5 ? { stream_options: { include_usage: true } } : {}
  const model = kind === 'fallback' ? 'e2e-fallback' : 'e2e-chat'
  return { body: { model, stream, ...limit, ...usage, messages: [{ role: 'user', content: prompt }] } }
}

/** By the number in the prompt. The vendor numbers its calls as they arrive. */
async function invoicesByCall(): Promise<Map<number, MeterCall>> {
  const invoices = new Map<number, MeterCall>()
  for (const vendor of vendors) {
    const calls = new Map((await vendor.meter()).calls.map(call => [call.id, call]))
    for (const [index, request] of (await vendor.requests()).entries()) {
      const call = calls.get(`chatcmpl-sim-${index + 1}`)
      const number = Number(/n=(\d+);/.exec(request.body)?.[1])
      if (call !== undefined) invoices.set(number, call)
    }
  }
  return invoices
}

function endsBadly({ kind, fault }: Plan): boolean {
  if (fault === undefined) return false
  return REFUSING.includes(fault) || (BREAKING.includes(fault) && isStream(kind, fault))
}

/** Filled per call below: a fallback may be either. */
function isStream(kind: Kind, _fault: string): boolean {
  return kind === 'stream'
}

test('placeholder', () => {
  void [entries, sum, expectAccountedFor, expectCleanAudit, priceOf, endsBadly]
  const tally = new Map<string, number>()
  for (const one of made) {
    const name = `${one.kind}${one.wish.body.stream ? '/s' : ''} ${one.fault}${one.leaves ? ' leaves' : ''}: ${one.answer.status} ${one.answer.whole ? 'whole' : 'part'} ${one.answer.error} | ${one.row?.outcome} ${one.row?.estimated} ${one.row && one.row.chargeNanoUsd > 0n ? '$' : '0'} | ${one.invoice?.outcome} ${one.row?.costNanoUsd.toString() === one.invoice?.invoiceNanoUsd}`
    tally.set(name, (tally.get(name) ?? 0) + 1)
  }
  process.stdout.write(
    [...tally]
      .sort()
      .map(([name, count]) => `${count} ${name}`)
      .join('\n'),
  )
})
