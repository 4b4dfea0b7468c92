/** What a call says about its money, read from outside, and exact arithmetic on it. */
import { setTimeout as delay } from 'node:timers/promises'
import type { TollgateServer } from '../server.ts'

interface Amount {
  readonly credits: number
  readonly usd: number
}

export interface Receipt {
  readonly id: string
  readonly outcome: string
  readonly requested_model: string
  readonly model: string
  readonly provider: string | null
  readonly charged: Amount
  readonly held: Amount
  readonly markup_percent: number
  readonly estimated: boolean
  readonly streamed: boolean
  readonly lines: readonly {
    readonly unit: string
    readonly quantity: number
    readonly price_usd_per_million: number
    readonly charge_usd: number
  }[]
}

export interface Account {
  readonly mode: string
  readonly plan: string
  readonly balance: number
  readonly held: number
  readonly available: number
  readonly tier: { readonly name: string; readonly markup_percent: number }
  readonly key: { readonly id: string; readonly name: string }
  readonly caps: readonly {
    readonly scope: string
    readonly period: string
    readonly limit: number | null
    readonly used: number
    readonly held: number
    readonly resets_at: string
  }[]
}

/** Credits (at most seven decimals) as a whole number of ten-millionths; with nine decimals, dollars as nano-dollars. */
export function exact(amount: number | string | null | undefined, decimals = 7): bigint {
  if (amount === null || amount === undefined) throw new Error('an amount is missing')
  const text = typeof amount === 'number' ? amount.toFixed(decimals) : amount
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text)
  const fraction = match?.[2] ?? ''
  if (match === null || fraction.length > decimals) throw new Error(`"${text}" is not a plain amount`)
  return BigInt(`${match[1]}${fraction.padEnd(decimals, '0')}`)
}

/** The sum of a receipt's lines with the markup, rounded up once, in nano-dollars. */
export function sumOfLines(receipt: Receipt): bigint {
  const markup = 10_000n + exact(receipt.markup_percent, 2)
  const scaled = receipt.lines.reduce(
    (sum, line) => sum + BigInt(line.quantity) * exact(line.price_usd_per_million, 9) * markup,
    0n,
  )
  const divisor = 1_000_000n * 10_000n
  return (scaled + divisor - 1n) / divisor
}

async function read<Body>(server: TollgateServer, key: string, path: string): Promise<Body> {
  const answer = await fetch(`${server.url}/v1${path}`, { headers: { authorization: `Bearer ${key}` } })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`)
  return JSON.parse(text) as Body
}

export const accountOf = (server: TollgateServer, key: string) => read<Account>(server, key, '/me')

export const receiptOf = (server: TollgateServer, key: string, requestId: string | null | undefined) =>
  read<Receipt>(server, key, `/receipts/${requestId}`)

/** The receipt of a call that may still be on its way to its end. */
export async function receiptInTime(
  server: TollgateServer,
  key: string,
  requestId: string | null | undefined,
  withinMs = 5_000,
): Promise<Receipt> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await receiptOf(server, key, requestId)
    } catch (error) {
      if (performance.now() > deadline) throw error
      await delay(50)
    }
  }
}
