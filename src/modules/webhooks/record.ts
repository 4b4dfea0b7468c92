/** Deliveries as the worker sees them. */
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Verdict } from './schedule.ts'

export interface NewDelivery {
  readonly account: AccountRef
  readonly id: Uuid
  readonly taskId: Uuid
  readonly endpointId: Uuid | undefined
  readonly url: string
  /** Deliveries of one lane share a place: a place that is slow or gone delays its own lane alone. */
  readonly lane: string
  readonly event: string
  readonly dialect: string
  readonly body: string
}

export interface LeasedDelivery extends NewDelivery {
  readonly epoch: number
  /** Made before this one, since it was written or last replayed: its place in the schedule. */
  readonly tries: number
  /** That sign it: the newest first. Empty where its endpoint is off or gone: it is dropped. */
  readonly secrets: readonly string[]
}

export interface TriedDelivery {
  readonly delivery: LeasedDelivery
  readonly status: number | undefined
  readonly error: string | undefined
  readonly durationMs: number
  readonly verdict: Verdict
}

/** By endpoint, or by the workspace and the host that its request named: no workspace waits for another's receiver. */
export function laneOf(workspaceId: Uuid, url: string, endpointId: Uuid | undefined): string {
  return endpointId ?? `${workspaceId}/${URL.parse(url)?.host ?? url.slice(0, 100)}`
}
