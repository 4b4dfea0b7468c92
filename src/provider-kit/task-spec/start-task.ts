/** The create call: made once, and every answer but a plain refusal leaves it open whether the job runs. */

import type { Json } from '#spec/json.ts'
import type { MediaOperation } from '#spec/operation.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { ArtifactKind } from '#spec/task.ts'
import type { CreatedCall, Started, StartRequest, TaskContext } from '#spec/task-provider.ts'
import { ownAddress } from './address.ts'
import { billedUnits } from './billed-units.ts'
import { fieldsOf, fillPath, isModelId, queryOf } from './body-fields.ts'
import { type Facts, factsOf, filesOf } from './facts.ts'
import { makeHandle, openHandle } from './handle.ts'
import { modelInput } from './model-input.ts'
import { readOutputs } from './outputs.ts'
import { holds, readText, readValues } from './read-answer.ts'
import type { FamilySpec, SubmitRule, TaskProviderSpec } from './spec.ts'
import { failureOfRefusal, unreadableAnswer } from './task-failure.ts'
import { failureRulesOf, familyOf, isSuccess, send, type VendorLine } from './vendor-line.ts'
import { VOCABULARY } from './vocabulary.ts'

const KIND: Readonly<Record<MediaOperation['operation'], ArtifactKind>> = {
  image: 'image',
  video: 'video',
  music: 'audio',
  speech: 'audio',
  mesh: 'mesh',
}

/** A create call as it will be sent. */
export interface CreateCall {
  readonly method: NonNullable<SubmitRule['method']>
  /** With its query, after the base URL. */
  readonly path: string
  readonly body: Readonly<Record<string, Json>> | undefined
}

/** Throws a ProviderFailure of kind `rejected` where the model cannot be asked for that. Pure: nothing is sent. */
export function createCall(spec: TaskProviderSpec, request: StartRequest): CreateCall | undefined {
  const start = withOwnParent(spec, request)
  const family = familyFor(spec, start.upstreamModel)
  const { submit } = family
  if (submit === undefined) return undefined
  const facts = allFacts(family, start)
  const method = submit.method ?? 'POST'
  const path = `${fillPath(submit.path, facts)}${queryOf(submit.query, facts)}`
  if (method === 'GET' || method === 'DELETE') return { method, path, body: undefined }
  const model = String(facts.get('model'))
  const input =
    family.input === undefined
      ? {}
      : modelInput({
          operation: start.request.operation,
          facts,
          files: filesOf(start),
          signature: family.input(model),
          vocabulary: family.vocabulary ?? VOCABULARY,
          withheld: spec.withheldOptions,
        })
  const envelope = fieldsOf(submit.envelope ?? [], facts)
  const body =
    submit.inputAt === undefined ? { ...input, ...envelope } : { ...envelope, [submit.inputAt]: input }
  return { method, path, body }
}

export async function startTask(
  line: VendorLine,
  request: StartRequest,
  context: TaskContext,
): Promise<Started> {
  const { spec } = line
  const start = withOwnParent(spec, request)
  const family = familyFor(spec, start.upstreamModel)
  const kind = KIND[start.request.operation]
  const facts = allFacts(family, start)
  const checkAfterMs = spec.limits.pollMinMs
  const call = createCall(spec, start)
  if (call === undefined) {
    const id = readText(start.parentHandle, family.id)
    if (id === undefined)
      throw new ProviderFailure('rejected', 'the task this goes on from was made elsewhere')
    return { kind: 'started', handle: makeHandle(family, id, kind, start.parentHandle, facts), checkAfterMs }
  }
  const answer = await send(
    line,
    call.method,
    ownAddress(call.path, line.settings.baseUrl),
    call.body,
    context,
  )
  const rules = failureRulesOf(spec, family)
  if (!isSuccess(answer)) throw failureOfRefusal(spec.title, rules, answer.head, answer.body)
  if (answer.body === undefined) throw unreadableAnswer(spec.title)
  const accepted = rules.okWhen === undefined || holds(answer.body, rules.okWhen)
  if (!accepted) throw failureOfRefusal(spec.title, rules, answer.head, answer.body)
  if (family.poll === undefined) return doneAtOnce(line, family, answer.body, kind)
  const id = readText(answer.body, family.id)
  if (id === undefined) throw failureWithoutId(line, family, answer)
  return { kind: 'started', handle: makeHandle(family, id, kind, answer.body, facts), checkAfterMs }
}

const MAX_ID_CHARS = 256

/**
 * The handle of a job whose create call was not answered, by the id that a callback names; `undefined` where that is no
 * name, or its family is not looked at by id. Of the callback's addresses none is kept: the rules say where to look. A look
 * that is a POST could make something where the id is not the one that the answer would have given.
 */
export function handleOfLostCall(spec: TaskProviderSpec, created: CreatedCall, id: string): Json | undefined {
  if (!isModelId(id) || id.length > MAX_ID_CHARS || !isModelId(created.upstreamModel)) return undefined
  const family = familyOf(spec, created.upstreamModel)
  if (family?.submit === undefined || family.poll === undefined || family.poll.method === 'POST')
    return undefined
  const start = withOwnParent(spec, { ...created, inputs: [], callbackUrl: undefined })
  return makeHandle(family, id, KIND[start.request.operation], undefined, allFacts(family, start))
}

/** A parent that was made by another provider is none: its ids mean nothing here, or something else. */
function withOwnParent(spec: TaskProviderSpec, start: StartRequest): StartRequest {
  const parent = start.parentHandle
  const isOwn = parent !== undefined && openHandle(parent, spec.families) !== undefined
  return isOwn ? start : { ...start, parentHandle: undefined }
}

function familyFor(spec: TaskProviderSpec, model: string): FamilySpec {
  const family = isModelId(model) ? familyOf(spec, model) : undefined
  if (family === undefined) throw new ProviderFailure('rejected', `${spec.title} has no such model`)
  return family
}

function allFacts(family: FamilySpec, start: StartRequest): Facts {
  const facts = new Map(factsOf(start))
  for (const [name, value] of Object.entries(family.facts?.(start) ?? {})) {
    if (value === undefined) facts.delete(name)
    else facts.set(name, value)
  }
  return facts
}

function doneAtOnce(line: VendorLine, family: FamilySpec, body: unknown, kind: ArtifactKind): Started {
  const { outputs } = readOutputs(body, family.outputs, kind)
  const result =
    family.resultAt === undefined ? undefined : (readValues(body, family.resultAt)[0] as Json | undefined)
  if (outputs.length === 0 && result === undefined) throw unreadableAnswer(line.spec.title)
  return { kind: 'succeeded', outputs, result, billedUnits: billedUnits(family, body) }
}

/** It said success, and not which job: a refusal where its code says so, else nobody knows. */
function failureWithoutId(
  line: VendorLine,
  family: FamilySpec,
  answer: Awaited<ReturnType<typeof send>>,
): ProviderFailure {
  const rules = failureRulesOf(line.spec, family)
  const code = readText(answer.body, rules.code)
  const isRefusal = code !== undefined && code !== '0' && code !== '200'
  return isRefusal
    ? failureOfRefusal(line.spec.title, rules, answer.head, answer.body)
    : unreadableAnswer(line.spec.title)
}
