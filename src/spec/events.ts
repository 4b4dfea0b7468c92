/**
 * What happened, in the past tense, for counters and logs. The only place where business events leave the gateway.
 * Fields have few values each: nothing here may carry a key, a workspace, a prompt or an output.
 */
import type { ErrorCode } from './errors.ts'
import type { ProviderFailureKind } from './provider.ts'
import type { Outcome } from './receipt.ts'

export interface UpstreamCalled {
  readonly provider: string
  readonly operation: string
  readonly result: 'succeeded' | ProviderFailureKind
  readonly durationMs: number
}

export interface CallEnded {
  readonly operation: string
  readonly outcome: Outcome
  readonly chargeNanoUsd: bigint
  readonly costNanoUsd: bigint
  /** What could not be charged: the operator pays. */
  readonly lostNanoUsd: bigint
  readonly estimated: boolean
}

export interface CallbackTried {
  /** `again`: it failed and is tried later; `dropped`: the receiver wants no more. */
  readonly outcome: 'delivered' | 'again' | 'exhausted' | 'dropped'
  readonly durationMs: number
}

export interface Events {
  upstreamCalled(event: UpstreamCalled): void
  callEnded(event: CallEnded): void
  callRefused(event: { readonly code: ErrorCode }): void
  circuitOpened(event: { readonly provider: string; readonly upstreamModel: string }): void
  callbackTried(event: CallbackTried): void
}
