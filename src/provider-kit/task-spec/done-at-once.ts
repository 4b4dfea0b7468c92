/** What came with the create call itself: files by address, files inside the answer, or an answer that is a file. */
import type { Json } from '#spec/json.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { ArtifactKind } from '#spec/task.ts'
import type { Started, TaskDone } from '#spec/task-provider.ts'
import { presentableMessage } from '../vendor-message.ts'
import { billedByHeader, billedUnits } from './billed-units.ts'
import type { BinaryRule } from './call-rules.ts'
import { readOutputs } from './outputs.ts'
import { holds, readResult, readText } from './read-answer.ts'
import type { FamilySpec } from './spec.ts'
import { failedJob, unreadableAnswer } from './task-failure.ts'
import { failureRulesOf, type VendorAnswer, type VendorLine } from './vendor-line.ts'

/**
 * Throws a ProviderFailure where what the vendor calls a success is none. It carries the status, which says that the vendor
 * has answered: the call is over, and may have been billed.
 */
export function doneAtOnce(
  line: VendorLine,
  family: FamilySpec,
  answer: VendorAnswer,
  kind: ArtifactKind,
): Started {
  const { title } = line.spec
  const { status } = answer.head
  const binary = family.submit?.binary
  if (answer.file !== undefined && binary !== undefined) {
    const done = fileOf(answer, binary)
    if (done === 'moderated') throw refusedContent(title, undefined, status)
    return { kind: 'succeeded', ...done }
  }
  const rules = failureRulesOf(line.spec, family)
  const { body } = answer
  const { outputs, withheld } = readOutputs(body, family.outputs, kind)
  const result = readResult(body, family.resultAt)
  const isModerated = family.moderatedWhen !== undefined && holds(body, family.moderatedWhen)
  if (isModerated || (withheld > 0 && outputs.length === 0))
    throw refusedContent(title, readText(body, rules.message), status)
  if (family.failedWhen !== undefined && holds(body, family.failedWhen)) {
    const failed = failedJob(title, rules, body)
    if (failed.fault === 'moderation') throw refusedContent(title, readText(body, rules.message), status)
    throw new ProviderFailure(failed.fault === 'client' ? 'rejected' : 'vendor', failed.message, { status })
  }
  if (outputs.length === 0 && result === undefined) throw unreadableAnswer(title, status)
  return { kind: 'succeeded', outputs, result, billedUnits: billedUnits(family, body) }
}

/** The one file that an answer is. */
export function fileOf({ head, file }: VendorAnswer, rule: BinaryRule): TaskDone | 'moderated' {
  const { moderatedHeader } = rule
  const verdict = moderatedHeader && head.headers[moderatedHeader.name]
  if (verdict !== undefined && moderatedHeader?.in.includes(verdict)) {
    void close(file)
    return 'moderated'
  }
  const metadata: Record<string, Json> = {}
  for (const [name, header] of Object.entries(rule.metadata ?? {})) {
    const value = head.headers[header]
    if (value !== undefined) metadata[name] = value
  }
  const source = { read: async () => file ?? new Uint8Array(0) }
  return {
    outputs: [{ kind: rule.kind, role: 'result', index: 0, source, metadata }],
    billedUnits: billedByHeader(rule, head),
  }
}

async function close(file: AsyncIterable<Uint8Array> | undefined): Promise<void> {
  const iterator = file?.[Symbol.asyncIterator]()
  await iterator?.next().catch(() => undefined)
  await iterator?.return?.().catch(() => undefined)
}

function refusedContent(title: string, message: string | undefined, status: number): ProviderFailure {
  const text = presentableMessage(message) ?? `${title} refused the content of the request`
  return new ProviderFailure('content-rejected', text, { status })
}
