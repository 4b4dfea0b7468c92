/**
 * Everything that can go wrong with a task, on request: by a prompt that is exactly `sandbox:<name>` at any model, or by
 * one of the sandbox's own models (`sandbox/<operation>-<name without task->`).
 */
import { MEDIA_OPERATIONS, type MediaOperation, type MediaOperationName } from '#spec/operation.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { Checked } from '#spec/task-provider.ts'
import { FAULTS, MODEL_PREFIX, PROMPT_PREFIX } from '../faults.ts'

export type TaskFaultEffect =
  /** The create call fails. */
  | { readonly kind: 'refuse'; failure(): ProviderFailure }
  /** It ends without a file. */
  | { readonly kind: 'fail'; readonly end: Extract<Checked, { kind: 'failed' }> }
  /** It takes so many times as long. */
  | { readonly kind: 'slow'; readonly times: number }
  | { readonly kind: 'stuck' }
  /** Half of the files are made, one at least. */
  | { readonly kind: 'partial' }
  /** Looks at it fail for a part of the time. */
  | { readonly kind: 'unseen'; readonly from: number; readonly to: number }
  /** It ends well, but its files cannot be had, or are not what they are called. */
  | { readonly kind: 'files'; readonly trouble: 'lost' | 'broken' }

export interface TaskFault {
  readonly name: string
  /** What a client sees of it, in a sentence. */
  readonly sentence: string
  readonly effect: TaskFaultEffect
}

const TIMES_SLOWER = 10

function refusal(
  ...[kind, message, details]: ConstructorParameters<typeof ProviderFailure>
): TaskFaultEffect {
  return { kind: 'refuse', failure: () => new ProviderFailure(kind, message, details) }
}

function failure(fault: 'moderation' | 'vendor', message: string): TaskFaultEffect {
  return { kind: 'fail', end: { kind: 'failed', fault, message, retryable: false } }
}

export const TASK_FAULTS: readonly TaskFault[] = [
  {
    name: 'task-fails',
    sentence: 'The task runs and fails by the provider’s own error; the hold is given back.',
    effect: failure('vendor', 'The sandbox was asked to fail this task.'),
  },
  {
    name: 'task-moderated',
    sentence: 'The task runs and its result is refused by moderation.',
    effect: failure('moderation', 'The sandbox was asked to refuse what came out of this task.'),
  },
  {
    name: 'task-refused',
    sentence: 'The provider calls the request wrong when the task is created there.',
    effect: refusal('rejected', 'The sandbox was asked to reject this task.', { status: 422 }),
  },
  {
    name: 'task-content-refused',
    sentence: 'The provider refuses the prompt by its policy when the task is created there.',
    effect: refusal('content-rejected', 'The sandbox was asked to refuse this prompt.', { status: 400 }),
  },
  {
    name: 'task-unavailable',
    sentence: 'The provider is away; the task fails once it has been tried often enough.',
    effect: refusal('unavailable', 'The sandbox was asked to be overloaded.', { status: 503 }),
  },
  {
    name: 'task-rate-limited',
    sentence: 'The provider takes no task now; it fails once it has been tried often enough.',
    effect: refusal('rate-limited', 'The sandbox was asked to be rate limited.', {
      status: 429,
      retryAfterSeconds: 1,
    }),
  },
  {
    name: 'task-slow',
    sentence: `The task takes ${TIMES_SLOWER} times as long as others.`,
    effect: { kind: 'slow', times: TIMES_SLOWER },
  },
  {
    name: 'task-stuck',
    sentence: 'The task never ends; it expires at its deadline.',
    effect: { kind: 'stuck' },
  },
  {
    name: 'task-partial',
    sentence: 'The task makes half of the files, one at least; no more is charged.',
    effect: { kind: 'partial' },
  },
  {
    name: 'task-flaky',
    sentence: 'Looks at the task fail for a while; it succeeds all the same.',
    effect: { kind: 'unseen', from: 0.2, to: 0.5 },
  },
  {
    name: 'task-file-lost',
    sentence: 'The task ends well, but its files can never be fetched.',
    effect: { kind: 'files', trouble: 'lost' },
  },
  {
    name: 'task-file-broken',
    sentence: 'The task ends well, but its files are not what they are called.',
    effect: { kind: 'files', trouble: 'broken' },
  },
]

const NAME_PREFIX = 'task-'

/** The model of an operation that meets a fault. */
export function faultModelId(operation: MediaOperationName, fault: TaskFault): string {
  return `${MODEL_PREFIX}${operation}-${fault.name.slice(NAME_PREFIX.length)}`
}

const BY_NAME: ReadonlyMap<string, TaskFault> = new Map([
  ...FAULTS.flatMap(({ name, sentence, effect }): [string, TaskFault][] =>
    effect.kind === 'refuse' ? [[name, { name, sentence, effect }]] : [],
  ),
  ...TASK_FAULTS.map(fault => [fault.name, fault] as const),
])

const BY_MODEL: ReadonlyMap<string, TaskFault> = new Map(
  MEDIA_OPERATIONS.flatMap(operation =>
    TASK_FAULTS.map(fault => [faultModelId(operation, fault), fault] as const),
  ),
)

const LONGEST_NAME = 100

/** The fault that the model or else the prompt asks for. A prompt asks only when it is nothing else. */
export function taskFaultOf(model: string, { prompt }: MediaOperation): TaskFault | undefined {
  const own = BY_MODEL.get(model)
  if (own !== undefined || prompt.length > LONGEST_NAME) return own
  const asked = prompt.trim()
  return asked.startsWith(PROMPT_PREFIX) ? BY_NAME.get(asked.slice(PROMPT_PREFIX.length)) : undefined
}

export function taskFaultNamed(name: string | undefined): TaskFault | undefined {
  return name === undefined ? undefined : BY_NAME.get(name)
}
