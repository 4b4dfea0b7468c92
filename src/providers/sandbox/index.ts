/**
 * The sandbox: the vendor behind every test key. It is no vendor's HTTP but the vendor itself, behind the same
 * contract as all others, and nothing it says depends on anything but the request.
 */
import { defineProvider } from '#provider-kit/define-provider.ts'
import type { ModelEntry } from '#spec/offering.ts'
import type { ProviderDefinition } from '#spec/provider.ts'
import { createChat, type SandboxSetting } from './chat.ts'
import { createEmbed } from './embeddings.ts'
import { sandboxModelEntries as inlineEntries, type ModelFacts } from './models.ts'
import { createTasks, sandboxMediaEntries, type TaskTimes } from './tasks/index.ts'

export { FAULTS, type Fault } from './faults.ts'
export type { ModelFacts } from './models.ts'
export { TASK_FAULTS, type TaskFault, type TaskTimes } from './tasks/index.ts'

/** Every model of the sandbox's own, for the catalogue. Served to test keys only. */
export const sandboxModelEntries: readonly ModelEntry[] = [...inlineEntries, ...sandboxMediaEntries]

const AT_ONCE: TaskTimes = { image: 0, video: 0, music: 0, speech: 0, mesh: 0 }

export interface SandboxOptions {
  /** Tokens of one choice in a second. `undefined`: at once. Throws a RangeError where it is not above zero. */
  readonly tokensPerSecond?: number | undefined
  /** Before the first token of every answer; 0 by default. */
  readonly firstTokenDelayMs?: number | undefined
  /** How long tasks take from their create call, in milliseconds; 0 by default. Nothing is made faster than it is made. */
  readonly taskMs?: Partial<TaskTimes> | undefined
  /** Files that are made at once, each on a core of its own; 1 by default. */
  readonly mediaWorkers?: number | undefined
  /**
   * What is known of a model the sandbox answers for (`upstreamModel`, as the catalogue names it). Without it,
   * no model but `sandbox/reasoning` reasons and answers have at most 2,048 tokens.
   */
  readonly factsOf?: ((model: string) => ModelFacts | undefined) | undefined
}

/** A sandbox at a pace of its own. The settings of `create` (base URL, key) mean nothing to it. */
export function createSandbox(options: SandboxOptions = {}): ProviderDefinition {
  const { tokensPerSecond, firstTokenDelayMs = 0, factsOf = () => undefined } = options
  if (tokensPerSecond !== undefined && !(tokensPerSecond > 0)) {
    throw new RangeError('the sandbox needs more than 0 tokens per second')
  }
  if (!(firstTokenDelayMs >= 0)) throw new RangeError('the sandbox cannot answer before it is asked')
  const taskMs: TaskTimes = { ...AT_ONCE, ...options.taskMs }
  if (!Object.values(taskMs).every(ms => ms >= 0)) {
    throw new RangeError('a task of the sandbox cannot end before it is begun')
  }
  const workers = options.mediaWorkers ?? 1
  if (!(workers >= 1)) throw new RangeError('the sandbox needs at least one worker for files')
  return defineProvider({
    id: 'sandbox',
    title: 'Sandbox',
    homepage: 'https://json-schema.org/draft/2020-12',
    access: { kind: 'built-in' },
    stopsBillingOnAbort: true,
    create(_settings, { clock }) {
      const setting: SandboxSetting = { clock, pace: { tokensPerSecond, firstTokenDelayMs }, factsOf }
      return {
        chat: createChat(setting),
        embed: createEmbed(setting),
        ...createTasks({ clock, taskMs, workers }),
      }
    },
  })
}

export default createSandbox()
