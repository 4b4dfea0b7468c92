/** After the run: does the ledger say exactly what was answered, to the last nano-dollar? */
import type { TollgateTarget } from './tollgate-target.ts'
import { PLAIN_USAGE, STREAM_USAGE } from './upstream-answers.ts'

/** Whole answers of Tollgate, warm-up and tail included. */
export interface Answered {
  readonly plain: number
  readonly streams: number
}

export interface MoneyCheck {
  readonly answered: Answered
  readonly expectedNanoUsd: bigint
  readonly ledgerNanoUsd: bigint
  readonly usageRows: bigint
  readonly openHolds: bigint
  readonly postgresVersion: string
  readonly invariants: number
  readonly violations: readonly unknown[]
}

const TOTALS = `
  select
    (select coalesce(sum(amount_nano_usd), 0)::bigint from ledger_entry where kind <> 'grant') as charged,
    (select count(*) from usage) as rows,
    (select count(*) from hold) as holds,
    current_setting('server_version') as version`

export async function checkMoney(tollgate: TollgateTarget, answered: Answered): Promise<MoneyCheck> {
  const found = await tollgate.withDatabase(async ({ catalog, config, database }) => {
    const price = catalog.find('gpt-4o-mini', 'live')?.offerings.find(one => one.provider === 'openai')?.price
    if (!price) throw new Error('the catalogue has no price for gpt-4o-mini')
    const { rows } = await database.query<{ charged: bigint; rows: bigint; holds: bigint; version: string }>(
      'bench_totals',
      TOTALS,
    )
    const totals = rows[0]
    if (!totals) throw new Error('the totals have no row')
    const markup = BigInt(config.ladder[0].markupBasisPoints)
    const expected = (usage: { readonly prompt: number; readonly completion: number }) =>
      chargeOf(
        BigInt(usage.prompt) * price.inputNanoUsd + BigInt(usage.completion) * price.outputNanoUsd,
        markup,
      )
    return { totals, plain: expected(PLAIN_USAGE), stream: expected(STREAM_USAGE) }
  })
  const { invariants, violations } = await tollgate.audit()
  return {
    answered,
    expectedNanoUsd: BigInt(answered.plain) * found.plain + BigInt(answered.streams) * found.stream,
    ledgerNanoUsd: found.totals.charged,
    usageRows: found.totals.rows,
    openHolds: found.totals.holds,
    postgresVersion: found.totals.version,
    invariants,
    violations,
  }
}

/** Whether every nano-dollar and every row is where it should be. */
export function isExact(check: MoneyCheck): boolean {
  const { answered } = check
  return (
    check.ledgerNanoUsd === check.expectedNanoUsd &&
    check.usageRows === BigInt(answered.plain + answered.streams) &&
    check.openHolds === 0n &&
    check.violations.length === 0
  )
}

/**
 * Nano-dollars for (tokens × price per million tokens) under a markup, rounded up once. Written here anew, so that a slip in the
 * product's arithmetic does not check itself.
 */
function chargeOf(perMillion: bigint, markupBasisPoints: bigint): bigint {
  const scaled = perMillion * (10_000n + markupBasisPoints)
  const unit = 1_000_000n * 10_000n
  return scaled / unit + (scaled % unit === 0n ? 0n : 1n)
}
