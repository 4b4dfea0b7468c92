/**
 * A gateway for the tests of dialects: it knows one key, answers what its script says and remembers what it was
 * asked. It holds no money and finds no provider; those are tested where they live.
 */
import type { Principal } from '#spec/account.ts'
import type { ChatResult, ChatStreamEnd, ChatStreamPart } from '#spec/chat.ts'
import type { EmbedResult } from '#spec/embed.ts'
import { GatewayError } from '#spec/errors.ts'
import type {
  AccountView,
  Call,
  FileSource,
  Gateway,
  HourlyLimit,
  OpenFile,
  StoredFile,
  StreamCharge,
  Submission,
} from '#spec/gateway.ts'
import type { Uuid } from '#spec/ids.ts'
import { parseTaskId } from '#spec/ids.ts'
import type { Model } from '#spec/offering.ts'
import type { Operation } from '#spec/operation.ts'
import type { Quote, Receipt } from '#spec/receipt.ts'
import type { Artifact, TaskPage, TaskQuery, TaskView } from '#spec/task.ts'
import type { WebhookDesk } from '#spec/webhook.ts'
import { type AskedOfDesk, type DeskScript, scriptedDesk } from './scripted-desk.ts'

/** The one key that is valid. */
export const GOOD_KEY = 'sk-test-good-key'

/** The hour after the one that the in-memory requests come in: 2026-01-01T01:00:00Z. */
const NEXT_HOUR_UNIX_SECONDS = 1_767_229_200

export interface GatewayScript {
  readonly models?: readonly Model[]
  readonly chat?: ChatResult
  /** What a chat that is answered whole is charged; left out: nothing. */
  readonly chatChargedNanoUsd?: bigint
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
  /** What a submitted task is answered as; `submitAndWait` gives the last of them, `watchTask` all. */
  readonly submitted?: readonly TaskView[]
  /** Another call has just submitted what may be made once: this task. */
  readonly madeAlready?: TaskView
  /** Tasks that can be found, in the order that lists give them. */
  readonly tasks?: readonly TaskView[]
  readonly file?: StoredFile
  readonly artifacts?: readonly Artifact[]
  /** Who the key is; left out: nobody in particular. */
  readonly principal?: Principal
  /** Where the key stands in its hour; left out: the first of 100 requests. */
  readonly hourly?: HourlyLimit
  /** What there is at the desk for callbacks. */
  readonly desk?: DeskScript
  /** Fixed prices by model, in nano-dollars. */
  readonly fixedPrices?: Readonly<Record<string, bigint>>
  /** Thrown by everything but `authenticate`. */
  readonly refuse?: GatewayError
}

/** What a dialect asked of the gateway, in order. */
export interface Asked {
  readonly method:
    | 'chat'
    | 'streamChat'
    | 'embed'
    | 'quote'
    | 'account'
    | 'receipt'
    | 'models'
    | 'model'
    | 'storeFile'
    | 'submit'
    | 'submitAndWait'
    | 'findTask'
    | 'listTasks'
    | 'cancelTask'
    | 'watchTask'
    | 'findArtifact'
    | AskedOfDesk['method']
  readonly argument?:
    | Operation
    | Uuid
    | string
    | Submission
    | TaskQuery
    | FileSource
    | AskedOfDesk['argument']
}

export class ScriptedGateway implements Gateway {
  readonly credits = { nanoUsdPerCredit: 10_000_000n }
  readonly asked: Asked[] = []
  /** How often the bucket of the hour was asked. */
  hourlyLimits = 0
  readonly #script: GatewayScript

  constructor(script: GatewayScript = {}) {
    this.#script = script
  }

  async authenticate(call: Call, authorization: string | undefined): Promise<void> {
    if (authorization === undefined) throw new GatewayError('missing_api_key', 'Send an API key.')
    if (authorization !== `Bearer ${GOOD_KEY}`) throw new GatewayError('invalid_api_key', 'Unknown API key.')
    call.principal = this.#script.principal
  }

  async chat(...[, request, render]: Parameters<Gateway['chat']>) {
    this.#ask({ method: 'chat', argument: request })
    return render(scripted(this.#script.chat, 'chat'), this.#script.chatChargedNanoUsd ?? 0n)
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

  publicModels(): readonly Model[] {
    return this.#script.models ?? []
  }

  fixedPrice(_dialect: string, model: string): bigint | undefined {
    return this.#script.fixedPrices?.[model]
  }

  async storeFile(_call: Call, source: FileSource): Promise<StoredFile> {
    this.#ask({ method: 'storeFile', argument: source })
    return scripted(this.#script.file, 'storeFile')
  }

  async submit(...[call, submission, render]: Parameters<Gateway['submit']>) {
    this.#ask({ method: 'submit', argument: submission })
    const { madeAlready } = this.#script
    if (madeAlready && submission.once) return submission.once.answer(madeAlready)
    const task = scripted(this.#script.submitted?.[0], 'submit')
    call.billing = { ...call.billing, chargedNanoUsd: task.heldNanoUsd, heldNanoUsd: task.heldNanoUsd }
    return render(task)
  }

  async submitAndWait(...[call, submission, render]: Parameters<Gateway['submitAndWait']>) {
    this.#ask({ method: 'submitAndWait', argument: submission })
    const { madeAlready } = this.#script
    if (madeAlready && submission.once) return submission.once.answer(madeAlready)
    const task = scripted(this.#script.submitted?.at(-1), 'submitAndWait')
    call.billing = { ...call.billing, chargedNanoUsd: task.chargedNanoUsd, heldNanoUsd: task.heldNanoUsd }
    return render(task)
  }

  async findTask(_call: Call, id: string): Promise<TaskView | undefined> {
    this.#ask({ method: 'findTask', argument: id })
    const wanted = parseTaskId(id)
    return this.#script.tasks?.find(task => task.id === wanted)
  }

  async listTasks(_call: Call, query: TaskQuery): Promise<TaskPage> {
    this.#ask({ method: 'listTasks', argument: query })
    const tasks = this.#script.tasks ?? []
    return { tasks: tasks.slice(query.offset, query.offset + query.limit), total: tasks.length }
  }

  async cancelTask(call: Call, id: string): Promise<TaskView> {
    this.#ask({ method: 'cancelTask', argument: id })
    const task = await this.findTask(call, id)
    if (task) return task
    throw new GatewayError('task_not_found', 'There is no such task.')
  }

  async watchTask(...[, id]: Parameters<Gateway['watchTask']>): Promise<AsyncIterable<TaskView>> {
    this.#ask({ method: 'watchTask', argument: id })
    const tasks = this.#script.submitted ?? []
    return (async function* () {
      yield* tasks
    })()
  }

  async findArtifact(_call: Call, url: string): Promise<Artifact | undefined> {
    this.#ask({ method: 'findArtifact', argument: url })
    return this.#script.artifacts?.find(artifact => artifact.url === url)
  }

  async openFile(): Promise<OpenFile | undefined> {
    return undefined
  }

  /** Keys are the gateway's own business: here the work is simply done. */
  keyed(...[, work]: Parameters<Gateway['keyed']>): ReturnType<Gateway['keyed']> {
    return work(() => undefined)
  }

  webhooks(): WebhookDesk {
    return scriptedDesk(this.#script.desk ?? {}, asked => this.#ask(asked))
  }

  /** A limit on the way in, not a thing asked for: it is not among `asked`. */
  async hourlyLimit(): Promise<HourlyLimit> {
    this.hourlyLimits += 1
    return (
      this.#script.hourly ?? {
        limit: 100,
        remaining: 99,
        resetsAtUnixSeconds: NEXT_HOUR_UNIX_SECONDS,
        allowed: true,
      }
    )
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
