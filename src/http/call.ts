/** One request as the gateway sees it. */
import { createHash } from 'node:crypto'
import type { Principal } from '#spec/account.ts'
import type { Call } from '#spec/gateway.ts'
import { renderId, type Uuid } from '#spec/ids.ts'
import type { Billing } from '#spec/receipt.ts'

/** What is billed before anything was: nothing, of a balance nobody has asked for. */
export const NOTHING_BILLED: Billing = { chargedNanoUsd: 0n, heldNanoUsd: 0n, availableNanoUsd: undefined }

const NO_BODY = Buffer.alloc(0)

export class HttpCall implements Call {
  readonly requestId: Uuid
  /** The request id as clients see it: `req_…`. */
  readonly wireId: string
  dialect: string
  readonly route: string
  readonly idempotencyKey: string | undefined
  readonly startedMonotonicMs: number
  principal: Principal | undefined = undefined
  billing: Billing = NOTHING_BILLED
  servedBy: string | undefined = undefined
  model: string | undefined = undefined
  /** Set by `http/` when the body has arrived. */
  body: Buffer | undefined = undefined
  /** The parameters of its path, where it has any: with another of them a repeat is another request. */
  pathParams = ''
  #clientGone = false
  #controller: AbortController | undefined = undefined
  #digest: string | undefined = undefined

  constructor(facts: {
    requestId: Uuid
    dialect: string
    route: string
    idempotencyKey: string | undefined
    startedMonotonicMs: number
  }) {
    this.requestId = facts.requestId
    this.wireId = renderId('request', facts.requestId)
    this.dialect = facts.dialect
    this.route = facts.route
    this.idempotencyKey = facts.idempotencyKey
    this.startedMonotonicMs = facts.startedMonotonicMs
  }

  bodyDigest = (): string => {
    this.#digest ??= createHash('sha256')
      .update(this.pathParams)
      .update(this.body ?? NO_BODY)
      .digest('hex')
    return this.#digest
  }

  /** Made when it is first asked for: most reads never ask. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#clientGone) this.#controller.abort()
    }
    return this.#controller.signal
  }

  /** The connection closed before the answer was complete. */
  abort(): void {
    this.#clientGone = true
    this.#controller?.abort()
  }
}
