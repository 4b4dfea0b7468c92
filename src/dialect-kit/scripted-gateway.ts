/**
 * A gateway for the tests of dialects: it knows one key, answers what its script says and remembers what it was
 * asked. It holds no money and finds no provider; those are tested where they live.
 */
import type { ChatResult, ChatStreamEnd, ChatStreamPart } from '#spec/chat.ts'
import type { EmbedResult } from '#spec/embed.ts'
import { GatewayError } from '#spec/errors.ts'
import type { AccountView, Call, Gateway, StreamCharge } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Model } from '#spec/offering.ts'
import type { Operation } from '#spec/operation.ts'
import type { Quote, Receipt } from '#spec/receipt.ts'

/** The one key that is valid. */
export const GOOD_KEY = 'sk-test-good-key'

export interface GatewayScript {
  readonly models?: readonly Model[]
  readonly chat?: ChatResult
  readonly stream?: {
    readonly parts: readonly ChatStreamPart[]
    readonly end: ChatStreamEnd
    readonly charge: StreamCharge
    /** Breaks the stream after its parts. */
    readonly failure?: GatewayError
  }
  readonly embed?: EmbedResult
  readonly quote?: Quote
  readonly account?: AccountView
  readonly receipt?: Receipt
  /** Thrown by everything but `authenticate`. */
  readonly refuse?: GatewayError
}

/** What a dialect asked of the gateway, in order. */
export interface Asked {
  readonly method: 'chat' | 'streamChat' | 'embed' | 'quote' | 'account' | 'receipt' | 'models' | 'model'
  readonly argument?: Operation | Uuid | string
}

export class ScriptedGateway implements Gateway {
  readonly credits = { nanoUsdPerCredit: 10_000_000n }
  readonly asked: Asked[] = []
  readonly #script: GatewayScript

  constructor(script: GatewayScript = {}) {
    this.#script = script
  }

  async authenticate(_call: Call, authorization: string | undefined): Promise<void> {
    if (authorization === undefined) throw new GatewayError('missing_api_key', 'Send an API key.')
    if (authorization !== `Bearer ${GOOD_KEY}`) throw new GatewayError('invalid_api_key', 'Unknown API key.')
  }

  async chat(...[, request, render]: Parameters<Gateway['chat']>) {
    this.#ask({ method: 'chat', argument: request })
    return render(scripted(this.#script.chat, 'chat'))
  }

  async streamChat(...[, request, renderer, reply]: Parameters<Gateway['streamChat']>): Promise<void> {
    this.#ask({ method: 'streamChat', argument: request })
    const { parts, end, charge, failure } = scripted(this.#script.stream, 'stream')
    const stream = reply.stream({ contentType: renderer.contentType })
    for (const part of parts) await stream.write(renderer.part(part))
    await stream.write(failure ? renderer.error(failure) : renderer.finish(end, charge))
    stream.end({})
  }

  async embed(...[, request, render]: Parameters<Gateway['embed']>) {
    this.#ask({ method: 'embed', argument: request })
    return render(scripted(this.#script.embed, 'embed'))
  }

  async quote(_call: Call, operation: Operation): Promise<Quote> {
    this.#ask({ method: 'quote', argument: operation })
    return scripted(this.#script.quote, 'quote')
  }

  async account(): Promise<AccountView> {
    this.#ask({ method: 'account' })
    return scripted(this.#script.account, 'account')
  }

  async receipt(_call: Call, requestId: Uuid): Promise<Receipt> {
    this.#ask({ method: 'receipt', argument: requestId })
    return scripted(this.#script.receipt, 'receipt')
  }

  models(): readonly Model[] {
    this.#ask({ method: 'models' })
    return this.#script.models ?? []
  }

  model(_call: Call, name: string): Model {
    this.#ask({ method: 'model', argument: name })
    const models = this.#script.models ?? []
    const found = models.find(({ id, aliases }) => id === name || aliases.includes(name))
    if (found) return found
    throw new GatewayError('model_not_found', 'There is no model of that name.', {
      param: 'model',
      nearby: models.map(({ id }) => id),
    })
  }

  /** For the headers `http/` writes; no dialect asks. */
  async balance(): Promise<bigint | undefined> {
    return this.#script.account?.availableNanoUsd
  }

  #ask(asked: Asked): void {
    this.asked.push(asked)
    if (this.#script.refuse) throw this.#script.refuse
  }
}

function scripted<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the script of this test has no answer for ${name}`)
  return value
}
