/** Create calls that a vendor does not take. */
import type { TaskDirectives, TaskFault } from './directives.ts'
import type { Refusal, VendorFormat, WireAnswer } from './vendor-format.ts'

const REFUSALS: readonly (readonly [TaskFault, Refusal])[] = [
  ['create-400', 400],
  ['create-402', 402],
  ['create-422', 422],
  ['create-429', 429],
  ['create-500', 500],
  ['create-503', 503],
  ['create-moderated', 'moderated'],
]

/** In the vendor's words; `undefined`: the call is taken. */
export function refusalOf(
  format: VendorFormat,
  { faults, retryAfterSeconds }: TaskDirectives,
): WireAnswer | undefined {
  if (faults.has('create-401')) return format.unauthorized()
  const refusal = REFUSALS.find(([fault]) => faults.has(fault))?.[1]
  if (refusal === undefined) return undefined
  const answer = format.refused(refusal)
  const mayPass = refusal === 429 || refusal === 503
  return mayPass ? { ...answer, headers: { 'retry-after': String(retryAfterSeconds) } } : answer
}
