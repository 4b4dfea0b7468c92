/** One vendor as configured here: its spec, its settings, and the way out. */
import { peekSource } from '#lib/peek-source.ts'
import type { Clock, Exchange, OutboundAnswer, OutboundHead, OutboundRequest } from '#spec/ports.ts'
import type { ProviderSettings } from '#spec/provider.ts'
import type { TaskContext } from '#spec/task-provider.ts'
import type { Address } from './address.ts'
import { openAnswer } from './answer-stream.ts'
import type { CallRule } from './call-rules.ts'
import type { EncodedBody } from './multipart.ts'
import { parseAnswer } from './parse-answer.ts'
import type { FailureRules, FamilySpec, TaskProviderSpec } from './spec.ts'
import { thrownByExchange } from './task-failure.ts'

export interface VendorLine {
  readonly spec: TaskProviderSpec
  readonly settings: ProviderSettings
  readonly exchange: Exchange
  readonly clock: Clock
}

export interface VendorAnswer {
  readonly head: OutboundHead
  /** Parsed JSON, or `undefined` where it is none that can be used. */
  readonly body: unknown
  /** The answer is a file, of at least one byte. To be read once, soon. */
  readonly file?: AsyncIterable<Uint8Array> | undefined
}

/** One call as it will be sent. */
export interface VendorCall {
  readonly method: OutboundRequest['method']
  readonly address: Address
  readonly body?: EncodedBody | undefined
  readonly rule?: Pick<CallRule, 'headers' | 'accept'> | undefined
  /** Whether the answer may be a file. */
  readonly mayBeFile?: boolean | undefined
  readonly answersWithinMs?: number | undefined
}

/** Results with files inside them are the longest there are. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024

export function jsonBody(body: object | undefined): EncodedBody | undefined {
  return body === undefined ? undefined : { contentType: 'application/json', body: JSON.stringify(body) }
}

/** One call, once. Throws a ProviderFailure where no whole answer came. The credential goes to trusted addresses alone. */
export async function send(line: VendorLine, call: VendorCall, context: TaskContext): Promise<VendorAnswer> {
  try {
    const request = requestOf(line, call, context)
    if (call.mayBeFile !== true) return documentOf(await line.exchange.fetch(request))
    const opened = await openAnswer(line.exchange, request, isFile)
    if (opened.kind === 'whole') return documentOf(opened.answer)
    const { head, whole } = await peekSource(opened.pieces, 1)
    return { head: opened.head, body: undefined, file: head.length === 0 ? undefined : whole }
  } catch (error) {
    throw thrownByExchange(line.spec.title, error)
  }
}

function requestOf(
  { spec, settings, clock }: VendorLine,
  call: VendorCall,
  context: TaskContext,
): OutboundRequest {
  const { method, address, body, rule } = call
  const { auth } = spec
  const token = () => auth.token?.(settings, clock.nowMs()) ?? settings.apiKey
  const trusted = address.trusted
    ? { ...spec.headers, ...rule?.headers, [auth.header]: `${auth.prefix}${token()}` }
    : {}
  return {
    method,
    url: address.url,
    headers: {
      accept: rule?.accept ?? 'application/json',
      ...(body === undefined ? {} : { 'content-type': body.contentType }),
      ...trusted,
    },
    body: body?.body,
    timeouts: patient(context.timeouts, call.answersWithinMs),
    signal: context.signal,
    maxResponseBytes: MAX_RESPONSE_BYTES,
  }
}

/** A vendor that makes the file before it answers is silent until then; and then the file is still to come. */
function patient(timeouts: TaskContext['timeouts'], withinMs = 0): TaskContext['timeouts'] {
  return {
    ...timeouts,
    firstByteMs: Math.max(timeouts.firstByteMs, withinMs),
    totalMs: Math.max(timeouts.totalMs, withinMs === 0 ? 0 : withinMs + timeouts.totalMs),
  }
}

/** A success that says it is no text: whatever a page in between puts there is text. */
function isFile({ status, headers }: OutboundHead): boolean {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  return status >= 200 && status < 300 && type !== '' && !/^(text\/|application\/(.*\+)?json$)/.test(type)
}

function documentOf(head: OutboundAnswer): VendorAnswer {
  return { head, body: parseAnswer(head.body) }
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
