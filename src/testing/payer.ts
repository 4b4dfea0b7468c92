/** A workspace with a key, and the calls a client makes with it. */
import type { Accounts } from '#modules/accounts/index.ts'
import type { Catalog } from '#modules/catalog/index.ts'
import type { KeyService, NewKey } from '#modules/keys/index.ts'
import type { Ledger } from '#modules/ledger/index.ts'
import { inputBound } from '#modules/pricing/index.ts'
import type { Database } from '#platform/postgres/database.ts'
import type { AccountRef, Mode } from '#spec/account.ts'
import type { ChatRequest } from '#spec/chat.ts'
import type { EmbedRequest } from '#spec/embed.ts'
import type { Gateway, WireAnswer } from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import { nanoUsdFromCredits, priceOf } from '#spec/money.ts'
import type { Clock, Ids } from '#spec/ports.ts'
import type { Quote, Receipt } from '#spec/receipt.ts'
import { PROMPT_MARK } from './records.ts'
import { jsonAnswer, lineRenderer, TestCall, TestReply } from './test-client.ts'

export interface PayerOptions extends Partial<Omit<NewKey, 'workspaceId' | 'name'>> {
  readonly mode?: Mode
  /** What the account is given; 1,000 credits where nothing is said. */
  readonly balanceNanoUsd?: bigint | undefined
}

export interface CallOptions {
  readonly idempotencyKey?: string | undefined
  /** What stands for the body, where it matters that it differs. */
  readonly body?: string | undefined
}

/** A streamed call under way. */
export interface StreamedCall {
  readonly call: TestCall
  readonly reply: TestReply
  /** Resolves when the gateway is done with it; rejects with what it threw. */
  readonly done: Promise<void>
}

/** A plain call under way. */
export interface PlainCall {
  readonly call: TestCall
  readonly answer: Promise<WireAnswer>
}

export interface Payer {
  readonly account: AccountRef
  readonly keyId: Uuid
  /** Starts a plain chat. */
  ask(fields?: Partial<ChatRequest>, options?: CallOptions): Promise<PlainCall>
  /** A plain chat, answered. */
  chat(fields?: Partial<ChatRequest>, options?: CallOptions): Promise<WireAnswer>
  /** Starts a streamed chat. */
  stream(fields?: Partial<ChatRequest>, options?: CallOptions): Promise<StreamedCall>
  /** A streamed chat, to its end. */
  streamed(fields?: Partial<ChatRequest>, options?: CallOptions): Promise<StreamedCall>
  embed(fields?: Partial<EmbedRequest>, options?: CallOptions): Promise<WireAnswer>
  quote(fields?: Partial<ChatRequest>): Promise<Quote>
  /** An authenticated call of this key. */
  call(route?: string, options?: CallOptions): Promise<TestCall>
  /** What can be spent and what is held. */
  money(): Promise<{ availableNanoUsd: bigint; heldNanoUsd: bigint }>
  /** What was charged, ever: what the balance lacks of all that was given. */
  spent(): Promise<bigint>
  receipt(call: TestCall): Promise<Receipt>
  grant(amountNanoUsd: bigint): Promise<void>
  revoke(): Promise<void>
  /** What must be held for the request with so many tokens of output, at $1 and $4 a million and 40 % on top. */
  boundNanoUsd(outputTokens: number, fields?: Partial<ChatRequest>): bigint
}

interface Surroundings {
  readonly database: Database
  readonly accounts: Accounts
  readonly keys: KeyService
  readonly ids: Ids
  /** The gateway that is called, and what of it says what a call cost. */
  readonly house: {
    readonly gateway: Gateway
    readonly ledger: Ledger
    readonly catalog: Catalog
    readonly clock: Clock
  }
  /** Where every call is noted. */
  readonly calls: TestCall[]
}

const USUAL_CREDITS = nanoUsdFromCredits('1000', { nanoUsdPerCredit: 10_000_000n })

/** A chat of the model `echo`, with a prompt that may be in no log. */
export function chatRequest(fields: Partial<ChatRequest> = {}): ChatRequest {
  return {
    operation: 'chat',
    model: 'echo',
    messages: [{ role: 'user', content: [{ type: 'text', text: PROMPT_MARK }] }],
    stream: false,
    tools: [],
    choices: 1,
    stop: [],
    includeUsage: true,
    ...fields,
  }
}

/** What so many tokens cost at $1 and $4 a million with 40 % on top. */
export function chargeOf(inputTokens: number, outputTokens: number): bigint {
  return priceOf(
    [
      { unit: 'input_tokens', quantity: BigInt(inputTokens), priceNanoUsdPerMillion: 1_000_000_000n },
      { unit: 'output_tokens', quantity: BigInt(outputTokens), priceNanoUsdPerMillion: 4_000_000_000n },
    ],
    4_000,
  ).chargeNanoUsd
}

export async function openPayer(around: Surroundings, options: PayerOptions): Promise<Payer> {
  const { accounts, keys, ids, house } = around
  const { mode = 'live', balanceNanoUsd = USUAL_CREDITS, ...key } = options
  const { id: workspaceId } = await accounts.createWorkspace({ name: 'payer', tier: 'starter' })
  const { key: view, secret } = await keys.create({ ...key, workspaceId, mode, name: 'test' })
  const account = { workspaceId, mode }
  let granted = 0n

  async function grant(amountNanoUsd: bigint): Promise<void> {
    if (amountNanoUsd === 0n) return
    granted += amountNanoUsd
    await house.ledger.grant(account, ids.next(), amountNanoUsd, 'test')
  }
  await grant(balanceNanoUsd)

  async function newCall(
    route: string,
    { idempotencyKey, body = route }: CallOptions = {},
  ): Promise<TestCall> {
    const startedMonotonicMs = house.clock.monotonicMs()
    const call = new TestCall({ requestId: ids.next(), route, idempotencyKey, body, startedMonotonicMs })
    around.calls.push(call)
    await house.gateway.authenticate(call, `Bearer ${secret}`)
    return call
  }

  async function stream(fields?: Partial<ChatRequest>, callOptions?: CallOptions): Promise<StreamedCall> {
    const call = await newCall('/chat', callOptions)
    const reply = new TestReply(call)
    const request = chatRequest({ stream: true, ...fields })
    const done = house.gateway.streamChat(call, request, lineRenderer(), reply)
    // A test may look at it later than it fails.
    done.catch(() => {})
    return { call, reply, done }
  }

  async function ask(fields?: Partial<ChatRequest>, callOptions?: CallOptions): Promise<PlainCall> {
    const call = await newCall('/chat', callOptions)
    const answer = house.gateway.chat(call, chatRequest(fields), jsonAnswer)
    answer.catch(() => {})
    return { call, answer }
  }

  async function money() {
    const { balanceNanoUsd: balance, heldNanoUsd } = await house.ledger.balance(account)
    return { availableNanoUsd: balance - heldNanoUsd, heldNanoUsd }
  }

  return {
    account,
    keyId: view.id,
    ask,
    chat: async (...asked) => (await ask(...asked)).answer,
    stream,
    async streamed(...asked) {
      const streaming = await stream(...asked)
      await streaming.done
      return streaming
    },
    async embed(fields, callOptions) {
      const call = await newCall('/embeddings', callOptions)
      const request: EmbedRequest = {
        operation: 'embed',
        model: 'vectors',
        inputs: [PROMPT_MARK],
        encoding: 'float',
        ...fields,
      }
      return await house.gateway.embed(call, request, result => ({
        status: 200,
        contentType: 'application/json',
        body: JSON.stringify(result),
      }))
    },
    quote: async fields => house.gateway.quote(await newCall('/quote'), chatRequest(fields)),
    call: (route = '/chat', callOptions) => newCall(route, callOptions),
    money,
    async spent() {
      const { availableNanoUsd, heldNanoUsd } = await money()
      return granted - availableNanoUsd - heldNanoUsd
    },
    async receipt(call) {
      return await house.gateway.receipt(await newCall('/receipts'), call.requestId)
    },
    grant,
    async revoke() {
      await keys.revoke({ workspaceId, id: view.id })
    },
    boundNanoUsd(outputTokens, fields) {
      const request = chatRequest(fields)
      const model = house.catalog.find(request.model, mode)
      if (!model) throw new Error(`there is no model ${request.model}`)
      return chargeOf(inputBound(request, model), outputTokens)
    },
  }
}
