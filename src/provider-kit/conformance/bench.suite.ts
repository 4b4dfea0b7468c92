/** The bench a provider is tried on: its vendor's simulator, a real exchange, and what was made of both. */
import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { ChatRequest, ChatResult, ChatStreamEnd } from '#spec/chat.ts'
import type { Clock, Exchange } from '#spec/ports.ts'
import type { Capabilities, ProviderDefinition, ProviderSettings } from '#spec/provider.ts'
import { type Circumstance, Collected, chatRequest, contextOf, wireChatRequest } from './calls.ts'

/** A vendor's simulator, running. */
export interface SimulatedVendor {
  readonly settings: ProviderSettings
  /** The prompt that brings a circumstance about; `undefined` where its simulator cannot. */
  prompt(circumstance: Circumstance): string | undefined
  /** Bodies it was sent since the last reset, parsed. */
  bodies(): readonly Readonly<Record<string, unknown>>[]
  /** Calls whose client hung up. */
  hangUps(): number
  reset(): void
  close(): Promise<void>
}

export interface ConformanceOptions {
  readonly definition: ProviderDefinition
  /** A real exchange: the suite is about bytes on a socket. */
  readonly openExchange: () => Exchange & { close(): Promise<void> }
  readonly startVendor: () => Promise<SimulatedVendor>
  /** Why a capability or a circumstance cannot apply. Anything else is tested. */
  readonly notApplicable?: Readonly<Partial<Record<Circumstance | 'chat' | 'embed', string>>> | undefined
}

/** A vendor on a socket paces itself. */
const STILL_CLOCK: Clock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  sleep: () => Promise.resolve(),
}

export interface Bench {
  readonly format: string | undefined
  readonly vendor: SimulatedVendor
  readonly chat: NonNullable<Capabilities['chat']>
  readonly embed: NonNullable<Capabilities['embed']>
  /** The same provider with other settings. */
  make(settings: ProviderSettings): Capabilities
  /** Whether the circumstance was named as not applicable. */
  skip(circumstance: Circumstance): boolean
}

/** Starts everything before the tests of the current `describe`, and stops it after them. */
export function openBench({
  definition,
  openExchange,
  startVendor,
  notApplicable = {},
}: ConformanceOptions): Bench {
  let vendor: SimulatedVendor
  let exchange: ReturnType<ConformanceOptions['openExchange']>
  let capabilities: Capabilities
  beforeAll(async () => {
    vendor = await startVendor()
    exchange = openExchange()
    capabilities = definition.create(vendor.settings, { exchange, clock: STILL_CLOCK })
  })
  beforeEach(() => vendor.reset())
  afterAll(async () => {
    await exchange.close()
    await vendor.close()
  })
  return {
    format: definition.format,
    get vendor() {
      return vendor
    },
    get chat() {
      if (capabilities.chat === undefined) throw new Error('no chat: name it in notApplicable')
      return capabilities.chat
    },
    get embed() {
      if (capabilities.embed === undefined) throw new Error('no embed: name it in notApplicable')
      return capabilities.embed
    },
    make: settings => definition.create(settings, { exchange, clock: STILL_CLOCK }),
    skip: circumstance => notApplicable[circumstance] !== undefined,
  }
}

interface Streamed {
  readonly collected: Collected
  readonly end: ChatStreamEnd
  /** What the parts add up to. */
  readonly whole: ChatResult
}

export function promptFor(bench: Bench, circumstance: Circumstance): string {
  const prompt = bench.vendor.prompt(circumstance)
  if (prompt === undefined)
    throw new Error(`the simulator cannot show "${circumstance}": name it in notApplicable`)
  return prompt
}

/** A request that brings the circumstance about. From a client of the provider's own format where it has one, else in our words. */
export function asked(
  bench: Bench,
  circumstance: Circumstance,
  overrides: Partial<ChatRequest> = {},
): ChatRequest {
  const prompt = promptFor(bench, circumstance)
  return bench.format === undefined
    ? chatRequest(prompt, overrides)
    : wireChatRequest(bench.format, prompt, {}, overrides)
}

export async function streamed(bench: Bench, request: ChatRequest): Promise<Streamed> {
  const collected = new Collected()
  const end = await bench.chat.stream(request, contextOf(), collected.receive)
  return { collected, end, whole: bench.chat.assemble(request, collected.parts, end) }
}
