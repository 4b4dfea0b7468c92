/** A task as its row says, and the leases that let a worker write to it. */
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Json, JsonObject } from '#spec/json.ts'
import type { MediaOperation, MediaOperationName } from '#spec/operation.ts'
import type { EndState, TaskFailure, TaskStage, TaskState } from '#spec/task.ts'
import type { Attempt } from './attempts.ts'

/** What is written when a task is submitted. */
export interface NewTask {
  readonly account: AccountRef
  /** The request's id, which its hold has too. */
  readonly id: Uuid
  readonly keyId: Uuid
  readonly operation: MediaOperationName
  readonly dialect: string
  readonly family: string
  readonly requestedModel: string
  readonly model: string
  /** Every default filled in. */
  readonly request: MediaOperation
  readonly wire: JsonObject
  /** What settling needs, frozen. The gateway's own; nobody else reads it. */
  readonly terms: JsonObject
  readonly callbackUrl: string | undefined
  readonly heldNanoUsd: bigint
  readonly deadlineMs: number
}

export interface StoredTask extends Omit<NewTask, 'deadlineMs'> {
  readonly state: TaskState
  readonly work: TaskWork
  readonly progress: number | undefined
  readonly stage: TaskStage | undefined
  readonly result: Json | undefined
  readonly failure: TaskFailure | undefined
  readonly provider: string | undefined
  readonly upstreamModel: string | undefined
  readonly chargedNanoUsd: bigint
  readonly revision: number
  readonly createdAt: Date
  readonly startedAt: Date | undefined
  readonly endedAt: Date | undefined
  /** How long until the deadline by the database's clock, when the row was read; negative: it has passed. */
  readonly msToDeadline: number
}

/** A worker's notes, of one task. */
export interface TaskWork {
  readonly attempts: readonly Attempt[]
  /** Steps in a row that failed for want of an answer: polls, downloads. They wait longer each time. */
  readonly troubles?: number | undefined
}

/** The right to write to one task, until it is lost: to a worker that took it over, or to the task's end. */
export interface Lease {
  readonly account: AccountRef
  readonly id: Uuid
  readonly epoch: number
}

/** A task that this worker holds the lease of. */
export interface LeasedTask {
  readonly lease: Lease
  readonly task: StoredTask
}

/** What one step learned. What is left out stays as it is. */
export interface StepChanges {
  readonly work: TaskWork
  readonly state?: 'running' | undefined
  /** Never goes back: a smaller one than the row's is ignored. */
  readonly progress?: number | undefined
  readonly stage?: TaskStage | undefined
  readonly result?: Json | undefined
  readonly provider?: string | undefined
  readonly upstreamModel?: string | undefined
  /** The provider that had no free seat for it: it keeps its place in the line there. Left out: it waits for none. */
  readonly waitsFor?: string | undefined
}

/** A seat for one create call, at a provider that takes so many jobs at once. */
export interface SeatWanted {
  readonly provider: string
  readonly limit: number
  /** Of the attempt. */
  readonly reference: Uuid
}

/** `waiting`: how many tasks wait for a seat at that provider, this one included; 1,200 at most. */
export type Seat = { readonly isTaken: true } | { readonly isTaken: false; readonly waiting: number }

/** How a task ends. */
export interface TaskEnd {
  readonly state: EndState
  readonly work: TaskWork
  readonly result: Json | undefined
  readonly failure: TaskFailure | undefined
  readonly provider: string | undefined
  readonly upstreamModel: string | undefined
  readonly chargedNanoUsd: bigint
  readonly sizeBytes: number
}
