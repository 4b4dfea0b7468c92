/** Rows of the table `task` as the driver gives them, and what is asked for to have them. */
import type { Mode } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Json, JsonObject } from '#spec/json.ts'
import type { MediaOperation, MediaOperationName } from '#spec/operation.ts'
import type { TaskFailure, TaskStage, TaskState } from '#spec/task.ts'
import type { LeasedTask, StoredTask, TaskWork } from './record.ts'

/** Of a table or function `t`. */
export const COLUMNS = `t.*, extract(epoch from t.deadline_at - now()) * 1000 as ms_to_deadline`

export interface TaskRow {
  workspace_id: Uuid
  mode: Mode
  id: Uuid
  key_id: Uuid
  state: TaskState
  operation: MediaOperationName
  dialect: string
  family: string
  requested_model: string
  model: string
  request: MediaOperation
  wire: JsonObject
  terms: JsonObject
  callback_url: string | null
  held_nano_usd: bigint
  charged_nano_usd: bigint
  work: TaskWork
  progress: number | null
  stage: TaskStage | null
  result: Json
  failure: TaskFailure | null
  provider: string | null
  upstream_model: string | null
  revision: number
  lease_epoch: number
  created_at: Date
  started_at: Date | null
  ended_at: Date | null
  ms_to_deadline: string | number
}

export function taskOf(row: TaskRow): StoredTask {
  return {
    account: { workspaceId: row.workspace_id, mode: row.mode },
    id: row.id,
    keyId: row.key_id,
    state: row.state,
    operation: row.operation,
    dialect: row.dialect,
    family: row.family,
    requestedModel: row.requested_model,
    model: row.model,
    request: row.request,
    wire: row.wire,
    terms: row.terms,
    callbackUrl: row.callback_url ?? undefined,
    heldNanoUsd: row.held_nano_usd,
    chargedNanoUsd: row.charged_nano_usd,
    work: row.work,
    progress: row.progress ?? undefined,
    stage: row.stage ?? undefined,
    result: row.result ?? undefined,
    failure: row.failure ?? undefined,
    provider: row.provider ?? undefined,
    upstreamModel: row.upstream_model ?? undefined,
    revision: row.revision,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    msToDeadline: Number(row.ms_to_deadline),
  }
}

export function leasedOf(row: TaskRow): LeasedTask {
  const task = taskOf(row)
  return { lease: { account: task.account, id: task.id, epoch: row.lease_epoch }, task }
}
