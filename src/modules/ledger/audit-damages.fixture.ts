/** Every kind of damage the audit has to find, as a statement done by a hand that nothing stops. */
import type { Uuid } from '#spec/ids.ts'
import { ids, type Payer } from './ledger.fixture.ts'

/** A workspace in which everything has happened that may happen to a call. */
export interface Busy {
  readonly payer: Payer
  readonly sibling: Payer
  readonly settled: Uuid
  readonly released: Uuid
  readonly late: Uuid
  readonly lossy: Uuid
  readonly open: Uuid
  readonly free: Uuid
  /** Tasks: one that runs, one that succeeded, one that failed, one that was free. */
  readonly running: Uuid
  readonly made: Uuid
  readonly failed: Uuid
  readonly gift: Uuid
}

/** Stores an answer, called done, of the call `$2` in the workspace `$1`. */
export const KEPT_ANSWER = `
  insert into idempotency (workspace_id, mode, route, key_digest, body_digest, request_id, owner, state)
  values ($1, 'live', 'chat', uuid_send($2), uuid_send($2), $2, $2, 'done')`

/** A task `$2` of the workspace `$1`, by the key `$3`, in the state `$4`, held for `$5` and charged `$6`. */
export const TASK = `
  insert into task (workspace_id, mode, id, key_id, state, operation, dialect, family, requested_model, model, request, wire,
    terms, held_nano_usd, charged_nano_usd, deadline_at, ended_at)
  values ($1, 'live', $2, $3, $4::task_state, 'image', 'kie', 'jobs', 'm', 'm', '{}', '{}', '{}', $5, $6,
    now() + interval '1 hour', case when task_has_ended($4::task_state) then now() end)`

/** What was done, the invariant that it breaks, and how it is done to a busy workspace. */
export type Damage = readonly [
  what: string,
  invariant: string,
  statement: string,
  values: (busy: Busy) => readonly unknown[],
]

export const workspaceOf = ({ payer }: Busy) => payer.account.workspaceId
export const just = (busy: Busy) => [workspaceOf(busy)]
const and = (call: keyof Busy) => (busy: Busy) => [workspaceOf(busy), busy[call]]

export const DAMAGES: readonly Damage[] = [
  [
    'a balance off by one',
    'balance-is-sum-of-entries',
    `update account set balance_nano_usd = balance_nano_usd + 1 where workspace_id = $1 and mode = 'live'`,
    just,
  ],
  [
    'an account that is gone',
    'balance-is-sum-of-entries',
    `delete from account where workspace_id = $1 and mode = 'live'`,
    just,
  ],
  [
    'a lost entry',
    'balance-is-sum-of-entries',
    'delete from ledger_entry where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'held off by one',
    'held-is-sum-of-holds',
    `update account set held_nano_usd = held_nano_usd + 1 where workspace_id = $1 and mode = 'live'`,
    just,
  ],
  [
    'a lost hold',
    'held-is-sum-of-holds',
    'delete from hold where workspace_id = $1 and id = $2',
    and('open'),
  ],
  [
    'less than is held',
    'nothing-below-zero',
    `update account set balance_nano_usd = 29 where workspace_id = $1 and mode = 'live'`,
    just,
  ],
  [
    'less than nothing held',
    'nothing-below-zero',
    `update account set held_nano_usd = -1 where workspace_id = $1 and mode = 'test'`,
    just,
  ],
  [
    'a hold without an account',
    'hold-belongs-to-an-account',
    `delete from account where workspace_id = $1 and mode = 'live'`,
    just,
  ],
  [
    'a hold open and ended',
    'hold-ends-once',
    `insert into ledger_event values ($1, 'hold:' || $2::uuid, 'settled', 0)`,
    and('open'),
  ],
  [
    'a hold past its deadline',
    'no-hold-is-overdue',
    `update hold set deadline = now() - interval '61 seconds' where workspace_id = $1 and id = $2`,
    and('open'),
  ],
  [
    'a hold of a dead node',
    'no-hold-is-overdue',
    `update hold set owner = id, created_at = now() - interval '61 seconds' where workspace_id = $1 and id = $2`,
    and('open'),
  ],
  [
    'a window that holds too much',
    'window-held-is-sum-of-holds',
    `update cap_month set held_by_day[extract(day from now() at time zone 'utc')] = held_nano_usd + 1 where workspace_id = $1 and scope = 'key' and held_nano_usd > 0`,
    just,
  ],
  [
    'a window that is gone',
    'window-held-is-sum-of-holds',
    `delete from cap_month where workspace_id = $1 and scope = 'workspace'`,
    just,
  ],
  [
    'a day that drifted',
    'month-is-sum-of-days',
    `update cap_month set used_by_day[31] = used_by_day[31] + 1 where workspace_id = $1 and scope = 'key'`,
    just,
  ],
  [
    'a month that drifted',
    'month-is-sum-of-days',
    `update cap_month set used_nano_usd = used_nano_usd - 1 where workspace_id = $1 and scope = 'workspace'`,
    just,
  ],
  [
    'a key that drifted from its workspace',
    'workspace-is-sum-of-keys',
    `update cap_month set used_nano_usd = used_nano_usd + 1, used_by_day[1] = used_by_day[1] + 1 where workspace_id = $1 and scope_id = $2`,
    ({ payer }) => [payer.account.workspaceId, payer.keyId],
  ],
  [
    'a charge counted for another key',
    'key-is-sum-of-receipts',
    `update cap_month set used_nano_usd = used_nano_usd + case scope_id when $2 then 5 else -5 end, used_by_day[1] = used_by_day[1] + case scope_id when $2 then 5 else -5 end where workspace_id = $1 and scope = 'key'`,
    ({ payer }) => [payer.account.workspaceId, payer.keyId],
  ],
  [
    'windows that drifted together',
    'windows-are-sum-of-charges',
    `update cap_month set used_nano_usd = used_nano_usd + 5, used_by_day[1] = used_by_day[1] + 5 where workspace_id = $1 and (scope = 'workspace' or scope_id = $2)`,
    ({ payer }) => [payer.account.workspaceId, payer.keyId],
  ],
  [
    'a doubled entry',
    'entry-has-its-event',
    `insert into ledger_entry select workspace_id, mode, id, kind, debit, credit, amount_nano_usd, note, created_at + interval '1 microsecond' from ledger_entry where workspace_id = $1 and id = $2`,
    and('settled'),
  ],
  [
    'a doubled late charge',
    'entry-has-its-event',
    `insert into ledger_entry select workspace_id, mode, id, kind, debit, credit, amount_nano_usd, note, created_at + interval '1 microsecond' from ledger_entry where workspace_id = $1 and id = $2`,
    and('late'),
  ],
  [
    'a doubled loss',
    'entry-has-its-event',
    `insert into ledger_entry select workspace_id, mode, id, kind, debit, credit, amount_nano_usd, note, created_at + interval '1 microsecond' from ledger_entry where workspace_id = $1 and id = $2 and kind = 'operator_loss'`,
    and('lossy'),
  ],
  [
    'an entry without its event',
    'entry-has-its-event',
    `delete from ledger_event where workspace_id = $1 and event_key = 'hold:' || $2::uuid`,
    and('settled'),
  ],
  [
    'an entry of another amount',
    'entry-has-its-event',
    'update ledger_entry set amount_nano_usd = 59 where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'a charge without its entry',
    'event-has-its-entry',
    'delete from ledger_entry where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'a grant without its entry',
    'event-has-its-entry',
    `insert into ledger_event values ($1, 'grant:' || $2::uuid, 'granted', 5)`,
    and('free'),
  ],
  [
    'an event of a kind to come, not named by an id',
    'event-has-its-entry',
    `insert into ledger_event values ($1, 'topup:pi_3Nx', 'paid', 5)`,
    just,
  ],
  [
    'a receipt above the charge',
    'receipt-equals-charge',
    'update usage set charge_nano_usd = 61 where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'a late receipt below the charge',
    'receipt-equals-charge',
    'update usage set charge_nano_usd = 0 where workspace_id = $1 and id = $2',
    and('late'),
  ],
  [
    'a charge without a receipt',
    'receipt-equals-charge',
    'delete from usage where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'a released call without a receipt',
    'receipt-equals-charge',
    'delete from usage where workspace_id = $1 and id = $2',
    and('released'),
  ],
  [
    'a second receipt',
    'receipt-equals-charge',
    `insert into usage select (jsonb_populate_record(u, jsonb_build_object('created_at', u.created_at + interval '1 second'))).* from usage u where workspace_id = $1 and id = $2`,
    and('released'),
  ],
  [
    'a charge above its hold',
    'settled-within-hold',
    'update usage set held_nano_usd = 59 where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'a cost below zero',
    'settled-within-hold',
    'update usage set cost_nano_usd = -1 where workspace_id = $1 and id = $2',
    and('settled'),
  ],
  [
    'a free call that was charged',
    'settled-within-hold',
    'update usage set charge_nano_usd = 1 where workspace_id = $1 and id = $2',
    and('free'),
  ],
  [
    'a release that charged',
    'release-charges-nothing',
    `update ledger_event set amount_nano_usd = 5 where workspace_id = $1 and event_key = 'hold:' || $2::uuid`,
    and('released'),
  ],
  [
    'a failed call that was charged',
    'release-charges-nothing',
    `update usage set outcome = 'timed_out' where workspace_id = $1 and id = $2`,
    and('settled'),
  ],
  [
    'an entry outside its month',
    'no-row-outside-its-month',
    `insert into ledger_entry values ($1, 'live', $2, 'adjustment', 'clearing', 'revenue', 1, null, '2200-01-01')`,
    and('free'),
  ],
  [
    'a usage row outside its month',
    'no-row-outside-its-month',
    `insert into usage select (jsonb_populate_record(u, '{"created_at": "2200-01-01"}')).* from usage u where workspace_id = $1 and id = $2`,
    and('free'),
  ],
  [
    'an answer called done of a call that was released',
    'answer-belongs-to-a-settled-call',
    KEPT_ANSWER,
    and('released'),
  ],
  [
    'an answer called done of a call that is still held',
    'answer-belongs-to-a-settled-call',
    KEPT_ANSWER,
    and('open'),
  ],
  [
    'an answer called done of a call that never was',
    'answer-belongs-to-a-settled-call',
    KEPT_ANSWER,
    busy => [workspaceOf(busy), ids.next()],
  ],
  [
    'a task that ended and still holds',
    'ended-task-holds-nothing',
    `update task set state = 'failed', ended_at = now() where workspace_id = $1 and id = $2`,
    and('running'),
  ],
  [
    'an open task whose hold is lost',
    'open-task-has-its-hold',
    'delete from hold where workspace_id = $1 and id = $2',
    and('running'),
  ],
  [
    'an open task that holds less than it was submitted for',
    'open-task-has-its-hold',
    'update hold set amount_nano_usd = amount_nano_usd - 1 where workspace_id = $1 and id = $2',
    and('running'),
  ],
  [
    'an open task whose hold a dead node would take along',
    'open-task-has-its-hold',
    'update hold set owner = id where workspace_id = $1 and id = $2',
    and('running'),
  ],
  [
    'an open task that holds to another account',
    'open-task-has-its-hold',
    `update task set mode = 'test' where workspace_id = $1 and id = $2`,
    and('running'),
  ],
  [
    'a free task that holds',
    'open-task-has-its-hold',
    'update task set held_nano_usd = 0 where workspace_id = $1 and id = $2',
    and('running'),
  ],
  [
    'a hold of no node and no task',
    'hold-without-owner-has-its-task',
    'delete from task where workspace_id = $1 and id = $2',
    and('running'),
  ],
  [
    'a hold of no node, of a call that is no task',
    'hold-without-owner-has-its-task',
    'update hold set owner = null where workspace_id = $1 and id = $2',
    and('open'),
  ],
  [
    'a task charged less than the ledger took',
    'task-charge-is-its-receipt',
    'update task set charged_nano_usd = charged_nano_usd - 1 where workspace_id = $1 and id = $2',
    and('made'),
  ],
  [
    'a task called failed that was charged',
    'task-charge-is-its-receipt',
    `update task set state = 'failed', charged_nano_usd = 0 where workspace_id = $1 and id = $2`,
    and('made'),
  ],
  [
    'a task called succeeded whose hold was given back',
    'task-charge-is-its-receipt',
    `update task set state = 'succeeded', charged_nano_usd = 5 where workspace_id = $1 and id = $2`,
    and('failed'),
  ],
  [
    'a free task without a receipt',
    'task-charge-is-its-receipt',
    'delete from usage where workspace_id = $1 and id = $2',
    and('gift'),
  ],
  [
    'a task charged twice',
    'task-charge-is-its-receipt',
    `insert into ledger_entry select workspace_id, mode, id, 'late_charge', debit, credit, amount_nano_usd, note, created_at + interval '1 microsecond' from ledger_entry where workspace_id = $1 and id = $2`,
    and('made'),
  ],
]
