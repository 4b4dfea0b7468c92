/** What a worker writes under its lease: each changes no row where the lease is another's. */
import type { Lease, StepChanges } from './record.ts'

/** The task of a lease that still holds, open. Takes `leaseValues` as its first parameters. */
export const MINE = `t.workspace_id = $1 and t.id = $2 and t.lease_epoch = $3 and t.state in ('queued', 'running')`

const CHANGES = `work = $4, state = coalesce($5::task_state, t.state),
    started_at = case when $5 = 'running' then coalesce(t.started_at, now()) else t.started_at end,
    progress = greatest(t.progress, $6::real), stage = coalesce($7, t.stage), result = coalesce($8::json, t.result),
    provider = coalesce($9, t.provider), upstream_model = coalesce($10, t.upstream_model),
    revision = t.revision + case when $5::task_state is distinct from t.state and $5 is not null
      or coalesce($6::real > coalesce(t.progress, -1), false) or $7 is not null or $8 is not null then 1 else 0 end`

/** How many values `changeValues` gives. */
export const CHANGE_VALUES = 10

/** Takes `changeValues`. */
export const NOTE = `update task t set ${CHANGES} where ${MINE}`

/** Takes `changeValues`, the delay in milliseconds, and the provider whose line it stands in. */
export const RELEASE = `update task t set ${CHANGES}, leased_by = null, nudged = false, waits_for = $12,
    due_at = case when t.nudged then now() else now() + $11 * interval '1 millisecond' end where ${MINE}`

/**
 * Takes `leaseValues` and the delay in milliseconds. Names `work`, so that a seat that was taken for a call that was
 * then not sent is given back. It stands in no line: a step that throws every time before it comes to its seat would keep
 * the next free one from all others.
 */
export const RELEASE_ONLY = `update task t set leased_by = null, nudged = false, waits_for = null, work = t.work,
    due_at = case when t.nudged then now() else now() + $4 * interval '1 millisecond' end where ${MINE}`

export function leaseValues({ account, id, epoch }: Lease): unknown[] {
  return [account.workspaceId, id, epoch]
}

export function changeValues(lease: Lease, changes: StepChanges): unknown[] {
  return [
    ...leaseValues(lease),
    JSON.stringify(changes.work),
    changes.state ?? null,
    changes.progress ?? null,
    changes.stage ?? null,
    changes.result === undefined ? null : JSON.stringify(changes.result),
    changes.provider ?? null,
    changes.upstreamModel ?? null,
  ]
}
