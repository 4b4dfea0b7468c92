/**
 * What was ordered, as it travels in a task's handle: everything that a look at the task needs, so that the sandbox
 * keeps nothing and any worker can look.
 */
import type { Json, JsonObject } from '#spec/json.ts'
import type { InputRole } from '#spec/media.ts'
import type { MediaOperation } from '#spec/operation.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { StartRequest } from '#spec/task-provider.ts'

export interface OrderInput {
  readonly role: InputRole
  readonly url: string
}

export interface TaskOrder<Request extends MediaOperation = MediaOperation> {
  readonly startedAtMs: number
  /** From the create call to the end; `null`: it never ends. */
  readonly takesMs: number | null
  /** Of the create call: what else tells two equal calls apart. */
  readonly reference: string
  readonly model: string
  readonly action: string
  readonly count: number
  readonly request: Request
  /** Files of ours alone: addresses of others are never fetched. */
  readonly inputs: readonly OrderInput[]
  /** The name of the fault that it is to meet. */
  readonly fault?: string | undefined
  /** What it goes on from. */
  readonly parent?: TaskOrder | undefined
}

/** A handle grows with what it goes on from; so far back it is remembered. */
const MOST_PARENTS = 3
/** What a file is called whose bytes nobody has looked at: one of others'. */
const UNSEEN_TYPE = 'application/octet-stream'

export function orderOf(
  start: StartRequest,
  timing: Pick<TaskOrder, 'startedAtMs' | 'takesMs' | 'fault'>,
): TaskOrder {
  const { request, upstreamModel, action, count, inputs, reference, parentHandle } = start
  return {
    ...timing,
    reference,
    model: upstreamModel,
    action,
    count,
    request,
    inputs: inputs
      .filter(({ contentType }) => contentType !== UNSEEN_TYPE)
      .map(({ role, url }) => ({ role, url })),
    parent: isOrder(parentHandle) ? shortened(parentHandle, MOST_PARENTS) : undefined,
  }
}

function shortened(order: TaskOrder, generations: number): TaskOrder {
  const { parent } = order
  if (parent === undefined) return order
  return { ...order, parent: generations <= 1 ? undefined : shortened(parent, generations - 1) }
}

/** The order as JSON: fields that say nothing are left out. */
export function handleOf(order: TaskOrder): Json {
  return JSON.parse(JSON.stringify({ sandbox: 1, ...order })) as Json
}

/** Throws a ProviderFailure (`vendor`) where the handle is none of ours. */
export function readHandle(handle: Json): TaskOrder {
  if (isOrder(handle)) return handle
  throw new ProviderFailure('vendor', 'The sandbox does not know this task.')
}

function isOrder(handle: Json | undefined): handle is JsonObject & TaskOrder {
  if (typeof handle !== 'object' || handle === null || !('sandbox' in handle)) return false
  const { sandbox, startedAtMs, request } = handle
  return sandbox === 1 && typeof startedAtMs === 'number' && typeof request === 'object' && request !== null
}

/** A text option, by any of its spellings. */
export function textOption(order: TaskOrder, ...names: readonly string[]): string | undefined {
  const value = option(order, names)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A number option, also where it came as text. */
export function numberOption(order: TaskOrder, ...names: readonly string[]): number | undefined {
  const value = option(order, names)
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const number = Number.parseFloat(String(value))
  return Number.isFinite(number) ? number : undefined
}

const DEFAULT_ENLARGEMENT = 2
const MOST_ENLARGEMENT = 8

/** How many times as large, on each side, an upscale is to be. */
export function enlargementOf(order: TaskOrder): number {
  const asked = numberOption(order, 'upscale_factor', 'upscaleFactor', 'scale', 'scale_factor')
  return Math.min(MOST_ENLARGEMENT, Math.max(1, asked ?? DEFAULT_ENLARGEMENT))
}

function option({ request }: TaskOrder, names: readonly string[]): Json | undefined {
  return names.map(name => request.options[name]).find(value => value !== undefined && value !== null)
}
