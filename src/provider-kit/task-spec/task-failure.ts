/** Why a create call was refused, why a look at a job told nothing, and why a job failed. */
import { ExchangeFailure, type OutboundHead } from '#spec/ports.ts'
import { ProviderFailure, type ProviderFailureKind } from '#spec/provider.ts'
import type { Checked } from '#spec/task-provider.ts'
import { failureOfExchange, retryAfterSeconds } from '../classify.ts'
import { presentableMessage } from '../vendor-message.ts'
import { readText } from './read-answer.ts'
import type { FailureRules } from './spec.ts'

/** What the vendor says is wrong: text to look for words in, and its own code. */
interface Complaint {
  readonly code: string | undefined
  readonly message: string | undefined
}

function complaintOf(rules: FailureRules, body: unknown): Complaint {
  return { code: readText(body, rules.code), message: readText(body, rules.message) }
}

function speaksOf(complaint: Complaint, words: readonly string[] | undefined): boolean {
  if (words === undefined) return false
  const text = `${complaint.code ?? ''} ${complaint.message ?? ''}`.toLowerCase()
  return words.some(word => text.includes(word))
}

/**
 * The failure a refused create call is. `unavailable`, `rate-limited`, `rejected`, `content-rejected` and `credential` are
 * given only where the vendor said so in an answer of its own: everything else may have run.
 */
export function failureOfRefusal(
  title: string,
  rules: FailureRules,
  head: OutboundHead,
  body: unknown,
): ProviderFailure {
  const complaint = complaintOf(rules, body)
  const kind = kindOfRefusal(rules, head.status, complaint)
  return new ProviderFailure(kind, messageFor(kind, title, complaint.message), {
    status: head.status,
    retryAfterSeconds: retryAfterSeconds(head.headers),
  })
}

function kindOfRefusal(rules: FailureRules, status: number, complaint: Complaint): ProviderFailureKind {
  const { kinds = {} } = rules
  const named =
    complaint.code !== undefined && Object.hasOwn(kinds, complaint.code) ? kinds[complaint.code] : undefined
  const numeric = Number(complaint.code)
  const code = status < 300 && numeric >= 300 && numeric < 600 ? numeric : status
  const kind = named ?? kinds[String(status)] ?? kindOfStatus(code)
  // A 5xx may have run whatever it says.
  const refused = kind === 'rejected' || kind === 'credential' || kind === 'rate-limited'
  if (!refused) return kind
  if (speaksOf(complaint, rules.accountWords)) return 'credential'
  return speaksOf(complaint, rules.moderationWords) ? 'content-rejected' : kind
}

function kindOfStatus(status: number): ProviderFailureKind {
  if (status === 401 || status === 402 || status === 403) return 'credential'
  if (status === 408 || status === 504) return 'timeout'
  if (status === 429) return 'rate-limited'
  if (status === 503 || status === 529) return 'unavailable'
  if (status === 409 || status === 425) return 'vendor'
  return status >= 400 && status < 500 ? 'rejected' : 'vendor'
}

/**
 * Why a look at a job told nothing. Never a verdict on the job, so never `rejected`: a poll that is answered with 404 may
 * be answered otherwise in a second.
 */
export function failureOfLook(
  title: string,
  rules: FailureRules,
  head: OutboundHead,
  body: unknown,
): ProviderFailure {
  const kind = kindOfRefusal(rules, head.status, complaintOf(rules, body))
  const shown = kind === 'rejected' || kind === 'content-rejected' ? 'vendor' : kind
  return new ProviderFailure(shown, messageFor(shown, title, undefined), {
    status: head.status,
    retryAfterSeconds: retryAfterSeconds(head.headers),
  })
}

/** What the exchange threw, in a provider's words; anything else comes through as it is. */
export function thrownByExchange(title: string, error: unknown): unknown {
  return error instanceof ExchangeFailure ? failureOfExchange(title, error, false) : error
}

/**
 * An answer that is not what it should be. Thrown by `check` it means: look again; by `start`: unknown, or with a status that
 * the vendor has answered and nothing more will come.
 */
export function unreadableAnswer(title: string, status?: number): ProviderFailure {
  return new ProviderFailure('vendor', `${title} answered with something that could not be read`, { status })
}

type Failed = Extract<Checked, { readonly kind: 'failed' }>

/** A job that failed, by what the vendor says of it. `told`: states that say more than the words beside them. */
export function failedJob(title: string, rules: FailureRules, body: unknown, word?: string): Failed {
  const complaint = complaintOf(rules, body)
  const spoken = { code: `${complaint.code ?? ''} ${word ?? ''}`, message: complaint.message }
  if (speaksOf(spoken, rules.moderationWords)) return moderatedJob(title, complaint.message)
  if (rules.clientCodes?.includes(complaint.code ?? '') || speaksOf(spoken, rules.clientWords)) {
    const message = presentableMessage(complaint.message) ?? `${title} refused the request`
    return { kind: 'failed', fault: 'client', message, retryable: false }
  }
  return { kind: 'failed', fault: 'vendor', message: `${title} failed to make it`, retryable: true }
}

export function moderatedJob(title: string, message: string | undefined): Failed {
  return {
    kind: 'failed',
    fault: 'moderation',
    message: presentableMessage(message) ?? `${title} refused the content`,
    retryable: false,
  }
}

function messageFor(kind: ProviderFailureKind, title: string, message: string | undefined): string {
  switch (kind) {
    case 'rejected':
      return presentableMessage(message) ?? `${title} refused the request`
    case 'content-rejected':
      return presentableMessage(message) ?? `${title} refused the content of the request`
    case 'credential':
      return `${title} does not accept this gateway's account at the moment`
    case 'rate-limited':
      return `${title} is limiting the rate of this gateway's calls`
    case 'unavailable':
      return `${title} is not available at the moment`
    case 'timeout':
      return `${title} did not answer in time`
    default:
      return `${title} failed to answer`
  }
}
