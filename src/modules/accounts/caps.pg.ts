/**
 * The table `cap` and the view `cap_window`, read and, for the workspace's own caps, written. Windows are UTC days and
 * months by the database's clock. Who writes a cap locks the account row first, in the same statement.
 */
import type { Queryable } from '#platform/postgres/database.ts'
import type { AccountRef, CapPeriod, CapScope, CapStatus, CapSubject } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { CapChange } from './account.ts'

export interface Caps {
  /**
   * Sets what the whole workspace may spend in one mode; false where there is no such account. A cap below what was
   * spent stops new holds and changes nothing else. Throws `invalid_request` for a negative one.
   */
  setWorkspaceCaps(account: AccountRef, caps: CapChange): Promise<boolean>
  /** The windows of today and of this month, for every subject in the order given, day before month. */
  capStatuses(account: AccountRef, subjects: readonly CapSubject[]): Promise<readonly CapStatus[]>
  /** What the workspace was charged over the last 30 UTC days, today included. */
  spend30Days(account: AccountRef): Promise<bigint>
}

const SET_WORKSPACE_CAPS = `
  with locked as materialized (
    select workspace_id, mode from account where workspace_id = $1 and mode = $2 for no key update
  )
  insert into cap as c (workspace_id, mode, scope, scope_id, daily_nano_usd, monthly_nano_usd)
  select workspace_id, mode, 'workspace', workspace_id, $3, $4 from locked
  on conflict (workspace_id, mode, scope, scope_id) do update set
    daily_nano_usd = case when $5 then excluded.daily_nano_usd else c.daily_nano_usd end,
    monthly_nano_usd = case when $6 then excluded.monthly_nano_usd else c.monthly_nano_usd end`

const CAP_STATUSES = `
  select s.scope, p.period,
    case p.period when 'day' then c.daily_nano_usd else c.monthly_nano_usd end as limit_nano_usd,
    coalesce(w.used_nano_usd, 0) as used_nano_usd, coalesce(w.held_nano_usd, 0) as held_nano_usd,
    p.ends_on::timestamp at time zone 'utc' as resets_at
  from unnest($3::cap_scope[], $4::uuid[]) with ordinality as s(scope, id, n)
  cross join (select date_trunc('day', clock_timestamp() at time zone 'utc') as today) t
  cross join lateral (values
    ('day'::cap_period, today::date, today + interval '1 day'),
    ('month', date_trunc('month', today)::date, date_trunc('month', today) + interval '1 month')
  ) as p(period, starts_on, ends_on)
  left join cap c on (c.workspace_id, c.mode, c.scope, c.scope_id) = ($1, $2, s.scope, s.id)
  left join cap_window w on (w.workspace_id, w.mode, w.scope, w.scope_id, w.period, w.starts_on)
    = ($1, $2, s.scope, s.id, p.period, p.starts_on) and w.month = date_trunc('month', t.today)::date
  order by s.n, p.period`

const SPEND_30_DAYS = `
  select coalesce(sum(used_nano_usd), 0)::bigint as spend from cap_window
  where workspace_id = $1 and mode = $2 and scope = 'workspace' and scope_id = $1 and period = 'day'
    and month >= date_trunc('month', (clock_timestamp() at time zone 'utc')::date - 30)
    and starts_on > (clock_timestamp() at time zone 'utc')::date - 30`

interface StatusRow {
  scope: CapScope
  period: CapPeriod
  limit_nano_usd: bigint | null
  used_nano_usd: bigint
  held_nano_usd: bigint
  resets_at: Date
}

export function createCaps(database: Queryable): Caps {
  return {
    async setWorkspaceCaps(account, caps) {
      if ((caps.dailyNanoUsd ?? 0n) < 0n || (caps.monthlyNanoUsd ?? 0n) < 0n) {
        throw new GatewayError('invalid_request', 'A cap must not be negative.', { param: 'cap' })
      }
      const { rowCount } = await database.query('account_set_caps', SET_WORKSPACE_CAPS, [
        account.workspaceId,
        account.mode,
        caps.dailyNanoUsd ?? null,
        caps.monthlyNanoUsd ?? null,
        caps.dailyNanoUsd !== undefined,
        caps.monthlyNanoUsd !== undefined,
      ])
      return rowCount === 1
    },
    async capStatuses(account, subjects) {
      const { rows } = await database.query<StatusRow>('account_cap_statuses', CAP_STATUSES, [
        account.workspaceId,
        account.mode,
        subjects.map(subject => subject.scope),
        subjects.map(subject => subject.id),
      ])
      return rows.map(row => ({
        scope: row.scope,
        period: row.period,
        limitNanoUsd: row.limit_nano_usd ?? undefined,
        usedNanoUsd: row.used_nano_usd,
        heldNanoUsd: row.held_nano_usd,
        resetsAt: row.resets_at,
      }))
    },
    async spend30Days(account) {
      const { rows } = await database.query<{ spend: bigint }>('account_spend_30_days', SPEND_30_DAYS, [
        account.workspaceId,
        account.mode,
      ])
      return rows[0]?.spend ?? 0n
    },
  }
}
