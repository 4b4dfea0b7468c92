/** A provider of media that does what a test says, call by call, and remembers what it was asked. */
import { isDeepStrictEqual } from 'node:util'
import type { Registered } from '#gateway/index.ts'
import type { Json } from '#spec/json.ts'
import { ProviderFailure, type ProviderFailureKind } from '#spec/provider.ts'
import type {
  Checked,
  CreatedCall,
  ProviderOutput,
  Started,
  StartRequest,
  TaskCapability,
} from '#spec/task-provider.ts'

type Answer<T> = T | ProviderFailure | Error | (() => Promise<T> | T)

/** The smallest picture there is: one pixel of PNG. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

export function started(handle: Json = { job: 1 }): Started {
  return { kind: 'started', handle, checkAfterMs: 0 }
}

export function pending(progress?: number): Checked {
  return { kind: 'pending', state: 'running', progress, checkAfterMs: 0 }
}

/** So many pictures, ready to be read. */
export function made(count = 1): Checked {
  return { kind: 'succeeded', outputs: Array.from({ length: count }, (_, index) => picture(index)) }
}

export function picture(index = 0, bytes: Uint8Array = PIXEL): ProviderOutput {
  return { kind: 'image', role: 'result', index, source: { read: async () => bytes }, metadata: {} }
}

export function failed(fault: 'client' | 'moderation' | 'vendor' = 'vendor', retryable = false): Checked {
  return { kind: 'failed', fault, message: `the vendor failed: ${fault}`, retryable }
}

export function failure(kind: ProviderFailureKind, status?: number): ProviderFailure {
  return new ProviderFailure(kind, `the vendor failed: ${kind}`, { status })
}

export class ScriptedTasks {
  readonly id: string
  readonly starts: StartRequest[] = []
  readonly cancelled: Json[] = []
  checks = 0
  /** What `find` says; without it the provider cannot look anything up. */
  found: Awaited<ReturnType<NonNullable<TaskCapability['find']>>> | undefined = undefined
  /** The job that genuine callbacks name; without it none is genuine. */
  named: Json | undefined = undefined
  /** What callbacks were adopted by. */
  readonly adoptions: CreatedCall[] = []
  maxCount = 4
  readonly #starts: Answer<Started>[] = []
  readonly #checks: Answer<Checked>[] = []

  constructor(id: string) {
    this.id = id
  }

  willStart(...answers: Answer<Started>[]): this {
    this.#starts.push(...answers)
    return this
  }

  /** The last one is given again and again. */
  willCheck(...answers: Answer<Checked>[]): this {
    this.#checks.push(...answers)
    return this
  }

  get registered(): Registered {
    const definition = {
      id: this.id,
      title: this.id,
      homepage: 'https://example.com',
      access: { kind: 'built-in' as const },
      stopsBillingOnAbort: true,
      create: () => ({}),
    }
    return { definition, capabilities: { tasks: this.#capability() } }
  }

  #capability(): TaskCapability {
    const capability: TaskCapability = {
      operations: ['image', 'video', 'music', 'speech', 'mesh'],
      inputForms: [],
      maxCount: () => this.maxCount,
      start: async request => {
        this.starts.push(request)
        return play(this.#starts.shift() ?? started())
      },
      check: async () => {
        this.checks += 1
        const next = this.#checks.length > 1 ? this.#checks.shift() : this.#checks[0]
        return play(next ?? made())
      },
      cancel: async handle => {
        this.cancelled.push(handle)
        return 'cancelled'
      },
      callback: async (_callback, handle) => isDeepStrictEqual(handle, this.named),
      adopt: async (_callback, created) => {
        this.adoptions.push(created)
        return this.named
      },
    }
    const { found } = this
    return found === undefined ? capability : { ...capability, find: async () => found }
  }
}

async function play<T>(answer: Answer<T>): Promise<T> {
  if (answer instanceof Error) throw answer
  return typeof answer === 'function' ? (answer as () => Promise<T>)() : answer
}
