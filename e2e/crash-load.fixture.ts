/**
 * A mixed load that outlives every crash: plain answers, streams, and calls with an `Idempotency-Key` that are
 * repeated until they were received whole. It writes down what it received, for a comparison with the ledger.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { type Books, expectAccountedFor, type Payer, type UsageRow } from './books.fixture.ts'
import { type Answer, type Client, createClient, createDice, type Wish } from './client.fixture.ts'
import { createCatalog, type TestCatalog } from './vendor.fixture.ts'

const MODEL = 'e2e-crash'
/** Its calls are told apart by how many tokens they have. */
const KEYED_MODEL = 'e2e-crash-keyed'
const KEYED_VISIBLE_TOKENS = 3

export function createCrashCatalog(): Promise<TestCatalog> {
  const model = (id: string) => ({
    id,
    operation: 'chat' as const,
    maxOutputTokens: 100_000,
    offerings: [{ provider: 'openai' as const, upstreamModel: id, rates: { input: '1.25', output: '10' } }],
  })
  return createCatalog([model(MODEL), model(KEYED_MODEL)])
}

/** One key, one body, until it was received whole. */
interface Keyed {
  readonly number: number
  readonly wish: Wish
  readonly answers: Answer[]
  firstRefusedMs: number | undefined
  longestRefusalMs: number
}

export interface Load {
  /** Where calls go from now on, in turn; none: they wait. */
  target(urls: readonly string[]): void
  /** Everything so far, in the order of its end. */
  readonly answers: readonly Answer[]
  /** Starts no new work, but goes on until every keyed call was received whole. Rejects where that takes too long. */
  finish(withinMs: number): Promise<void>
  /** Compares everything that was received with the books, and gives the receipts. Only after `finish`. */
  expectTruth(books: Books, payer: Payer): Promise<readonly UsageRow[]>
}

const WORKERS = 16

export function startLoad(payer: Payer, seed: number): Load {
  const dice = createDice(seed)
  const below = (bound: number) => Math.floor(dice() * bound)
  const answers: Answer[] = []
  const keyed: Keyed[] = []
  const unfinished = new Set<Keyed>()
  /** Kept to the end: closing one would hang up on calls that a living gateway still serves. */
  const known = new Map<string, Client>()
  let clients: readonly Client[] = []
  let ending = false

  async function call(wish: Wish): Promise<Answer | undefined> {
    const client = clients[below(clients.length)]
    if (client === undefined) {
      await delay(20)
      return undefined
    }
    const answer = await client.call(wish)
    answers.push(answer)
    // Nobody listens there: let the others have the processor.
    if (answer.status === undefined) await delay(20)
    return answer
  }

  function plainWish(): Wish {
    const stream = dice() < 0.5
    const tokens = 5 + below(60)
    const limit = dice() < 0.5 ? { max_tokens: tokens } : {}
    const content = `[[sim tokens=${tokens},delay-ms=4]]`
    return { body: { model: MODEL, stream, ...limit, messages: [{ role: 'user', content }] } }
  }

  function newKeyed(): Keyed {
    const number = keyed.length + 1
    const hidden = `[[sim tokens=${KEYED_VISIBLE_TOKENS},reasoning=${number},delay-ms=10]]`
    const wish = {
      idempotencyKey: `order-${seed}-${number}`,
      body: {
        model: KEYED_MODEL,
        stream: number % 2 === 0,
        max_tokens: KEYED_VISIBLE_TOKENS + number,
        messages: [{ role: 'user', content: hidden }],
      },
    }
    const made = { number, wish, answers: [], firstRefusedMs: undefined, longestRefusalMs: 0 }
    keyed.push(made)
    unfinished.add(made)
    return made
  }

  async function askKeyed(one: Keyed): Promise<void> {
    const answer = await call(one.wish)
    if (!answer) return
    one.answers.push(answer)
    if (answer.status === 409) {
      one.firstRefusedMs ??= performance.now()
      one.longestRefusalMs = performance.now() - one.firstRefusedMs
      await delay(100)
    } else if (answer.status === 200) one.firstRefusedMs = undefined
    if (answer.whole) unfinished.delete(one)
    else expect(answer.status, answer.text).not.toBe(422)
  }

  async function work(): Promise<void> {
    while (!ending) {
      if (clients.length === 0) {
        await delay(20)
        continue
      }
      if (dice() < 0.6) {
        await call(plainWish())
        continue
      }
      const again = dice()
      const earlier = again < 0.3 ? [...unfinished][0] : again < 0.4 ? keyed[below(keyed.length)] : undefined
      await askKeyed(earlier ?? newKeyed())
    }
  }

  const workers = Promise.all(Array.from({ length: WORKERS }, work))
  // Seen by `finish`; it must not end the process before.
  workers.catch(() => {})

  return {
    answers,
    target(urls) {
      for (const url of urls) if (!known.has(url)) known.set(url, createClient(url, payer.key))
      clients = urls.flatMap(url => known.get(url) ?? [])
    },
    async finish(withinMs) {
      ending = true
      await workers
      const untilMs = performance.now() + withinMs
      while (unfinished.size > 0) {
        if (performance.now() > untilMs) {
          const left = [...unfinished].map(one => `${one.number}: ${one.answers.at(-1)?.text}`)
          throw new Error(`${left.length} keyed calls can't be finished: ${left.slice(0, 3).join('; ')}`)
        }
        await Promise.all([...unfinished].slice(0, WORKERS).map(askKeyed))
      }
      for (const client of known.values()) client.close()
    },
    async expectTruth(books, payer) {
      const usage = await books.usage(payer.workspace)
      expectReceiptsMatch(answers, usage)
      expectChargedOnce(keyed, usage)
      expect(answers.filter(answer => answer.whole).length, 'whole answers').toBeGreaterThan(50)
      expect(answers.filter(isReplay).length, 'replayed answers').toBeGreaterThan(0)
      await expectAccountedFor(books, payer)
      return usage
    },
  }
}

function isReplay(answer: Answer): boolean {
  return answer.headers['idempotent-replayed'] === 'true'
}

/** What was received whole has its charge; what ended in an error that promises "nothing was charged" has none. */
function expectReceiptsMatch(answers: readonly Answer[], usage: readonly UsageRow[]): void {
  const rows = new Map(usage.map(row => [row.requestId, row]))
  for (const answer of answers) {
    const row = rows.get(answer.requestId ?? '')
    const name = `${answer.requestId} ${answer.status} ${answer.error ?? ''}`
    if (answer.whole && !isReplay(answer)) {
      expect(`${row?.outcome} ${(row?.chargeNanoUsd ?? 0n) > 0n}`, name).toBe('succeeded true')
    }
    if (answer.error !== undefined && answer.error !== 'outcome_unknown') {
      expect(row?.chargeNanoUsd ?? 0n, name).toBe(0n)
    }
  }
  const charged = usage.filter(row => row.chargeNanoUsd > 0n).map(row => row.outcome)
  // The client hangs up only where its gateway died, so no call of it is ended as left.
  expect(new Set(charged)).toEqual(new Set(['succeeded']))
}

function expectChargedOnce(keyed: readonly Keyed[], usage: readonly UsageRow[]): void {
  const charges = new Map<number, number>()
  for (const row of usage) {
    if (row.model !== KEYED_MODEL || row.chargeNanoUsd === 0n) continue
    const number = Number(row.outputTokens) - KEYED_VISIBLE_TOKENS
    charges.set(number, (charges.get(number) ?? 0) + 1)
  }
  for (const { number, answers, wish, longestRefusalMs } of keyed) {
    const whole = answers.filter(answer => answer.whole)
    const name = wish.idempotencyKey ?? ''
    expect(charges.get(number) ?? 0, name).toBeLessThanOrEqual(1)
    if (whole.length > 0) expect(charges.get(number), name).toBe(1)
    expect(new Set(whole.map(answer => answer.text)).size, `${name}: different answers`).toBeLessThanOrEqual(
      1,
    )
    expect(longestRefusalMs, `${name}: refused as in progress`).toBeLessThan(60_000)
  }
}
