/** Moves live accounts along the ladder, a batch at a time. */
import type { Queryable } from '#platform/postgres/database.ts'
import type { Uuid } from '#spec/ids.ts'
import type { DecideTier, TierCase, TierChange } from './account.ts'

export interface Tiers {
  /**
   * Decides every live account's tier anew from what it was charged over the 30 UTC days that end with the day of
   * `at`, and gives the changes. An account whose tier was changed meanwhile is left as it is.
   */
  recomputeTiers(at: Date, decide: DecideTier): Promise<readonly TierChange[]>
}

/** Accounts read and locked at a time: a holder of one of them waits for no more than this. */
const BATCH = 200

const READ_BATCH = `
  select a.workspace_id, a.tier, a.tier_changed_at, coalesce(s.spend, 0)::bigint as spend
  from account a
  left join lateral (
    select sum(w.used_nano_usd) as spend from cap_window w
    where w.workspace_id = a.workspace_id and w.mode = a.mode and w.scope = 'workspace'
      and w.scope_id = a.workspace_id and w.period = 'day'
      and w.month >= date_trunc('month', ($2::timestamptz at time zone 'utc')::date - 30)
      and w.starts_on > ($2::timestamptz at time zone 'utc')::date - 30
      and w.starts_on <= ($2::timestamptz at time zone 'utc')::date
  ) s on true
  where a.mode = 'live' and ($1::uuid is null or a.workspace_id > $1)
  order by a.workspace_id limit $3`

const WRITE_BATCH = `
  with wanted as materialized (
    select a.workspace_id, w.to_tier
    from unnest($1::uuid[], $2::text[], $3::text[]) as w(workspace_id, from_tier, to_tier)
    join account a on a.workspace_id = w.workspace_id and a.mode = 'live' and a.tier = w.from_tier
    order by a.workspace_id
    for no key update of a
  )
  update account a set tier = w.to_tier, tier_changed_at = $4
  from wanted w where a.workspace_id = w.workspace_id and a.mode = 'live'
  returning a.workspace_id`

interface CaseRow {
  workspace_id: Uuid
  tier: string
  tier_changed_at: Date
  spend: bigint
}

export function createTiers(database: Queryable): Tiers {
  return {
    async recomputeTiers(at, decide) {
      const changes: TierChange[] = []
      let after: Uuid | undefined
      for (;;) {
        const cases = await readBatch(database, after, at)
        changes.push(...(await writeBatch(database, at, changesOf(cases, at, decide))))
        after = cases.at(-1)?.account.workspaceId
        if (cases.length < BATCH) return changes
      }
    },
  }
}

async function readBatch(database: Queryable, after: Uuid | undefined, at: Date): Promise<TierCase[]> {
  const { rows } = await database.query<CaseRow>('tier_cases', READ_BATCH, [after ?? null, at, BATCH])
  return rows.map(row => ({
    account: { workspaceId: row.workspace_id, mode: 'live' },
    tier: row.tier,
    changedAt: row.tier_changed_at,
    spend30DaysNanoUsd: row.spend,
  }))
}

function changesOf(cases: readonly TierCase[], at: Date, decide: DecideTier): TierChange[] {
  return cases
    .map(found => ({ account: found.account, from: found.tier, to: decide(found, at) }))
    .filter(change => change.from !== change.to)
}

async function writeBatch(database: Queryable, at: Date, changes: TierChange[]): Promise<TierChange[]> {
  if (changes.length === 0) return []
  const { rows } = await database.query<{ workspace_id: Uuid }>('tier_changes', WRITE_BATCH, [
    changes.map(change => change.account.workspaceId),
    changes.map(change => change.from),
    changes.map(change => change.to),
    at,
  ])
  const written = new Set(rows.map(row => row.workspace_id))
  return changes.filter(change => written.has(change.account.workspaceId))
}
