/** Copies of what a provider made: tried for as long as they can be hoped for, and what came is delivered. */
import { type FileRecord, fileToJson } from '#modules/files/index.ts'
import type { Attempt } from '#modules/tasks/index.ts'
import { timeOfId } from '#spec/ids.ts'
import type { Json, JsonObject } from '#spec/json.ts'
import type { ProviderOutput, TaskDone } from '#spec/task-provider.ts'
import { collect } from './collect.ts'
import { ownCoversOf } from './own-covers.ts'
import { backoff, filesOf, move, rest, type Step } from './step.ts'

/** Covers that cannot be had are done without after so many tries. */
const COVER_TRIES = 3
const LOST = 'The result was made but could not be fetched from the provider.'

/** Results that came with the create call itself: their addresses are written down before they are fetched. */
export async function copyNow(step: Step, sent: Attempt, done: TaskDone): Promise<void> {
  const accepted = move(step, sent, 'accepted', { handle: null, done: storableOf(done) })
  await step.parts.media.tasks.note(step.leased.lease, { ...step.changes, work: { attempts: step.attempts } })
  await copy(step, accepted, done)
}

function storableOf(done: TaskDone): Json | undefined {
  const fetchable = done.outputs.every(output => 'url' in output.source)
  return fetchable ? (JSON.parse(JSON.stringify(done)) as Json) : undefined
}

export function doneOf(stored: Json): TaskDone {
  return stored as unknown as TaskDone
}

/** Copies what the provider made. It stays accepted, and is tried again, for as long as the copy can be hoped for. */
export async function copy(step: Step, attempt: Attempt, done: TaskDone): Promise<void> {
  const { parts, leased, signal } = step
  if (done.result !== undefined) step.changes = { ...step.changes, result: done.result }
  if (done.result === undefined && !done.outputs.some(isResult)) {
    move(step, attempt, 'failed', { fault: { kind: 'vendor', message: 'The provider made nothing.' } })
    return
  }
  const fresh = notCopied(attempt, done.outputs)
  const { files: copied, trouble } = await collect(parts, leased, attempt, fresh, signal)
  // That the worker must go is no trouble of the vendor's: the next one takes the step again.
  if (trouble !== undefined) signal.throwIfAborted()
  const files = withFiles(attempt, copied)
  const copyTroubles = (attempt.copyTroubles ?? 0) + 1
  const missing = notCopied({ ...attempt, files }, done.outputs)
  // A cover is no reason to keep its track from anybody.
  if (trouble === undefined || (copyTroubles >= COVER_TRIES && !missing.some(isResult))) {
    const gaveResult = done.result !== undefined
    const { billedUnits } = done
    const whole = await withOwnCovers(step, attempt, copied)
    move(step, attempt, 'succeeded', { gaveResult, files: whole, billedUnits, done: undefined })
    return
  }
  parts.logger.warn({ taskId: leased.task.id, copyTroubles, error: trouble }, 'a result could not be copied')
  const tried = move(step, attempt, 'accepted', { copyTroubles, files })
  if (isCopyHopeless(step, tried)) await endCopy(step, tried)
  else rest(step, backoff(copyTroubles))
}

function isResult({ role }: { readonly role: string }): boolean {
  return role === 'result'
}

/** It was made long ago, and could not be had since. */
export function isCopyHopeless({ parts }: Step, attempt: Attempt): boolean {
  const ageMs = parts.clock.nowMs() - timeOfId(attempt.reference)
  return attempt.copyTroubles !== undefined && ageMs > parts.media.settings.copyPatienceMs
}

/** No more tries: what was copied is delivered, and only that is charged. */
export async function endCopy(step: Step, attempt: Attempt): Promise<void> {
  if (filesOf(attempt).some(isResult)) {
    const files = await withOwnCovers(step, attempt, [])
    move(step, attempt, 'succeeded', { files, done: undefined })
  } else {
    move(step, attempt, 'failed', { fault: { kind: 'lost', message: LOST } })
  }
}

/** All files of an attempt that is over, with the covers that its provider did not give. */
async function withOwnCovers(step: Step, attempt: Attempt, copied: readonly FileRecord[]) {
  const { parts, leased, signal } = step
  const files = [...filesOf(attempt), ...copied]
  const covers = await ownCoversOf(parts, leased, attempt, files, signal)
  return withFiles(attempt, [...copied, ...covers])
}

/** What can be had before the end: words at once, and tracks as files of their own. */
export async function keepPartial(step: Step, attempt: Attempt, partial: Partial<TaskDone>): Promise<void> {
  const { parts, leased, signal } = step
  if (partial.result !== undefined) step.changes = { ...step.changes, result: partial.result }
  const fresh = notCopied(attempt, partial.outputs ?? [])
  // What cannot be had now will be there at the end.
  const { files } = await collect(parts, leased, attempt, fresh, signal)
  if (files.length === 0) return
  const stored = files.map(file => ({ ...file, isStored: true }))
  move(step, attempt, 'accepted', { files: withFiles(attempt, stored) })
  // Rows and note commit together, or the next worker would write the rows again. Not the stage, which is told later.
  const changes = { ...step.changes, stage: undefined, work: { attempts: step.attempts } }
  await parts.media.tasks.noteWith(leased.lease, changes, [parts.media.files.insertPart(files)])
}

/** The attempt's files with more: results before covers, each in their order, whenever they came. */
function withFiles(attempt: Attempt, more: readonly FileRecord[]): readonly JsonObject[] {
  const rank = (file: FileRecord) => (file.role === 'cover' ? 1 : 0)
  return [...filesOf(attempt), ...more]
    .toSorted((one, other) => rank(one) - rank(other) || one.index - other.index)
    .map(fileToJson)
}

function notCopied(attempt: Attempt, outputs: readonly ProviderOutput[]): readonly ProviderOutput[] {
  const known = new Set((attempt.files ?? []).map(placeOf))
  return outputs.filter(({ role, index }) => !known.has(placeOf({ role, index: attempt.firstIndex + index })))
}

function placeOf(file: { readonly role?: unknown; readonly index?: unknown }): string {
  return `${file.role} ${file.index}`
}
