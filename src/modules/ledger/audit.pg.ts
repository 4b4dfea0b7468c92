/**
 * The audit: every invariant of the ledger that can be asked of the database, each one a query that gives the rows
 * that break it. Run whole by `tollgate audit`, and all the time by the live auditor over the accounts that moved.
 * The names are those of README.md.
 */
import type { Database } from '#platform/postgres/database.ts'

export interface Violation {
  readonly invariant: string
  readonly workspaceId: string | undefined
  readonly subject: string
  readonly detail: string
}

interface Check {
  readonly invariant: string
  /** What must be true, for a person. */
  readonly promise: string
  /** Rows (workspace_id, subject, detail) that break it. `$1` is an array of workspaces, or null for all of them. */
  readonly query: string
}

/** Older than this, a hold should have ended: its deadline plus the time a sweep may take. */
const OVERDUE = `interval '60 seconds'`

const SCOPED = (column: string) => `($1::uuid[] is null or ${column} = any($1))`

export const CHECKS: readonly Check[] = [
  {
    invariant: 'balance-is-sum-of-entries',
    promise: 'the balance of an account is the sum of its entries, and no entry is of no account',
    query: `
      select coalesce(a.workspace_id, e.workspace_id) as workspace_id, coalesce(a.mode, e.mode)::text as subject,
        format('balance %s, entries %s', coalesce(a.balance_nano_usd::text, 'missing'), coalesce(e.total, 0)) as detail
      from (select * from account where ${SCOPED('workspace_id')}) a full join (
        select workspace_id, mode,
          sum(case when credit = 'workspace' then amount_nano_usd else 0 end)
          - sum(case when debit = 'workspace' then amount_nano_usd else 0 end) as total
        from ledger_entry where ${SCOPED('workspace_id')} group by 1, 2
      ) e on e.workspace_id = a.workspace_id and e.mode = a.mode
      where a.workspace_id is null or a.balance_nano_usd <> coalesce(e.total, 0)`,
  },
  {
    invariant: 'held-is-sum-of-holds',
    promise: 'what an account holds is the sum of its open holds',
    query: `
      select a.workspace_id, a.mode::text as subject,
        format('held %s, holds %s', a.held_nano_usd, coalesce(h.total, 0)) as detail
      from account a left join (
        select workspace_id, mode, sum(amount_nano_usd) as total from hold where ${SCOPED('workspace_id')} group by 1, 2
      ) h using (workspace_id, mode)
      where ${SCOPED('a.workspace_id')} and a.held_nano_usd <> coalesce(h.total, 0)`,
  },
  {
    invariant: 'nothing-below-zero',
    promise: 'no account has less than it holds, and none holds less than nothing',
    query: `
      select workspace_id, mode::text as subject, format('balance %s, held %s', balance_nano_usd, held_nano_usd) as detail
      from account where ${SCOPED('workspace_id')} and (balance_nano_usd < held_nano_usd or held_nano_usd < 0)`,
  },
  {
    invariant: 'hold-belongs-to-an-account',
    promise: 'every hold belongs to an account',
    query: `
      select h.workspace_id, h.id::text as subject, format('mode %s', h.mode) as detail
      from hold h left join account a using (workspace_id, mode)
      where ${SCOPED('h.workspace_id')} and a.workspace_id is null`,
  },
  {
    invariant: 'hold-ends-once',
    promise: 'a hold that has ended is gone',
    query: `
      select h.workspace_id, h.id::text as subject, format('still open, and %s before', v.outcome) as detail
      from hold h join ledger_event v on v.workspace_id = h.workspace_id and v.event_key = 'hold:' || h.id
      where ${SCOPED('h.workspace_id')}`,
  },
  {
    invariant: 'no-hold-is-overdue',
    promise: 'no inline hold stays open a minute past its deadline or its node',
    query: `
      select h.workspace_id, h.id::text as subject, format('deadline %s, owner %s', h.deadline, h.owner) as detail
      from hold h where ${SCOPED('h.workspace_id')} and h.owner is not null and (h.deadline < now() - ${OVERDUE}
        or h.created_at < now() - ${OVERDUE}
          and not exists (select 1 from node n where n.id = h.owner and n.heartbeat_at > now() - ${OVERDUE}))`,
  },
  {
    invariant: 'window-held-is-sum-of-holds',
    promise: 'what a cap window holds is the sum of the open holds that count in it',
    query: `
      with counted as (
        select h.workspace_id, h.mode, s.scope, s.scope_id, p.period, p.starts_on, sum(h.amount_nano_usd) as held
        from hold h
        cross join lateral unnest('{key,workspace}' || h.other_scopes, array[h.key_id, h.workspace_id] || h.other_ids)
          as s(scope, scope_id)
        cross join lateral (values ('day'::cap_period, h.window_day),
          ('month', date_trunc('month', h.window_day)::date)) as p(period, starts_on)
        where ${SCOPED('h.workspace_id')} group by 1, 2, 3, 4, 5, 6
      )
      select coalesce(w.workspace_id, c.workspace_id) as workspace_id,
        format('%s %s %s %s', coalesce(w.scope, c.scope), coalesce(w.scope_id, c.scope_id),
          coalesce(w.period, c.period), coalesce(w.starts_on, c.starts_on)) as subject,
        format('window holds %s, holds %s', coalesce(w.held_nano_usd, 0), coalesce(c.held, 0)) as detail
      from (select * from cap_window where ${SCOPED('workspace_id')}) w
      full join counted c on (c.workspace_id, c.mode, c.scope, c.scope_id, c.period, c.starts_on)
        = (w.workspace_id, w.mode, w.scope, w.scope_id, w.period, w.starts_on)
      where coalesce(w.held_nano_usd, 0) <> coalesce(c.held, 0)`,
  },
  {
    invariant: 'month-is-sum-of-days',
    promise: 'what a subject spent in a month is what it spent on its days',
    query: `
      select workspace_id, format('%s %s %s', scope, scope_id, month) as subject,
        format('month %s, days %s', month_used, day_used) as detail
      from (
        select workspace_id, mode, scope, scope_id, date_trunc('month', starts_on)::date as month,
          coalesce(sum(used_nano_usd) filter (where period = 'month'), 0) as month_used,
          coalesce(sum(used_nano_usd) filter (where period = 'day'), 0) as day_used
        from cap_window where ${SCOPED('workspace_id')} group by 1, 2, 3, 4, 5
      ) m where month_used <> day_used`,
  },
  {
    invariant: 'workspace-is-sum-of-keys',
    promise: 'what a workspace spent on a day is what its keys spent',
    query: `
      select workspace_id, format('%s %s', mode, starts_on) as subject,
        format('workspace %s, keys %s', workspace_used, key_used) as detail
      from (
        select workspace_id, mode, starts_on,
          coalesce(sum(used_nano_usd) filter (where scope = 'workspace'), 0) as workspace_used,
          coalesce(sum(used_nano_usd) filter (where scope = 'key'), 0) as key_used
        from cap_window where ${SCOPED('workspace_id')} and period = 'day' group by 1, 2, 3
      ) d where workspace_used <> key_used`,
  },
  {
    invariant: 'key-is-sum-of-receipts',
    promise: 'what a key spent is what the receipts of its calls say',
    query: `
      select coalesce(w.workspace_id, u.workspace_id) as workspace_id, coalesce(w.scope_id, u.key_id)::text as subject,
        format('windows %s, receipts %s', coalesce(w.used, 0), coalesce(u.charge, 0)) as detail
      from (
        select workspace_id, mode, scope_id, sum(used_nano_usd) as used from cap_window
        where ${SCOPED('workspace_id')} and scope = 'key' and period = 'day' group by 1, 2, 3
      ) w full join (
        select workspace_id, mode, key_id, sum(charge_nano_usd) as charge from usage
        where ${SCOPED('workspace_id')} group by 1, 2, 3
      ) u on u.workspace_id = w.workspace_id and u.mode = w.mode and u.key_id = w.scope_id
      where coalesce(w.used, 0) <> coalesce(u.charge, 0)`,
  },
  {
    invariant: 'windows-are-sum-of-charges',
    promise: 'what the windows of a workspace counted is what its entries charged',
    query: `
      select a.workspace_id, a.mode::text as subject,
        format('windows %s, entries %s', coalesce(w.used, 0), coalesce(e.charged, 0)) as detail
      from account a
      left join (
        select workspace_id, mode, sum(used_nano_usd) as used from cap_window
        where scope = 'workspace' and period = 'day' and ${SCOPED('workspace_id')} group by 1, 2
      ) w using (workspace_id, mode)
      left join (
        select workspace_id, mode, sum(amount_nano_usd) as charged from ledger_entry
        where debit = 'workspace' and kind in ('settle', 'late_charge') and ${SCOPED('workspace_id')} group by 1, 2
      ) e using (workspace_id, mode)
      where ${SCOPED('a.workspace_id')} and coalesce(w.used, 0) <> coalesce(e.charged, 0)`,
  },
  {
    invariant: 'entry-has-its-event',
    promise: 'every entry of the last 29 days stands behind an event, for the same amount, and only once',
    query: `
      select e.workspace_id, format('%s %s', e.kind, e.id) as subject,
        format('%s of %s, event %s', e.entries, e.total, coalesce(v.amount_nano_usd::text, 'missing')) as detail
      from (
        select workspace_id, kind, id, sum(amount_nano_usd) as total, count(*) as entries
        from ledger_entry where ${SCOPED('workspace_id')} and kind in ('settle', 'late_charge', 'grant')
          and created_at > now() - interval '29 days' group by 1, 2, 3
      ) e
      left join ledger_event v on v.workspace_id = e.workspace_id and v.event_key =
        case e.kind when 'settle' then 'hold:' when 'late_charge' then 'late:' else 'grant:' end || e.id
      where v.event_key is null or v.amount_nano_usd <> e.total or e.entries > 1
      union all
      select e.workspace_id, format('operator_loss %s', e.id), format('%s of %s', e.entries, e.total)
      from (
        select workspace_id, id, sum(amount_nano_usd) as total, count(*) as entries
        from ledger_entry where ${SCOPED('workspace_id')} and kind = 'operator_loss'
          and created_at > now() - interval '29 days' group by 1, 2
      ) e
      where e.entries > 1 or not exists (select 1 from ledger_event v
        where v.workspace_id = e.workspace_id and v.event_key in ('hold:' || e.id, 'late:' || e.id))`,
  },
  {
    invariant: 'event-has-its-entry',
    promise: 'every event that moved money has its entry',
    query: `
      select v.workspace_id, v.event_key as subject, format('%s of %s without an entry', v.outcome, v.amount_nano_usd) as detail
      from ledger_event v where ${SCOPED('v.workspace_id')} and v.amount_nano_usd > 0 and not exists (
        select 1 from ledger_entry e where e.workspace_id = v.workspace_id and e.id = event_subject(v.event_key)
          and v.event_key = case e.kind when 'settle' then 'hold:' when 'late_charge' then 'late:' when 'grant' then 'grant:' end || e.id)`,
  },
  {
    invariant: 'receipt-equals-charge',
    promise: 'every receipt says what the ledger took, and every charge and every ended hold has one receipt',
    query: `
      select coalesce(u.workspace_id, e.workspace_id) as workspace_id, coalesce(u.id, e.id)::text as subject,
        format('receipt %s, entries %s', coalesce(u.charge::text, 'missing'), coalesce(e.charge, 0)) as detail
      from (select workspace_id, id, sum(charge_nano_usd) as charge, count(*) as receipts from usage
        where ${SCOPED('workspace_id')} and held_nano_usd > 0 group by 1, 2) u
      full join (select workspace_id, id, sum(amount_nano_usd) as charge from ledger_entry
        where ${SCOPED('workspace_id')} and kind in ('settle', 'late_charge') group by 1, 2) e
        on e.workspace_id = u.workspace_id and e.id = u.id
      where u.id is null or u.charge <> coalesce(e.charge, 0) or u.receipts > 1
      union all
      select v.workspace_id, v.event_key, format('%s without a receipt', v.outcome)
      from ledger_event v where ${SCOPED('v.workspace_id')} and v.event_key like 'hold:%'
        and not exists (select 1 from usage u where u.workspace_id = v.workspace_id and u.id = event_subject(v.event_key))`,
  },
  {
    invariant: 'settled-within-hold',
    promise: 'nothing was charged beyond its hold, and nothing below zero',
    query: `
      select workspace_id, id::text as subject, format('charged %s, held %s', charge_nano_usd, held_nano_usd) as detail
      from usage where ${SCOPED('workspace_id')} and (charge_nano_usd > held_nano_usd or least(charge_nano_usd, cost_nano_usd) < 0)`,
  },
  {
    invariant: 'release-charges-nothing',
    promise: 'a released hold charged nothing, and no failed call was charged',
    query: `
      select v.workspace_id, v.event_key as subject, format('released with %s', v.amount_nano_usd) as detail
      from ledger_event v where ${SCOPED('v.workspace_id')} and v.outcome = 'released' and v.amount_nano_usd <> 0
      union all
      select workspace_id, id::text, format('%s charged %s', outcome, charge_nano_usd)
      from usage where ${SCOPED('workspace_id')} and charge_nano_usd > 0
        and outcome in ('upstream_failed', 'timed_out', 'rejected', 'internal_failure', 'node_died')`,
  },
  {
    invariant: 'no-row-outside-its-month',
    promise: 'every entry and usage row is in the partition of its month',
    query: `
      select workspace_id, id::text as subject, format('entry of %s in the default partition', created_at) as detail
      from ledger_entry_default where ${SCOPED('workspace_id')}
      union all
      select workspace_id, id::text, format('usage of %s in the default partition', created_at)
      from usage_default where ${SCOPED('workspace_id')}`,
  },
  {
    invariant: 'answer-belongs-to-a-settled-call',
    promise:
      'no stored answer is called done unless its call was settled, was free, costs nothing, or is a task that was accepted',
    query: `
      select k.workspace_id, k.request_id::text as subject, format('answer is done, call %s', coalesce(v.outcome, 'never ended')) as detail
      from idempotency k left join ledger_event v on v.workspace_id = k.workspace_id and v.event_key = 'hold:' || k.request_id
      where ${SCOPED('k.workspace_id')} and k.state = 'done' and not k.is_free and v.outcome is distinct from 'settled'
        and not exists (select 1 from usage u where u.workspace_id = k.workspace_id and u.id = k.request_id and u.held_nano_usd = 0)
        and not exists (select 1 from task t where t.workspace_id = k.workspace_id and t.id = k.request_id)`,
  },
  {
    invariant: 'ended-task-holds-nothing',
    promise: 'a task that has ended holds nothing any more',
    query: `
      select t.workspace_id, t.id::text as subject, format('%s, and %s are held', t.state, h.amount_nano_usd) as detail
      from hold h join task t on t.workspace_id = h.workspace_id and t.id = h.id
      where ${SCOPED('h.workspace_id')} and t.ended_at is not null`,
  },
  {
    invariant: 'open-task-has-its-hold',
    promise: 'a task that has not ended holds what it was submitted for, to the account that pays for it',
    query: `
      select t.workspace_id, t.id::text as subject,
        format('%s for %s, hold %s', t.state, t.held_nano_usd, coalesce(h.amount_nano_usd::text, 'missing')) as detail
      from task t left join hold h on h.workspace_id = t.workspace_id and h.id = t.id
      where ${SCOPED('t.workspace_id')} and t.state in ('queued', 'running')
        and (coalesce(h.amount_nano_usd, 0) <> t.held_nano_usd or h.mode <> t.mode or h.owner is not null)`,
  },
  {
    invariant: 'hold-without-owner-has-its-task',
    promise:
      'a hold that no node owns belongs to a task that has not ended, since nothing else will ever end it',
    query: `
      select h.workspace_id, h.id::text as subject, format('%s held by no node and no open task', h.amount_nano_usd) as detail
      from hold h where ${SCOPED('h.workspace_id')} and h.owner is null and not exists (select 1 from task t
        where t.workspace_id = h.workspace_id and t.id = h.id and t.state in ('queued', 'running'))`,
  },
  {
    invariant: 'task-charge-is-its-receipt',
    promise:
      'an ended task was charged what its one receipt says and the ledger took: a task that did not succeed, nothing',
    query: `
      select t.workspace_id, t.id::text as subject, format('%s for %s, receipts %s, entries %s', t.state, t.charged_nano_usd,
        coalesce(u.charge::text, 'missing'), coalesce(e.charge, 0)) as detail
      from task t
      left join (select workspace_id, id, sum(charge_nano_usd) as charge, count(*) as receipts from usage
        where ${SCOPED('workspace_id')} group by 1, 2) u on u.workspace_id = t.workspace_id and u.id = t.id
      left join (select workspace_id, id, sum(amount_nano_usd) as charge from ledger_entry
        where ${SCOPED('workspace_id')} and kind in ('settle', 'late_charge') group by 1, 2) e
        on e.workspace_id = t.workspace_id and e.id = t.id
      where ${SCOPED('t.workspace_id')} and t.ended_at is not null
        and (u.charge is distinct from t.charged_nano_usd or u.receipts <> 1
          or coalesce(e.charge, 0) <> t.charged_nano_usd or t.charged_nano_usd > 0 and t.state <> 'succeeded')`,
  },
]

/** How many offending rows of one check are reported: enough to see the pattern.  */
const REPORTED_ROWS = 20

/** A whole audit reads everything there is; it waits for no lock. */
const AUDIT_BOUNDS = { statementTimeoutMs: 900_000 }

/**
 * Runs every check in one snapshot, over the given workspaces or all of them. Empty: the ledger is whole. Rejects with the
 * signal's reason before the next check where it is aborted.
 */
export function auditLedger(
  database: Database,
  workspaceIds: readonly string[] | null,
  signal?: AbortSignal,
): Promise<Violation[]> {
  return database.transaction(async tx => {
    await tx.query('audit_snapshot', 'set transaction isolation level repeatable read, read only')
    const violations: Violation[] = []
    for (const check of CHECKS) {
      signal?.throwIfAborted()
      const { rows } = await tx.query<{ workspace_id: string | null; subject: string; detail: string }>(
        `audit_${check.invariant}`,
        `select * from (${check.query}) v limit ${REPORTED_ROWS}`,
        [workspaceIds],
      )
      for (const row of rows) {
        violations.push({
          invariant: check.invariant,
          workspaceId: row.workspace_id ?? undefined,
          subject: row.subject,
          detail: row.detail,
        })
      }
    }
    return violations
  }, AUDIT_BOUNDS)
}
