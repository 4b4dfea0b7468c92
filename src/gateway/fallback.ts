/** What a provider's failure means for the call: is there a next try, and what the client is told if there is none. */
import { GatewayError } from '#spec/errors.ts'
import { ProviderFailure, type ProviderFailureKind } from '#spec/provider.ts'
import type { Outcome } from '#spec/receipt.ts'

export interface Verdict {
  readonly failure: ProviderFailure
  /** Whether another offering may be asked, as long as the client has received nothing. */
  readonly mayFailOver: boolean
  /** How it counts for the circuit of the provider. */
  readonly circuit: 'failed' | 'neutral'
  readonly error: GatewayError
  readonly outcome: Outcome
}

/** Reads whatever a provider threw. Anything but a ProviderFailure is a bug of the adapter and counts as the vendor's fault. */
export function verdictOf(thrown: unknown): Verdict {
  const failure =
    thrown instanceof ProviderFailure
      ? thrown
      : new ProviderFailure('vendor', 'The provider answered in a way that could not be read.', {
          cause: thrown,
        })
  return { failure, ...RULES[failure.kind](failure) }
}

type Rule = (failure: ProviderFailure) => Omit<Verdict, 'failure'>

const vendorFault =
  (message: string): Rule =>
  failure => ({
    mayFailOver: true,
    circuit: 'failed',
    error: new GatewayError('upstream_error', message, {
      cause: failure,
      retryAfterSeconds: failure.retryAfterSeconds,
    }),
    outcome: 'upstream_failed',
  })

const clientFault =
  (code: 'upstream_rejected' | 'content_rejected' | 'context_length_exceeded'): Rule =>
  failure => ({
    mayFailOver: false,
    circuit: 'neutral',
    error: new GatewayError(code, failure.message, { cause: failure }),
    outcome: 'rejected',
  })

const RULES: Readonly<Record<ProviderFailureKind, Rule>> = {
  unavailable: vendorFault('The provider cannot be reached right now. Nothing was charged.'),
  vendor: vendorFault('The provider failed to answer. Nothing was charged.'),
  interrupted: vendorFault('The provider broke off its answer. Nothing was charged.'),
  credential: failure => ({
    mayFailOver: true,
    circuit: 'neutral',
    error: new GatewayError(
      'upstream_error',
      'The provider refused this gateway, not you; its operator has to look. Nothing was charged.',
      { cause: failure },
    ),
    outcome: 'upstream_failed',
  }),
  'rate-limited': failure => ({
    mayFailOver: true,
    circuit: 'neutral',
    error: new GatewayError(
      'upstream_rate_limited',
      'The provider is busy. Nothing was charged; try again shortly.',
      {
        retryAfterSeconds: failure.retryAfterSeconds ?? 1,
        cause: failure,
      },
    ),
    outcome: 'upstream_failed',
  }),
  timeout: failure => ({
    mayFailOver: true,
    circuit: 'failed',
    error: new GatewayError('upstream_timeout', 'The provider took too long. Nothing was charged.', {
      cause: failure,
    }),
    outcome: 'timed_out',
  }),
  rejected: clientFault('upstream_rejected'),
  'content-rejected': clientFault('content_rejected'),
  'context-length': clientFault('context_length_exceeded'),
  aborted: failure => ({
    mayFailOver: false,
    circuit: 'neutral',
    error: new GatewayError('server_draining', 'The gateway is stopping. Nothing was charged; try again.', {
      retryAfterSeconds: 1,
      cause: failure,
    }),
    outcome: 'internal_failure',
  }),
}
