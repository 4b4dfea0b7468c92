/**
 * Everything that can go wrong at a provider, on request. A fault is asked for by its model (`sandbox/<name>`)
 * or, at any model, by a last user message (or an only input, for embeddings) that is exactly `sandbox:<name>`.
 * Docs and the catalogue are made from this table.
 */
import { ProviderFailure } from '#spec/provider.ts'

/** What a fault does. Shares are of the answer's pieces. */
export type FaultEffect =
  /** Fails before anything of an answer. */
  | { readonly kind: 'refuse'; failure(): ProviderFailure }
  /** Streams the share and is then silent until the time-out. What is not streamed is silent from the start. */
  | { readonly kind: 'silence'; readonly share: number }
  /** Streams the share and then breaks. What is not streamed fails as the vendor's error. */
  | { readonly kind: 'break'; readonly share: number; readonly message: string }
  | { readonly kind: 'pace'; readonly tokensPerSecond?: number; readonly firstTokenDelayMs?: number }
  | { readonly kind: 'usage'; readonly report: 'nothing' | 'above-hold' }
  | { readonly kind: 'answer'; readonly answer: 'empty' | 'filtered' }

export interface Fault {
  readonly name: string
  /** What a client of it sees, in a sentence. */
  readonly sentence: string
  /** Whether embeddings have it too. */
  readonly embeddings: boolean
  readonly effect: FaultEffect
}

const RETRY_AFTER_SECONDS = 2
const SLOW_TOKENS_PER_SECOND = 2
const SLOW_FIRST_TOKEN_MS = 5_000

function refusal(...[kind, message, details]: ConstructorParameters<typeof ProviderFailure>): FaultEffect {
  return { kind: 'refuse', failure: () => new ProviderFailure(kind, message, details) }
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'error-400',
    sentence: 'The provider calls the request itself wrong.',
    embeddings: true,
    effect: refusal('rejected', 'The sandbox was asked to reject this request.', { status: 400 }),
  },
  {
    name: 'error-500',
    sentence: 'The provider fails with an internal error.',
    embeddings: true,
    effect: refusal('vendor', 'The sandbox was asked to fail with status 500.', { status: 500 }),
  },
  {
    name: 'error-502',
    sentence: 'The provider fails with a bad gateway.',
    embeddings: true,
    effect: refusal('vendor', 'The sandbox was asked to fail with status 502.', { status: 502 }),
  },
  {
    name: 'error-503',
    sentence: 'The provider is overloaded and does no work.',
    embeddings: true,
    effect: refusal('unavailable', 'The sandbox was asked to be overloaded.', { status: 503 }),
  },
  {
    name: 'rate-limited',
    sentence: `The provider refuses with 429 and asks for ${RETRY_AFTER_SECONDS} seconds of patience.`,
    embeddings: true,
    effect: refusal('rate-limited', 'The sandbox was asked to be rate limited.', {
      status: 429,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    }),
  },
  {
    name: 'content-rejected',
    sentence: 'The provider refuses the content by its policy.',
    embeddings: true,
    effect: refusal('content-rejected', 'The sandbox was asked to reject this content.', { status: 400 }),
  },
  {
    name: 'context-length',
    sentence: 'The provider says that the input is too long for the model.',
    embeddings: true,
    effect: refusal('context-length', 'The sandbox was asked to find this input too long.', { status: 400 }),
  },
  {
    name: 'malformed',
    sentence: 'The provider says success and sends something that is no answer.',
    embeddings: true,
    effect: refusal('vendor', 'The sandbox was asked to answer with something that cannot be read.', {
      status: 200,
    }),
  },
  {
    name: 'timeout',
    sentence: 'The provider never begins to answer; the call ends at the time-out.',
    embeddings: true,
    effect: { kind: 'silence', share: 0 },
  },
  {
    name: 'hang',
    sentence: 'The provider streams a third of its answer and is silent until the time-out.',
    embeddings: true,
    effect: { kind: 'silence', share: 1 / 3 },
  },
  {
    name: 'cut-stream',
    sentence: 'The connection to the provider breaks in the middle of the answer.',
    embeddings: true,
    effect: { kind: 'break', share: 1 / 2, message: 'The sandbox was asked to break off its answer.' },
  },
  {
    name: 'error-mid-stream',
    sentence: 'The provider sends an error after a third of its answer.',
    embeddings: true,
    effect: { kind: 'break', share: 1 / 3, message: 'The sandbox was asked to send an error in its answer.' },
  },
  {
    name: 'slow',
    sentence: `The provider streams ${SLOW_TOKENS_PER_SECOND} tokens a second.`,
    embeddings: false,
    effect: { kind: 'pace', tokensPerSecond: SLOW_TOKENS_PER_SECOND },
  },
  {
    name: 'slow-first-token',
    sentence: `The provider thinks for ${SLOW_FIRST_TOKEN_MS / 1_000} seconds before the first token.`,
    embeddings: true,
    effect: { kind: 'pace', firstTokenDelayMs: SLOW_FIRST_TOKEN_MS },
  },
  {
    name: 'no-usage',
    sentence: 'The provider answers and reports no usage; the charge is estimated.',
    embeddings: true,
    effect: { kind: 'usage', report: 'nothing' },
  },
  {
    name: 'usage-above-hold',
    sentence:
      'The provider answers and reports far more usage than the call could have; no more than the hold is charged.',
    embeddings: true,
    effect: { kind: 'usage', report: 'above-hold' },
  },
  {
    name: 'empty',
    sentence: 'The provider answers with no text at all.',
    embeddings: false,
    effect: { kind: 'answer', answer: 'empty' },
  },
  {
    name: 'content-filter',
    sentence: 'The provider stops in the middle of its answer with finish reason content_filter.',
    embeddings: false,
    effect: { kind: 'answer', answer: 'filtered' },
  },
]

const BY_NAME: ReadonlyMap<string, Fault> = new Map(FAULTS.map(fault => [fault.name, fault]))

export const MODEL_PREFIX = 'sandbox/'
export const PROMPT_PREFIX = 'sandbox:'

/** The fault that a model or else a prompt asks for. A prompt asks only when it is nothing else. */
export function faultOf(model: string, prompt: string): Fault | undefined {
  return named(model, MODEL_PREFIX) ?? (prompt.length < 100 ? named(prompt.trim(), PROMPT_PREFIX) : undefined)
}

function named(text: string, prefix: string): Fault | undefined {
  return text.startsWith(prefix) ? BY_NAME.get(text.slice(prefix.length)) : undefined
}
