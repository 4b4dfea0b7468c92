/** The create call: made once, and every answer but a plain refusal leaves it open whether the job runs. */

import type { Json } from '#spec/json.ts'
import type { MediaOperation } from '#spec/operation.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { ArtifactKind } from '#spec/task.ts'
import type { CreatedCall, Started, StartRequest, TaskContext } from '#spec/task-provider.ts'
import { ownAddress } from './address.ts'
import { fieldsOf, fillPath, isModelId, queryOf } from './body-fields.ts'
import type { SubmitRule } from './call-rules.ts'
import { doneAtOnce } from './done-at-once.ts'
import { type Facts, factsOf } from './facts.ts'
import { makeHandle, type OpenHandle, openHandle } from './handle.ts'
import { filesOf, type PlacedFile, withFiles } from './input-files.ts'
import { modelInput } from './model-input.ts'
import { type EncodedBody, encodeMultipart } from './multipart.ts'
import { holds, readText } from './read-answer.ts'
import type { FamilySpec, TaskProviderSpec } from './spec.ts'
import { failureOfRefusal, unreadableAnswer } from './task-failure.ts'
import { uploadInput } from './upload-input.ts'
import {
  failureRulesOf,
  familyOf,
  isSuccess,
  jsonBody,
  send,
  type VendorAnswer,
  type VendorLine,
} from './vendor-line.ts'
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
  /** Files that are not addresses are named where they will be. */
  readonly body: Readonly<Record<string, Json>> | undefined
}

/** Throws a ProviderFailure of kind `rejected` where the model cannot be asked for that. Pure: nothing is sent. */
export function createCall(spec: TaskProviderSpec, request: StartRequest): CreateCall | undefined {
  const start = withOwnParent(spec, request)
  const family = familyFor(spec, start)
  const { submit } = family
  if (submit === undefined) return undefined
  family.admit?.(start)
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
          files: filesOf(start, spec.inputForms),
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
  const family = familyFor(spec, start)
  const { submit } = family
  const kind = KIND[start.request.operation]
  const facts = allFacts(family, start)
  const checkAfterMs = spec.limits.pollMinMs
  const call = createCall(spec, start)
  if (call === undefined || submit === undefined) {
    const id = readText(start.parentHandle, family.id)
    if (id === undefined)
      throw new ProviderFailure('rejected', 'the task this goes on from was made elsewhere')
    return { kind: 'started', handle: makeHandle(family, id, kind, start.parentHandle, facts), checkAfterMs }
  }
  const address = ownAddress(call.path, line.settings.baseUrl)
  const body = await encoded(line, submit, call.body, filesOf(start, spec.inputForms), context)
  const { binary, answersWithinMs } = submit
  const answer = await send(
    line,
    { method: call.method, address, body, rule: submit, mayBeFile: binary !== undefined, answersWithinMs },
    context,
  )
  const rules = failureRulesOf(spec, family)
  if (!isSuccess(answer)) throw failureOfRefusal(spec.title, rules, answer.head, answer.body)
  if (answer.file !== undefined) return doneAtOnce(line, family, answer, kind)
  if (answer.body === undefined) throw unreadable(line, family, answer)
  const accepted = rules.okWhen === undefined || holds(answer.body, rules.okWhen)
  if (!accepted) throw failureOfRefusal(spec.title, rules, answer.head, answer.body)
  if (family.poll === undefined) return doneAtOnce(line, family, answer, kind)
  const id = readText(answer.body, family.id)
  if (id === undefined) throw failureWithoutId(line, family, answer)
  const handle = makeHandle(family, id, kind, answer.body, facts, stepsBefore(spec, start))
  return { kind: 'started', handle, checkAfterMs }
}

async function encoded(
  line: VendorLine,
  { encoding, listFields }: SubmitRule,
  body: CreateCall['body'],
  files: readonly PlacedFile[],
  context: TaskContext,
): Promise<EncodedBody | undefined> {
  if (body === undefined) return undefined
  const isMultipart = encoding === 'multipart'
  const filled = await withFiles(body, files, isMultipart, file => {
    const rule = line.spec.upload
    if (rule === undefined) throw new TypeError(`provider "${line.spec.id}" has no rule for uploads`)
    return uploadInput(line, rule, file, context)
  })
  return isMultipart ? encodeMultipart(filled, listFields) : jsonBody(filled)
}

/** Where there is nothing to look at or be called back about, nobody will ever know more: then it has failed, and is told. */
function unreadable({ spec }: VendorLine, { poll }: FamilySpec, { head }: VendorAnswer): ProviderFailure {
  return unreadableAnswer(spec.title, poll === undefined ? head.status : undefined)
}

const MAX_ID_CHARS = 256

/**
 * The handle of a job whose create call was not answered, by the id that a callback names; `undefined` where that is no
 * name, or its family is not looked at by id. Of the callback's addresses none is kept: the rules say where to look. A look
 * that is a POST could make something where the id is not the one that the answer would have given.
 */
export function handleOfLostCall(spec: TaskProviderSpec, created: CreatedCall, id: string): Json | undefined {
  if (!isModelId(id) || id.length > MAX_ID_CHARS || !isModelId(created.upstreamModel)) return undefined
  const start = withOwnParent(spec, { ...created, inputs: [], callbackUrl: undefined })
  const family = familyOfStart(spec, start)
  if (family?.submit === undefined || family.poll === undefined || family.poll.method === 'POST')
    return undefined
  // A job of an earlier step calls back at the same address, and maybe twice.
  const before = stepsBefore(spec, start)
  if (before.includes(id)) return undefined
  return makeHandle(family, id, KIND[start.request.operation], undefined, allFacts(family, start), before)
}

/** A parent that was made by another provider is none: its ids mean nothing here, or something else. */
function withOwnParent(spec: TaskProviderSpec, start: StartRequest): StartRequest {
  const parent = start.parentHandle
  const isOwn = parent !== undefined && openHandle(parent, spec.families) !== undefined
  return isOwn ? start : { ...start, parentHandle: undefined }
}

function familyFor(spec: TaskProviderSpec, start: StartRequest): FamilySpec {
  const family = isModelId(start.upstreamModel) ? familyOfStart(spec, start) : undefined
  if (family === undefined) throw new ProviderFailure('rejected', `${spec.title} has no such model`)
  return family
}

/** By the model; of a later step, by what the step before goes on to. */
function familyOfStart(spec: TaskProviderSpec, start: StartRequest): FamilySpec | undefined {
  if (start.previousStep === undefined) return familyOf(spec, spec.familyId?.(start) ?? start.upstreamModel)
  const next = stepBefore(spec, start)?.family.nextStep?.family
  return spec.families.find(family => family.name === next)
}

function stepBefore(spec: TaskProviderSpec, { previousStep }: StartRequest): OpenHandle | undefined {
  return previousStep === undefined ? undefined : openHandle(previousStep, spec.families)
}

function stepsBefore(spec: TaskProviderSpec, start: StartRequest): readonly string[] {
  const previous = stepBefore(spec, start)
  return previous === undefined ? [] : [...previous.before, previous.id]
}

function allFacts(family: FamilySpec, start: StartRequest): Facts {
  const facts = new Map(factsOf(start))
  for (const [name, value] of Object.entries(family.facts?.(start) ?? {})) {
    if (value === undefined) facts.delete(name)
    else facts.set(name, value)
  }
  return facts
}

/** It said success, and not which job: a refusal where its code says so, else nobody knows. */
function failureWithoutId(line: VendorLine, family: FamilySpec, answer: VendorAnswer): ProviderFailure {
  const rules = failureRulesOf(line.spec, family)
  const code = readText(answer.body, rules.code)
  const isRefusal = code !== undefined && code !== '0' && code !== '200'
  return isRefusal
    ? failureOfRefusal(line.spec.title, rules, answer.head, answer.body)
    : unreadableAnswer(line.spec.title)
}
