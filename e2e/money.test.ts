/** Money over HTTP, on one gateway and on two that share a database: nothing past a limit, and no false refusal. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Books,
  createPayer,
  expectAccountedFor,
  expectCleanAudit,
  openBooks,
  waitForNoHold,
} from './books.fixture.ts'
import { type Answer, type Client, chunksOf, createClient, inParallel } from './client.fixture.ts'
import { type SharedDatabase, startServer, startSharedDatabase, type TollgateServer } from './server.ts'
import { createCatalog, type Rates, startVendor, type TestCatalog, type Vendor } from './vendor.fixture.ts'

const MARKUP_BASIS_POINTS = 4_000n
/** $0.333333333 for a million tokens of output and nothing for input: what is held is what is charged, after a rounding. */
const EXACT = { id: 'e2e-exact', outputNanoUsdPerMillion: 333_333_333n }
const MAX_TOKENS = 100
const EXACT_CHARGE_NANO_USD = chargeOf(BigInt(MAX_TOKENS) * EXACT.outputNanoUsdPerMillion)
/** Twelve words of 66 bytes, over and over, one a token. */
const VENDOR_BYTES_PER_TOKEN = 66 / 12
const CHAT = {
  id: 'e2e-chat',
  inputNanoUsdPerMillion: 1_250_000_000n,
  outputNanoUsdPerMillion: 10_000_000_000n,
}

function chargeOf(scaledNanoUsd: bigint): bigint {
  const divisor = 10_000_000_000n
  return (scaledNanoUsd * (10_000n + MARKUP_BASIS_POINTS) + divisor - 1n) / divisor
}

let catalog: TestCatalog
let vendor: Vendor

beforeAll(async () => {
  const offered = (upstreamModel: string, rates: Rates) => [
    { provider: 'openai' as const, upstreamModel, rates },
  ]
  catalog = await createCatalog([
    {
      id: EXACT.id,
      operation: 'chat',
      offerings: offered(EXACT.id, { input: '0', output: '0.333333333' }),
    },
    {
      id: CHAT.id,
      operation: 'chat',
      maxOutputTokens: 16_384,
      offerings: offered(CHAT.id, { input: '1.25', output: '10' }),
    },
  ])
  vendor = await startVendor(catalog)
})
afterAll(async () => {
  await vendor?.stop()
  await catalog?.remove()
})

interface RefusedLimit {
  readonly code: string
  readonly limit: number
  readonly used: number
  readonly held: number
  readonly needed: number
}

/** A refusal is true when each limit that it names would be passed by what the call needs. */
function expectTrueRefusal(answer: Answer, code: string): void {
  expect(`${answer.status} ${answer.error}`).toBe(`402 ${code}`)
  const { details } = (JSON.parse(answer.text) as { error: { details: readonly RefusedLimit[] } }).error
  expect(details.length).toBeGreaterThan(0)
  // Credits have seven decimals; as whole numbers of nano-dollars their sums are exact.
  const nanoUsd = (credits: number) => Math.round(credits * 1e7)
  for (const { limit, used, held, needed } of details) {
    expect(nanoUsd(used) + nanoUsd(held) + nanoUsd(needed)).toBeGreaterThan(nanoUsd(limit))
  }
}

describe.each([{ gateways: 1 }, { gateways: 2 }])('$gateways gateway(s)', ({ gateways }) => {
  let database: SharedDatabase
  let servers: TollgateServer[]
  let first: TollgateServer
  let books: Books

  beforeAll(async () => {
    database = await startSharedDatabase()
    const options = { databaseUrl: database.url, env: { ...vendor.env, ...catalog.env, LOG_LEVEL: 'warn' } }
    first = await startServer(options)
    servers = [first]
    while (servers.length < gateways) servers.push(await startServer(options))
    books = await openBooks(database.url)
  })
  afterAll(async () => {
    await books?.close()
    for (const server of servers ?? []) await server.stop()
    await database?.stop()
  })

  /** Every second call goes to the other gateway. */
  function clientsOf(key: string): { at(number: number): Client; close(): void } {
    const clients = servers.map(server => createClient(server.url, key))
    return {
      at(number) {
        const client = clients[number % clients.length]
        if (client === undefined) throw new Error('there is no gateway')
        return client
      },
      close() {
        for (const client of clients) client.close()
      },
    }
  }

  test('of 64 clients that ask 1,400 times, a cap for 1,000 calls lets in exactly 1,000', async () => {
    const dailyCapNanoUsd = 1_000n * EXACT_CHARGE_NANO_USD
    const payer = await createPayer(first, 10n ** 10n, { dailyCapNanoUsd })
    const clients = clientsOf(payer.key)
    const answers = await inParallel(1_400, 64, number =>
      clients.at(number).call({
        body: {
          model: EXACT.id,
          max_tokens: MAX_TOKENS,
          stream: number % 4 === 0,
          messages: [{ role: 'user', content: `call ${number} [[sim tokens=1000,events-per-write=50]]` }],
        },
      }),
    )
    clients.close()
    const refused = answers.filter(answer => !answer.whole)
    for (const answer of refused) expectTrueRefusal(answer, 'key_daily_cap')
    expect(refused).toHaveLength(400)
    const usage = await books.usage(payer.workspace)
    expect(usage).toHaveLength(1_000)
    expect(new Set(usage.map(row => row.chargeNanoUsd))).toEqual(new Set([EXACT_CHARGE_NANO_USD]))
    await expectAccountedFor(books, payer)
    await expectCleanAudit(first)
  }, 60_000)

  test('under a cap that is contended all the time never more than 20 calls are held and charged, and 20 are charged', async () => {
    const places = 20
    const dailyCapNanoUsd = BigInt(places) * EXACT_CHARGE_NANO_USD
    const payer = await createPayer(first, 10n ** 10n, { dailyCapNanoUsd })
    const observer = await openBooks(database.url)
    const watching = watchMost(() => observer.countedToday(payer.workspace))
    const clients = clientsOf(payer.key)
    let charged = 0
    // Seven of eight leave before they are answered, and each gives its place to another.
    await inParallel(3_000, 64, async number => {
      if (charged >= places && number > 2_000) return
      const leaves = number % 8 > 0
      const answer = await clients.at(number).call({
        ...(leaves && { leaveAfterMs: 25 }),
        body: {
          model: EXACT.id,
          max_tokens: MAX_TOKENS,
          messages: [{ role: 'user', content: `call ${number} [[sim tokens=1000,${leaves ? 'hang' : ''}]]` }],
        },
      })
      if (answer.whole) charged += 1
      else if (answer.status !== undefined) expectTrueRefusal(answer, 'key_daily_cap')
    })
    await waitForNoHold(books, 10_000)
    const messages = [{ role: 'user', content: '[[sim tokens=1000]]' }]
    const fill = { body: { model: EXACT.id, max_tokens: MAX_TOKENS, messages } }
    // Whatever places the storm has left can be had now that it is calm, and not one more.
    for (; charged < places; charged++) expect((await clients.at(charged).call(fill)).whole).toBe(true)
    expectTrueRefusal(await clients.at(charged).call(fill), 'key_daily_cap')
    clients.close()
    expect(await watching.stop()).toBe(dailyCapNanoUsd)
    await observer.close()
    expect(charged).toBe(places)
    await expectAccountedFor(books, payer)
    await expectCleanAudit(first)
  }, 60_000)

  test('$1 under 500 calls at once is never overspent, and every nano-dollar is accounted for', async () => {
    const payer = await createPayer(first, 1_000_000_000n)
    const clients = clientsOf(payer.key)
    const answers = await inParallel(500, 500, number =>
      clients.at(number).call({
        body: {
          model: CHAT.id,
          max_tokens: 400,
          stream: number % 2 === 0,
          messages: [
            {
              role: 'user',
              content: `call ${number} [[sim tokens=${50 + (number % 300)},events-per-write=20]]`,
            },
          ],
        },
      }),
    )
    clients.close()
    const served = answers.filter(answer => answer.whole)
    for (const answer of answers) {
      if (!answer.whole) expectTrueRefusal(answer, 'insufficient_credits')
    }
    expect(served.length).toBeGreaterThan(100)
    const charged = new Map((await books.usage(payer.workspace)).map(row => [row.requestId, row]))
    for (const { requestId = '' } of served) {
      expect(charged.get(requestId)?.outcome).toBe('succeeded')
      expect(charged.get(requestId)?.chargeNanoUsd).toBeGreaterThan(0n)
    }
    expect(charged.size).toBe(served.length)
    await expectAccountedFor(books, payer)
    await expectCleanAudit(first)
  }, 60_000)

  // The vendor's words are longer than four bytes, so the gateway counts more tokens of them than the vendor does.
  test('a balance for what they produce and one step each serves 20 streams without max_tokens whole', async () => {
    const streams = 20
    const tokens = 900
    const countedTokens = Math.ceil((tokens * VENDOR_BYTES_PER_TOKEN) / 4)
    const messageOf = (number: number) => `stream ${number} [[sim tokens=${tokens},delay-ms=1]]`
    // What is held is bounded by bytes: the text, 16 for the message, 128 for the request.
    const inputBound = BigInt(messageOf(streams).length + 16 + 128)
    const perStream = chargeOf(
      inputBound * CHAT.inputNanoUsdPerMillion + BigInt(countedTokens + 256) * CHAT.outputNanoUsdPerMillion,
    )
    const payer = await createPayer(first, BigInt(streams) * perStream)
    const clients = clientsOf(payer.key)
    const answers = await inParallel(streams, streams, number =>
      clients.at(number).call({
        body: {
          model: CHAT.id,
          stream: true,
          stream_options: { include_usage: true },
          messages: [{ role: 'user', content: messageOf(number) }],
        },
      }),
    )
    clients.close()
    for (const answer of answers) {
      expect(`${answer.status} ${answer.error ?? ''}`).toBe('200 ')
      expect(answer.whole).toBe(true)
      expect(finishReasonOf(answer)).toBe('stop')
    }
    const usage = await books.usage(payer.workspace)
    expect(usage.map(row => `${row.outcome} ${row.outputTokens} ${row.estimated}`)).toEqual(
      Array(streams).fill(`succeeded ${tokens} false`),
    )
    await expectAccountedFor(books, payer)
    await expectCleanAudit(first)
  }, 60_000)
})

/** Asks again and again, as fast as it can, and remembers the most. */
function watchMost(ask: () => Promise<bigint>): { stop(): Promise<bigint> } {
  let ending = false
  let most = 0n
  const watching = (async () => {
    while (!ending) {
      const found = await ask()
      if (found > most) most = found
    }
  })()
  return {
    async stop() {
      ending = true
      await watching
      return most
    },
  }
}

function finishReasonOf(answer: Answer): unknown {
  const reasons = chunksOf(answer)
    .flatMap(chunk => chunk.choices as readonly { finish_reason: unknown }[])
    .map(choice => choice.finish_reason)
  return reasons.findLast(reason => reason !== null)
}
