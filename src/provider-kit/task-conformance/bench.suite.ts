/** The bench a provider of media tasks is tried on: its vendor's simulator, a real exchange, and somewhere to be called back. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { ImageRequest } from '#spec/image.ts'
import type { Json } from '#spec/json.ts'
import type { Clock, Exchange } from '#spec/ports.ts'
import { type ProviderDefinition, ProviderFailure, type ProviderSettings } from '#spec/provider.ts'
import type { Checked, RawCallback, StartRequest, TaskCapability, TaskContext } from '#spec/task-provider.ts'

/** A vendor's simulator, running. */
export interface SimulatedTaskVendor {
  readonly settings: ProviderSettings
  /** The next create calls meet these. */
  faultNext(...texts: readonly string[]): void
  /** Create calls that came, what was billed in nano-dollars, and how many jobs it was for. */
  meter(): {
    readonly totals: { readonly creates: number; readonly succeeded: number; readonly invoiceNanoUsd: string }
    readonly jobs: readonly { readonly files: number }[]
  }
  reset(): void
  close(): Promise<void>
}

export interface TaskConformanceOptions {
  readonly definition: ProviderDefinition
  /** A real exchange: the suite is about bytes on a socket. */
  readonly openExchange: () => Exchange & { close(): Promise<void> }
  readonly startVendor: () => Promise<SimulatedTaskVendor>
  /** A model that makes pictures from text, several in a call if `maxCount` says so. */
  readonly imageModel: string
  /** What the vendor cannot show, with the reason. */
  readonly notApplicable?:
    | Readonly<
        Partial<
          Record<'cancel' | 'signed-body' | 'callbacks' | 'moderated-in-success' | 'half-files', string>
        >
      >
    | undefined
}

const STILL_CLOCK: Clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() }

export interface TaskBench {
  readonly title: string
  readonly vendor: SimulatedTaskVendor
  readonly tasks: TaskCapability
  make(settings: ProviderSettings): TaskCapability
  /** The callbacks that came, in order. */
  readonly received: readonly RawCallback[]
  readonly callbackUrl: string
  /** Resolves once so many have come. */
  arrived(count: number): Promise<void>
  /** Starts an image, with the fault, and gives its handle. */
  started(fault?: string, overrides?: Partial<StartRequest>): Promise<Json>
  start(fault?: string, overrides?: Partial<StartRequest>): ReturnType<TaskCapability['start']>
}

export function openTaskBench(options: TaskConformanceOptions): TaskBench {
  let vendor: SimulatedTaskVendor
  let exchange: ReturnType<TaskConformanceOptions['openExchange']>
  let tasks: TaskCapability
  const receiver = openReceiver()
  const make = (settings: ProviderSettings): TaskCapability => {
    const made = options.definition.create(settings, { exchange, clock: STILL_CLOCK }).tasks
    if (made === undefined) throw new Error('this provider has no tasks')
    return made
  }
  beforeAll(async () => {
    await receiver.open()
    vendor = await options.startVendor()
    exchange = options.openExchange()
    tasks = make(vendor.settings)
  })
  beforeEach(() => {
    vendor.reset()
    receiver.received.length = 0
  })
  afterAll(async () => {
    await exchange.close()
    await vendor.close()
    await receiver.close()
  })
  const start: TaskBench['start'] = (fault = '', overrides = {}) => {
    vendor.faultNext(fault)
    return tasks.start(startRequest(options.imageModel, overrides), taskContext())
  }
  return {
    title: options.definition.title,
    get vendor() {
      return vendor
    },
    get tasks() {
      return tasks
    },
    make,
    received: receiver.received,
    get callbackUrl() {
      return receiver.url()
    },
    arrived: receiver.arrived,
    start,
    started: async (fault, overrides) => {
      const answer = await start(fault, overrides)
      if (answer.kind !== 'started') throw new Error(`expected a handle, got ${answer.kind}`)
      return answer.handle
    },
  }
}

interface Receiver {
  readonly received: RawCallback[]
  open(): Promise<void>
  url(): string
  arrived(count: number): Promise<void>
  close(): Promise<void>
}

function openReceiver(): Receiver {
  const received: RawCallback[] = []
  let wake = (): void => undefined
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const headers: Record<string, string | undefined> = {}
      for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value)
      received.push({ headers, body: Buffer.concat(pieces), url: request.url ?? '' })
      response.end('ok')
      wake()
    })
  })
  return {
    received,
    open: async () => {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
    },
    url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback/token`,
    arrived: async count => {
      while (received.length < count) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export function imageRequest(overrides: Partial<ImageRequest> = {}): ImageRequest {
  return {
    operation: 'image',
    model: 'a-model',
    action: 'text2img',
    prompt: 'a lighthouse at dawn',
    negativePrompt: undefined,
    inputs: [],
    count: 1,
    seed: undefined,
    options: {},
    aspectRatio: '16:9',
    resolution: undefined,
    size: undefined,
    format: undefined,
    ...overrides,
  }
}

export function startRequest(model: string, overrides: Partial<StartRequest> = {}): StartRequest {
  return {
    request: imageRequest(),
    upstreamModel: model,
    action: 'text2img',
    inputs: [],
    count: 1,
    callbackUrl: undefined,
    reference: '0190aaaa0000700080000000000000ff',
    parentHandle: undefined,
    ...overrides,
  }
}

export function taskContext(overrides: Partial<TaskContext> = {}): TaskContext {
  return {
    signal: new AbortController().signal,
    timeouts: { connectMs: 1_000, firstByteMs: 1_000, betweenChunksMs: 1_000, totalMs: 4_000 },
    ...overrides,
  }
}

/** Looks until the job has ended; every look is kept. */
export async function looksUntilEnd(tasks: TaskCapability, handle: Json): Promise<Checked[]> {
  const looks: Checked[] = []
  let current = handle
  for (let look = 0; look < 200; look++) {
    const checked = await tasks.check(current, taskContext())
    looks.push(checked)
    if (checked.kind !== 'pending') return looks
    current = checked.handle ?? current
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error('the job did not end')
}

export async function endOf(tasks: TaskCapability, handle: Json): Promise<Checked> {
  const looks = await looksUntilEnd(tasks, handle)
  const end = looks.at(-1)
  if (end === undefined) throw new Error('no look was taken')
  return end
}

/** The ProviderFailure a call ends with. Throws where it ends otherwise. */
export async function failureOfTask(call: Promise<unknown>): Promise<ProviderFailure> {
  const outcome: unknown = await call.then(
    value => value,
    error => error,
  )
  if (outcome instanceof ProviderFailure) return outcome
  throw new Error(`expected a ProviderFailure, got ${JSON.stringify(outcome)}`)
}
