/** One vendor as configured here: its spec, its settings, and the way out. */
import type { Exchange, OutboundAnswer, OutboundRequest } from '#spec/ports.ts'
import type { ProviderSettings } from '#spec/provider.ts'
import type { TaskContext } from '#spec/task-provider.ts'
import { parseJson } from '../classify.ts'
import type { Address } from './address.ts'
import type { FailureRules, FamilySpec, TaskProviderSpec } from './spec.ts'
import { thrownByExchange } from './task-failure.ts'

export interface VendorLine {
  readonly spec: TaskProviderSpec
  readonly settings: ProviderSettings
  readonly exchange: Exchange
}

export interface VendorAnswer {
  readonly head: OutboundAnswer
  /** Parsed JSON, or `undefined` where it is none. */
  readonly body: unknown
}

/** Results with files inside them are the longest there are. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024

/** One call, once. Throws a ProviderFailure where no whole answer came. The credential goes to trusted addresses alone. */
export async function send(
  line: VendorLine,
  method: OutboundRequest['method'],
  address: Address,
  body: object | undefined,
  context: TaskContext,
): Promise<VendorAnswer> {
  const { auth, headers, title } = line.spec
  try {
    const head = await line.exchange.fetch({
      method,
      url: address.url,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(address.trusted ? { ...headers, [auth.header]: `${auth.prefix}${line.settings.apiKey}` } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      timeouts: context.timeouts,
      signal: context.signal,
      maxResponseBytes: MAX_RESPONSE_BYTES,
    })
    return { head, body: parseJson(head.body) }
  } catch (error) {
    throw thrownByExchange(title, error)
  }
}

export function isSuccess({ head }: VendorAnswer): boolean {
  return head.status >= 200 && head.status < 300
}

/** The vendor's rules with what this family has otherwise. */
export function failureRulesOf(spec: TaskProviderSpec, family: FamilySpec): FailureRules {
  return { ...spec.failure, ...family.failure, kinds: { ...spec.failure.kinds, ...family.failure?.kinds } }
}

/** The first family with a pattern for the model; `*` in a pattern is any text. */
export function familyOf(spec: TaskProviderSpec, model: string): FamilySpec | undefined {
  return spec.families.find(family => family.models.some(pattern => matches(pattern, model)))
}

/** Whether the text fits the pattern, in which `*` is any text and nothing else is special. */
export function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (!text.startsWith(first)) return false
  if (rest.length === 0) return text === pattern
  const last = rest.pop() ?? ''
  let at = first.length
  for (const piece of rest) {
    const found = text.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
