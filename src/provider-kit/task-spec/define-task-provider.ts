/** The engine: a vendor's spec as a provider. */
import type { Json } from '#spec/json.ts'
import type { ProviderDefinition } from '#spec/provider.ts'
import type { InputForm, TaskCapability, TaskContext } from '#spec/task-provider.ts'
import { defineProvider } from '../define-provider.ts'
import { addressOf, checkTask } from './check-task.ts'
import { findLost } from './find-lost.ts'
import { openHandle } from './handle.ts'
import { assertPaths, holds } from './read-answer.ts'
import type { FamilySpec, PathText, TaskProviderSpec } from './spec.ts'
import { startTask } from './start-task.ts'
import { callbackReaders } from './task-callback.ts'
import { failureOfLook, unreadableAnswer } from './task-failure.ts'
import { failureRulesOf, familyOf, isSuccess, send, type VendorLine } from './vendor-line.ts'

/** Throws a TypeError at import where a rule is not written as it should be. */
export function defineTaskProvider(spec: TaskProviderSpec): ProviderDefinition {
  assertSpec(spec)
  return defineProvider({
    id: spec.id,
    title: spec.title,
    homepage: spec.homepage,
    access: { kind: 'configured', defaultBaseUrl: spec.defaultBaseUrl },
    stopsBillingOnAbort: spec.stopsBillingOnAbort,
    create: (settings, { exchange, clock }) => ({
      tasks: taskCapability({ spec, settings, exchange, clock }),
    }),
  })
}

function taskCapability(line: VendorLine): TaskCapability {
  const { spec } = line
  return {
    operations: spec.operations,
    inputForms: gatewayForms(spec),
    maxConcurrency: spec.limits.concurrency,
    maxCount: (_request, model) => maxCountOf(spec, model),
    start: (start, context) => startTask(line, start, context),
    check: (handle, context) => checkTask(line, handle, context),
    cancel: (handle, context) => cancelTask(line, handle, context),
    ...findOf(line),
    ...callbackReaders(line),
  }
}

function findOf(line: VendorLine): Pick<TaskCapability, 'find'> {
  const rule = line.spec.find
  if (rule === undefined) return {}
  return {
    find: async (_reference, context, lost) =>
      lost === undefined ? 'unknown' : findLost(line, rule, lost, context),
  }
}

/** What the gateway must have ready: everything but addresses and data URIs is made of bytes. */
function gatewayForms({ inputForms }: TaskProviderSpec): readonly InputForm[] {
  const forms = inputForms.map(form => (form === 'url' || form === 'data-uri' ? form : 'bytes'))
  return [...new Set(forms)]
}

/** What the endpoint's signature says, where it says something: an endpoint without a field for the count makes one. */
function maxCountOf(spec: TaskProviderSpec, model: string): number {
  const family = familyOf(spec, model)
  if (family?.maxCount !== undefined) return family.maxCount
  const signature = family?.input?.(model)
  const field = COUNT_FIELDS.map(name => signature?.get(name)).find(one => one?.type === 'number')
  if (field === undefined) return 1
  const choices = (field.choices ?? []).map(Number).filter(Number.isInteger)
  const most = field.most ?? (choices.length === 0 ? spec.limits.maxCount : Math.max(...choices))
  return Math.max(1, Math.min(most, spec.limits.maxCount))
}

const COUNT_FIELDS = ['num_images', 'num_outputs', 'number_of_images', 'n', 'nVariants']

async function cancelTask(
  line: VendorLine,
  handle: Json,
  context: TaskContext,
): Promise<'cancelled' | 'too-late' | 'unsupported'> {
  const open = openHandle(handle, line.spec.families)
  if (open === undefined) throw unreadableAnswer(line.spec.title)
  const rule = open.family.cancel
  if (rule === undefined) return 'unsupported'
  const call = { method: rule.method ?? 'POST', address: addressOf(line, open, rule), rule }
  const answer = await send(line, call, context)
  const { status } = answer.head
  if (rule.cancelledStatuses.includes(status)) {
    return rule.tooLate !== undefined && holds(answer.body, rule.tooLate) ? 'too-late' : 'cancelled'
  }
  if (status === 400 || status === 404 || status === 409 || status === 410) return 'too-late'
  if (isSuccess(answer)) return 'cancelled'
  throw failureOfLook(line.spec.title, failureRulesOf(line.spec, open.family), answer.head, answer.body)
}

const PATH_NAMES = new Set([
  'path',
  'id',
  'state',
  'code',
  'message',
  'resultAt',
  'withheldAt',
  'urlPath',
  'failureAt',
  'items',
  'callbackUrl',
  'createdAt',
  'next',
  'reference',
  'putTo',
])
const PATH_RECORDS = new Set(['metadata', 'handle', 'take', 'resultAt'])

function assertSpec(spec: TaskProviderSpec): void {
  const names = spec.families.map(family => family.name)
  if (new Set(names).size !== names.length)
    throw new TypeError(`provider "${spec.id}" has two families of one name`)
  for (const host of spec.hosts) {
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)) throw new TypeError(`"${host}" is no host of "${spec.id}"`)
  }
  for (const host of spec.credentialHosts ?? []) {
    if (!spec.hosts.includes(host)) throw new TypeError(`"${host}" is not among the hosts of "${spec.id}"`)
  }
  for (const family of spec.families) assertFamily(spec, family)
  if (spec.inputForms.includes('upload') && spec.upload === undefined)
    throw new TypeError(`"${spec.id}" has no rule for uploads`)
  assertPathsWithin(spec.families)
  assertPathsWithin(spec.failure)
  assertPathsWithin(spec.find)
  assertPathsWithin(spec.upload)
  if (spec.callback !== undefined) assertPaths(spec.callback.id)
}

function assertFamily(spec: TaskProviderSpec, { name, poll, nextStep }: FamilySpec): void {
  if (nextStep === undefined) return
  if (poll === undefined) throw new TypeError(`family "${name}" of "${spec.id}" has nothing to go on from`)
  const next = spec.families.find(family => family.name === nextStep.family)
  if (next?.submit === undefined)
    throw new TypeError(`family "${name}" of "${spec.id}" goes on to none that can be asked for`)
}

/** Every path in a rule, wherever it is: a wrong one must not wait for the answer that needs it. */
function assertPathsWithin(rule: unknown): void {
  if (Array.isArray(rule)) for (const one of rule) assertPathsWithin(one)
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) return
  for (const [name, value] of Object.entries(rule)) {
    if (PATH_RECORDS.has(name) && isPathRecord(value))
      for (const path of Object.values(value)) assertPaths(path)
    else if (PATH_NAMES.has(name) && isPathText(value)) assertPaths(value)
    else assertPathsWithin(value)
  }
}

/** A path into JSON, and not one of a URL. */
function isPathText(value: unknown): value is string | readonly string[] {
  if (Array.isArray(value)) return value.every(one => typeof one === 'string')
  return typeof value === 'string' && value !== '' && !value.startsWith('/')
}

function isPathRecord(value: unknown): value is Readonly<Record<string, PathText>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
