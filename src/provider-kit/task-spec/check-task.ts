/** One look at a job. What cannot be told from it is thrown, and looked at again; only the vendor's own word ends a job. */
import type { Json } from '#spec/json.ts'
import type { Checked, TaskContext } from '#spec/task-provider.ts'
import { presentableMessage as presentable } from '../vendor-message.ts'
import { type Address, allowedAddress, ownAddress } from './address.ts'
import { billedUnits } from './billed-units.ts'
import { fieldsOf, fillPath, queryOf } from './body-fields.ts'
import type { BinaryRule, CallRule } from './call-rules.ts'
import { fileOf } from './done-at-once.ts'
import { type OpenHandle, openHandle, taken, withFacts } from './handle.ts'
import { readOutputs } from './outputs.ts'
import { parseAnswer } from './parse-answer.ts'
import { holds, readResult, readText, readValues } from './read-answer.ts'
import type { FailureRules, PollRule, ResultRule, StateRule } from './spec.ts'
import { stateOfWord } from './state-words.ts'
import { failedJob, failureOfLook, moderatedJob, unreadableAnswer } from './task-failure.ts'
import {
  failureRulesOf,
  isSuccess,
  jsonBody,
  send,
  type VendorAnswer,
  type VendorLine,
} from './vendor-line.ts'

export async function checkTask(line: VendorLine, handle: Json, context: TaskContext): Promise<Checked> {
  const open = openHandle(handle, line.spec.families)
  const poll = open?.family.poll
  if (open === undefined || poll === undefined) throw unreadableAnswer(line.spec.title)
  const look = new Look(line, open, poll, context)
  const checked = await look.read()
  // Something was made, and billed, before this step: nobody else shall make it again.
  return checked.kind === 'failed' && open.before.length > 0 ? { ...checked, retryable: false } : checked
}

/** Where a rule's call goes: the kept address where it may be called with the credential, else the path. */
export function addressOf(line: VendorLine, open: OpenHandle, rule: CallRule): Address {
  const { baseUrl } = line.settings
  const kept = rule.handleUrl === undefined ? undefined : open.facts.get(rule.handleUrl)
  if (typeof kept === 'string') {
    const { hosts, credentialHosts } = line.spec
    const address = allowedAddress(kept, baseUrl, hosts, credentialHosts)
    if (address?.trusted === true || (address !== undefined && rule.path === '')) return address
  }
  return ownAddress(`${fillPath(rule.path, open.facts)}${queryOf(rule.query, open.facts)}`, baseUrl)
}

class Look {
  readonly #line: VendorLine
  readonly #open: OpenHandle
  readonly #poll: PollRule
  readonly #context: TaskContext
  readonly #rules: FailureRules
  readonly #checkAfterMs: number

  constructor(line: VendorLine, open: OpenHandle, poll: PollRule, context: TaskContext) {
    this.#line = line
    this.#open = open
    this.#poll = poll
    this.#context = context
    this.#rules = failureRulesOf(line.spec, open.family)
    this.#checkAfterMs = line.spec.limits.pollMinMs
  }

  async read(): Promise<Checked> {
    const answer = await this.#call(this.#poll, this.#open, this.#poll.body, this.#poll.binary)
    if (answer.file !== undefined) return this.#fileIn(answer, this.#poll.binary)
    const byStatus = this.#poll.byStatus?.[String(answer.head.status)]
    if (!isSuccess(answer) && byStatus === undefined) {
      if (this.#saysNotYet(answer.body, this.#poll.pendingWords)) return this.#pending('running', answer.body)
      throw failureOfLook(this.#line.spec.title, this.#rules, answer.head, answer.body)
    }
    if (answer.body === undefined && byStatus === undefined) throw unreadableAnswer(this.#line.spec.title)
    const { okWhen } = this.#rules
    if (okWhen !== undefined && !holds(answer.body, okWhen)) return this.#notOk(answer)
    const body = this.#parseInside(answer.body)
    const word = this.#poll.state === undefined ? undefined : readText(body, this.#poll.state)
    return this.#conclude(byStatus ?? this.#stateOf(word), word, body)
  }

  /** An unknown word is a job that goes on: vendors add words. */
  #stateOf(word: string | undefined): StateRule {
    if (word !== undefined) return stateOfWord(word, this.#poll.states) ?? 'running'
    return this.#poll.state === undefined ? 'succeeded-with-outputs' : 'running'
  }

  async #conclude(state: StateRule, word: string | undefined, body: unknown): Promise<Checked> {
    const { title } = this.#line.spec
    if (typeof state === 'object') return this.#staged(state.stage, body)
    switch (state) {
      case 'failed':
        return failedJob(title, this.#rules, body, word)
      case 'cancelled':
      case 'expired': {
        const message = state === 'expired' ? `it expired at ${title}` : `it was cancelled at ${title}`
        return { kind: 'failed', fault: 'vendor', message, retryable: false }
      }
      case 'succeeded':
        return this.#finished(body)
      case 'succeeded-with-outputs':
        return this.#outputsOf(body).outputs.length > 0 || this.#resultOf(body) !== undefined
          ? this.#delivered(body)
          : this.#unlessFailed('running', body)
      default:
        return this.#unlessFailed(state, body)
    }
  }

  #unlessFailed(state: 'queued' | 'running', body: unknown): Checked {
    const { failedWhen } = this.#poll
    if (failedWhen !== undefined && holds(body, failedWhen))
      return failedJob(this.#line.spec.title, this.#rules, body)
    return this.#pending(state, body)
  }

  async #finished(body: unknown): Promise<Checked> {
    const { result } = this.#open.family
    const next = this.#nextStep(body)
    if (next !== undefined) return next
    if (result === undefined) return this.#delivered(body)
    const open = withFacts(this.#open, taken(result.take, body))
    const answer = await this.#call(result, open, undefined, result.binary)
    if (answer.file !== undefined) return this.#fileIn(answer, result.binary)
    if (isSuccess(answer)) {
      if (answer.body === undefined) throw unreadableAnswer(this.#line.spec.title)
      return this.#delivered(answer.body)
    }
    return this.#failedResult(result, answer)
  }

  /** Nothing is made by saying it: the next create call is the gateway's to make, once. */
  #nextStep(body: unknown): Checked | undefined {
    const { family, facts } = this.#open
    const rule = family.nextStep
    if (rule === undefined || (rule.when !== undefined && !(facts.get(rule.when) ?? false))) return undefined
    const { moderatedWhen } = family
    if (moderatedWhen !== undefined && holds(body, moderatedWhen)) return undefined
    const known = withFacts(this.#open, taken(rule.take, body))
    return { kind: 'next-step', handle: Object.fromEntries(known.facts), progress: this.#progressOf(body) }
  }

  #fileIn(answer: VendorAnswer, rule: BinaryRule | undefined): Checked {
    const { title } = this.#line.spec
    const done = rule === undefined ? undefined : fileOf(answer, rule)
    if (done === undefined) throw unreadableAnswer(title)
    return done === 'moderated' ? moderatedJob(title, undefined) : { kind: 'succeeded', ...done }
  }

  /** The job ended; whether it failed or this look did is for the answer to say. */
  #failedResult(rule: ResultRule, answer: VendorAnswer): Checked {
    const { title } = this.#line.spec
    const { failureAt, lookAgain = [] } = rule
    if (this.#saysNotYet(answer.body, rule.pendingWords)) return this.#pending('running', undefined)
    const hasVerdict = failureAt !== undefined && readValues(answer.body, failureAt).length > 0
    if (!hasVerdict || lookAgain.includes(answer.head.status))
      throw failureOfLook(title, this.#rules, answer.head, answer.body)
    const failed = failedJob(title, this.#rules, answer.body)
    const isRefusal = answer.head.status >= 400 && answer.head.status < 500
    if (failed.fault !== 'vendor' || !isRefusal) return failed
    return {
      ...failed,
      fault: 'client',
      message: clientMessage(title, this.#rules, answer),
      retryable: false,
    }
  }

  #delivered(body: unknown): Checked {
    const { family } = this.#open
    const { title } = this.#line.spec
    const { outputs, withheld } = this.#outputsOf(body)
    const result = this.#resultOf(body)
    if (family.moderatedWhen !== undefined && holds(body, family.moderatedWhen)) {
      return moderatedJob(title, readText(body, this.#rules.message))
    }
    if (family.failedWhen !== undefined && holds(body, family.failedWhen))
      return failedJob(title, this.#rules, body)
    if (outputs.length === 0 && result === undefined) {
      if (withheld > 0) return moderatedJob(title, undefined)
      return {
        kind: 'failed',
        fault: 'vendor',
        message: `${title} finished without a file`,
        retryable: false,
      }
    }
    return { kind: 'succeeded', outputs, result, billedUnits: billedUnits(family, body) }
  }

  #staged(stage: 'text' | 'first', body: unknown): Checked {
    const { outputs } = this.#outputsOf(body)
    const partial = { outputs, result: this.#resultOf(body) }
    return { ...this.#pending('running', body), stage, partial }
  }

  #notOk(answer: VendorAnswer): Checked {
    const { pendingWhen } = this.#poll
    const isPending =
      (pendingWhen !== undefined && holds(answer.body, pendingWhen)) ||
      this.#saysNotYet(answer.body, this.#poll.pendingWords)
    if (isPending) return this.#pending('running', answer.body)
    const word = this.#poll.state === undefined ? undefined : readText(answer.body, this.#poll.state)
    if (word !== undefined && stateOfWord(word, this.#poll.states) === 'failed') {
      return failedJob(this.#line.spec.title, this.#rules, answer.body, word)
    }
    throw failureOfLook(this.#line.spec.title, this.#rules, answer.head, answer.body)
  }

  #pending(state: 'queued' | 'running', body: unknown): Extract<Checked, { kind: 'pending' }> {
    return { kind: 'pending', state, progress: this.#progressOf(body), checkAfterMs: this.#checkAfterMs }
  }

  #progressOf(body: unknown): number | undefined {
    const rule = this.#poll.progress
    const text = rule === undefined ? undefined : readText(body, rule.path)
    const progress = rule === undefined || text === undefined ? Number.NaN : Number(text) / rule.outOf
    const [from, to] = rule?.share ?? [0, 1]
    return progress >= 0 && progress <= 1 ? from + progress * (to - from) : undefined
  }

  #saysNotYet(body: unknown, words: readonly string[] | undefined): boolean {
    const text = readText(body, this.#rules.message)?.toLowerCase()
    return text !== undefined && (words ?? []).some(word => text.includes(word))
  }

  #outputsOf(body: unknown): ReturnType<typeof readOutputs> {
    return readOutputs(body, this.#open.family.outputs, this.#open.kind)
  }

  #resultOf(body: unknown): Json | undefined {
    return readResult(body, this.#open.family.resultAt)
  }

  /** Text that should be JSON and is not makes the whole look worthless: half an answer must not end a job. */
  #parseInside(body: unknown): unknown {
    if (this.#poll.parseJsonAt === undefined) return body
    const copy = structuredClone(body)
    for (const place of this.#poll.parseJsonAt) {
      const names = place.split('.')
      const last = names.pop() ?? ''
      const parent = names.length === 0 ? copy : readValues(copy, names.join('.'))[0]
      if (typeof parent !== 'object' || parent === null) continue
      const holder = parent as Record<string, unknown>
      const text = holder[last]
      if (typeof text !== 'string' || text === '') continue
      const parsed = parseAnswer(text)
      if (parsed === undefined) throw unreadableAnswer(this.#line.spec.title)
      holder[last] = parsed
    }
    return copy
  }

  #call(
    rule: CallRule,
    open: OpenHandle,
    body: PollRule['body'],
    binary: BinaryRule | undefined,
  ): Promise<VendorAnswer> {
    const address = addressOf(this.#line, open, rule)
    const fields = jsonBody(body === undefined ? undefined : fieldsOf(body, open.facts))
    const method = rule.method ?? 'GET'
    const mayBeFile = binary !== undefined
    return send(this.#line, { method, address, body: fields, rule, mayBeFile }, this.#context)
  }
}

function clientMessage(title: string, rules: FailureRules, answer: VendorAnswer): string {
  return presentable(readText(answer.body, rules.message)) ?? `${title} refused the request`
}
