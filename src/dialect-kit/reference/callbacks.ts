/**
 * What callbacks look like, learned from the dialects as their errors are: the example of each call is handed to its own
 * endpoint, by a gateway that takes down what would be made, and the dialect writes the callback about it.
 */
import type { Dialect, Endpoint, SignatureGuide } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, Gateway, Submission } from '#spec/gateway.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskView } from '#spec/task.ts'
import { MOMENTS, type Moment, SAMPLE_TASK_ID, taskAt } from './callback-samples.ts'
import { type JsonSchema, jsonSchemaOf, schemaOfValues } from './json-schema.ts'

/** What the endpoints ask a catalogue while they read a request. */
export type Models = Pick<Gateway, 'credits' | 'model' | 'models' | 'publicModels' | 'fixedPrice'>

export interface CallbackBody {
  readonly moment: Moment['name']
  readonly body: JsonObject
}

/** The callbacks about what one call makes. */
export interface EndpointCallbacks {
  /** As the endpoint is defined: `POST /veo/generate`. */
  readonly route: string
  readonly bodies: readonly CallbackBody[]
  /** Of each of them. */
  readonly schema: JsonSchema
  /** The field of the call's body that names where they are sent; `undefined`: they are sent to endpoints alone. */
  readonly urlField: string | undefined
}

export interface DialectCallbacks {
  readonly endpoints: readonly EndpointCallbacks[]
  /** Of everything that this dialect writes. */
  readonly schema: JsonSchema
  /** Of the dialect's own signature, beside those that every callback has. */
  readonly headers: readonly string[]
  /** How receivers check those. */
  readonly signatureGuide: SignatureGuide | undefined
}

/** By dialect; those that write none are left out. Never throws: what cannot be learned is left out. */
export async function learnCallbacks(
  dialects: readonly Dialect[],
  models: Models,
): Promise<ReadonlyMap<string, DialectCallbacks>> {
  const learned = new Map<string, DialectCallbacks>()
  for (const dialect of dialects) {
    const endpoints = dialect.renderCallback ? await endpointsOf(dialect, models) : []
    if (endpoints.length === 0) continue
    const bodies = endpoints.flatMap(endpoint => endpoint.bodies.map(({ body }) => body))
    const { signatureGuide } = dialect
    const headers = headersOf(dialect)
    learned.set(dialect.id, { endpoints, schema: schemaOfValues(bodies), headers, signatureGuide })
  }
  return learned
}

/** First those that need nothing; then those that go on from what another call made, each with what suits it. */
async function endpointsOf(dialect: Dialect, models: Models): Promise<readonly EndpointCallbacks[]> {
  const made = new Map<Endpoint, Submission>()
  const isCreating = ({ method, reference }: Endpoint) =>
    method === 'POST' && isObject(reference?.example.body) && (reference?.answer.status ?? 200) < 400
  const endpoints = dialect.endpoints.filter(isCreating)
  for (const endpoint of endpoints) {
    const submission = await submissionOf(dialect, endpoint, models, undefined)
    if (submission) made.set(endpoint, submission)
  }
  const parents = [...made.values()].map(submission => taskAt(dialect.id, submission, ENDED))
  for (const endpoint of endpoints) {
    for (const parent of made.has(endpoint) ? [] : parents) {
      const submission = await submissionOf(dialect, endpoint, models, parent)
      if (submission === undefined) continue
      made.set(endpoint, submission)
      break
    }
  }
  return endpoints.flatMap(endpoint => callbacksOf(dialect, endpoint, made.get(endpoint), models) ?? [])
}

const [ENDED = { name: 'succeeded', stage: undefined }] = MOMENTS

function callbacksOf(
  dialect: Dialect,
  { method, path, reference }: Endpoint,
  submission: Submission | undefined,
  { credits }: Models,
): EndpointCallbacks | undefined {
  if (submission === undefined) return undefined
  const bodies = MOMENTS.flatMap(moment => {
    const body = orNothing(() =>
      dialect.renderCallback?.(taskAt(dialect.id, submission, moment), moment.stage, credits),
    )
    return body === undefined
      ? []
      : [{ moment: moment.name, body: JSON.parse(JSON.stringify(body)) as JsonObject }]
  })
  if (bodies.length === 0) return undefined
  const fields = reference?.body ? Object.keys(jsonSchemaOf(reference.body.schema).properties ?? {}) : []
  return {
    route: `${method} ${path}`,
    bodies,
    schema: schemaOfValues(bodies.map(({ body }) => body)),
    urlField: fields.find(name => /^call_?back_?url$/i.test(name)),
  }
}

function headersOf({ signCallback }: Dialect): readonly string[] {
  const sample = { taskId: SAMPLE_TASK_ID, timestampSeconds: 0, secret: 'whsec_' }
  return Object.keys(orNothing(() => signCallback?.(sample)) ?? {})
}

/** What the endpoint makes of its example; `undefined` where it makes nothing of it. */
async function submissionOf(
  dialect: Dialect,
  endpoint: Endpoint,
  models: Models,
  parent: TaskView | undefined,
): Promise<Submission | undefined> {
  let taken: Submission | undefined
  const take = (submission: Submission): never => {
    taken = submission
    throw new Error('the example is read, not made')
  }
  const { example } = endpoint.reference ?? {}
  try {
    await endpoint.handle({
      request: {
        params: example?.params ?? {},
        query: example?.query ?? {},
        headers: {},
        body: Buffer.from(JSON.stringify(example?.body)),
      },
      call: exampleCall(dialect, endpoint),
      gateway: takingGateway(models, parent, take),
      reply: {
        send() {},
        async sendFile() {},
        stream: () => {
          throw new Error('nothing is streamed here')
        },
      },
    })
  } catch {
    // Whatever stopped it: what it wanted is known, or it is not.
  }
  return taken
}

function takingGateway(
  models: Models,
  parent: TaskView | undefined,
  take: (submission: Submission) => never,
): Gateway {
  const absent = async (): Promise<never> => {
    throw new GatewayError('not_found', 'There is nothing here.')
  }
  return {
    credits: models.credits,
    model: (call, name) => models.model(call, name),
    models: call => models.models(call),
    publicModels: () => models.publicModels(),
    fixedPrice: (dialect, model) => models.fixedPrice(dialect, model),
    authenticate: async () => {},
    hourlyLimit: async () => ({ limit: 1, remaining: 0, resetsAtUnixSeconds: 0, allowed: true }),
    balance: async () => undefined,
    findTask: async () => parent,
    listTasks: async () => ({ tasks: [], total: 0 }),
    submit: async (_call, submission) => take(submission),
    submitAndWait: async (_call, submission) => take(submission),
    keyed: (_call, work) => work(() => undefined),
    storeFile: absent,
    findArtifact: async () => undefined,
    openFile: async () => undefined,
    chat: absent,
    streamChat: absent,
    embed: absent,
    quote: absent,
    account: absent,
    receipt: absent,
    cancelTask: absent,
    watchTask: absent,
    webhooks: () => {
      throw new GatewayError('not_found', 'There is nothing here.')
    },
  }
}

/** Of a test key that may name every model. */
function exampleCall({ id }: Dialect, { path }: Endpoint): Call {
  return {
    requestId: SAMPLE_TASK_ID,
    dialect: id,
    route: path,
    idempotencyKey: undefined,
    bodyDigest: () => '',
    startedMonotonicMs: 0,
    signal: new AbortController().signal,
    principal: {
      workspaceId: SAMPLE_TASK_ID,
      workspaceName: 'Main',
      mode: 'test',
      keyId: SAMPLE_TASK_ID,
      keyName: 'default',
      plan: 'free',
      tier: '',
      markupBasisPoints: 0,
      allowedModels: undefined,
      rateLimit: undefined,
      subjects: [],
    },
    billing: { chargedNanoUsd: 0n, heldNanoUsd: 0n, availableNanoUsd: undefined },
    servedBy: undefined,
  }
}

function orNothing<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
