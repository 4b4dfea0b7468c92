/**
 * A provider that does what a test says, step by step, and remembers how it was asked. It keeps the contract of
 * spec/provider.ts: what it throws is a ProviderFailure (unless it is told to break that too), and it gives up at once
 * when its signal is aborted (unless it is told to ignore that).
 */
import { setImmediate } from 'node:timers/promises'
import { assembleChat } from '#provider-kit/openai-format/index.ts'
import type { ChatRequest, ChatStreamPart, FinishReason } from '#spec/chat.ts'
import type { EmbedRequest } from '#spec/embed.ts'
import {
  type Capabilities,
  type ChatStreamReceiver,
  type ProviderContext,
  type ProviderDefinition,
  ProviderFailure,
  type ProviderFailureKind,
} from '#spec/provider.ts'
import type { TokenUsage } from '#spec/receipt.ts'

export type Step =
  /** One read of the upstream socket. With `unless`, it fails should that come before the parts were taken. */
  | {
      readonly send: readonly ChatStreamPart[]
      readonly unless?: { event: Promise<unknown>; failure: unknown }
    }
  | { readonly wait: Promise<unknown> }
  | { readonly run: () => unknown }
  | { readonly fail: unknown }
  | { readonly hang: true }
  | { readonly usage: TokenUsage }

/** One text delta, in a read of its own. */
export function say(text: string, choice = 0): Step {
  return { send: [{ type: 'text-delta', choice, text }] }
}

/** So many text deltas of so many bytes, each in a read of its own. */
export function sayMany(count: number, bytes = 4): Step[] {
  return Array.from({ length: count }, (_, n) => say(String(n % 10).repeat(bytes)))
}

/** Several parts in one read. */
export function send(...steps: readonly Step[]): Step {
  return { send: steps.flatMap(step => ('send' in step ? step.send : [])) }
}

/** Bytes of the wire format `lines`, passed through as they are. */
export function wire(text: string, closing = false): Step {
  const bytes = Buffer.from(text)
  return {
    send: [{ type: 'wire', format: 'lines', bytes, closing, outputBytes: bytes.length, deltas: 1 }],
  }
}

/** A read whose parts are not taken before the event, by when the provider has failed. */
export function sendUnless(step: Step, event: Promise<unknown>, kind: ProviderFailureKind): Step {
  const { send: parts } = step as { send: readonly ChatStreamPart[] }
  return { send: parts, unless: { event, failure: new ProviderFailure(kind, `the vendor failed: ${kind}`) } }
}

export function finish(reason: FinishReason = 'stop', choice = 0): Step {
  return { send: [{ type: 'finish', choice, reason }] }
}

/** The usage that is reported at the end; the last one counts. */
export function used(inputTokens: number, outputTokens: number): Step {
  return {
    usage: { inputTokens, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens, reasoningTokens: 0 },
  }
}

export function wait(until: Promise<unknown>): Step {
  return { wait: until }
}

export function run(what: () => unknown): Step {
  return { run: what }
}

export function fail(
  kind: ProviderFailureKind,
  details: { status?: number; retryAfterSeconds?: number; message?: string } = {},
): Step {
  return { fail: new ProviderFailure(kind, details.message ?? `the vendor failed: ${kind}`, details) }
}

/** Until the call is aborted. */
export const hang: Step = { hang: true }

/** One call as the provider saw it. */
export interface RecordedCall {
  readonly kind: 'chat' | 'stream' | 'embed'
  readonly request: ChatRequest | EmbedRequest
  readonly context: ProviderContext
  /** Given up because the signal was aborted. */
  aborted: boolean
  /** How many reads had to wait before the next. */
  waits: number
  /** Every part that was handed over. */
  readonly sent: ChatStreamPart[]
}

export interface ScriptedProviderOptions {
  readonly id: string
  readonly stopsBillingOnAbort?: boolean | undefined
  /** Always there and without a circuit, as the sandbox is. */
  readonly builtIn?: boolean | undefined
  readonly ignoresAbort?: boolean | undefined
  readonly capabilities?: readonly ('chat' | 'embed')[] | undefined
}

const USUAL: readonly Step[] = [say('Hello'), say(' there'), finish(), used(10, 2)]

export class ScriptedProvider {
  readonly id: string
  readonly definition: ProviderDefinition
  readonly capabilities: Capabilities
  readonly calls: RecordedCall[] = []
  readonly #ignoresAbort: boolean
  #next: (readonly Step[])[] = []
  #always: readonly Step[] = USUAL
  #onCall: (() => void)[] = []

  constructor(options: ScriptedProviderOptions) {
    this.id = options.id
    this.#ignoresAbort = options.ignoresAbort ?? false
    const has = options.capabilities ?? ['chat', 'embed']
    this.capabilities = {
      ...(has.includes('chat') && { chat: this.#chat() }),
      ...(has.includes('embed') && {
        embed: { embed: (request, context) => this.#embed(request, context) },
      }),
    }
    this.definition = {
      id: options.id,
      title: options.id,
      homepage: 'https://example.com',
      access: options.builtIn
        ? { kind: 'built-in' }
        : { kind: 'configured', defaultBaseUrl: 'https://example.com' },
      stopsBillingOnAbort: options.stopsBillingOnAbort ?? true,
      create: () => this.capabilities,
    }
  }

  /** What the next call does that has no script yet. */
  will(...steps: readonly (Step | readonly Step[])[]): this {
    this.#next.push(steps.flat())
    return this
  }

  /** What every call does that has no script of its own. */
  always(...steps: readonly (Step | readonly Step[])[]): this {
    this.#always = steps.flat()
    return this
  }

  /** The first call, once it has come. */
  async called(count = 1): Promise<RecordedCall> {
    for (;;) {
      const call = this.calls[count - 1]
      if (call) return call
      await new Promise<void>(resolve => this.#onCall.push(resolve))
    }
  }

  #chat() {
    return {
      chat: async (request: ChatRequest, context: ProviderContext) => {
        const call = this.#begin('chat', request, context)
        const usage = await this.#play(call, () => undefined)
        return { ...assembleChat(call.sent, { usage }), usage }
      },
      stream: async (request: ChatRequest, context: ProviderContext, receive: ChatStreamReceiver) => {
        const usage = await this.#play(this.#begin('stream', request, context), receive)
        return { usage }
      },
      assemble: (_request: ChatRequest, ...answer: Parameters<typeof assembleChat>) =>
        assembleChat(...answer),
    }
  }

  async #embed(request: EmbedRequest, context: ProviderContext) {
    const usage = await this.#play(this.#begin('embed', request, context), () => undefined)
    return { vectors: request.inputs.map(() => [0.6, 0.8]), usage }
  }

  #begin(
    kind: RecordedCall['kind'],
    request: ChatRequest | EmbedRequest,
    context: ProviderContext,
  ): RecordedCall {
    const call: RecordedCall = { kind, request, context, aborted: false, waits: 0, sent: [] }
    this.calls.push(call)
    for (const tell of this.#onCall.splice(0)) tell()
    return call
  }

  async #play(call: RecordedCall, receive: ChatStreamReceiver): Promise<TokenUsage | undefined> {
    const steps = this.#next.shift() ?? this.#always
    let usage: TokenUsage | undefined
    for (const step of steps) {
      await this.#orAborted(call, setImmediate())
      if ('usage' in step) usage = step.usage
      else if ('fail' in step) throw step.fail
      else if ('hang' in step) await this.#orAborted(call, new Promise(() => {}))
      else if ('wait' in step) await this.#orAborted(call, step.wait)
      else if ('run' in step) await step.run()
      else {
        call.sent.push(...step.send)
        const received = receive(step.send)
        if (received) call.waits++
        const taken = Promise.resolve(received)
        await this.#orAborted(call, step.unless ? unless(taken, step.unless) : taken)
      }
    }
    return usage
  }

  async #orAborted(call: RecordedCall, work: Promise<unknown>): Promise<void> {
    if (this.#ignoresAbort) {
      await work
      return
    }
    const { signal } = call.context
    const { promise: aborted, resolve } = Promise.withResolvers<'aborted'>()
    const abort = () => resolve('aborted')
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    const first = await Promise.race([work, aborted]).finally(() =>
      signal.removeEventListener('abort', abort),
    )
    if (first !== 'aborted') return
    call.aborted = true
    throw new ProviderFailure('aborted', 'the call was given up')
  }
}

async function unless(
  taken: Promise<void>,
  { event, failure }: { event: Promise<unknown>; failure: unknown },
): Promise<void> {
  const failed = event.then(() => {
    throw failure
  })
  await Promise.race([taken, failed])
}
