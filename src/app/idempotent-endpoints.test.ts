/**
 * `Idempotency-Key` on every POST of every dialect: each endpoint is asked with its own example, and whatever it then makes or
 * changes must be done by a function of the gateway that heeds the key. An endpoint that only reads is named as such.
 */
import { describe, expect, test } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { task } from '#dialect-kit/task.fixture.ts'
import { SCRIPT as IMGEO } from '#dialects/imgeo/script.fixture.ts'
import { SCRIPT as KIE, MADE, parentFor, songTask } from '#dialects/kie/test-script.ts'
import { SCRIPT as OPENAI } from '#dialects/openai/test-script.ts'
import { SCRIPT as STUDIO } from '#dialects/studio/script.fixture.ts'
import { DESK } from '#dialects/webhooks/script.fixture.ts'
import type { Dialect, Endpoint } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, Gateway } from '#spec/gateway.ts'
import { parseTaskId } from '#spec/ids.ts'
import type { WebhookDesk } from '#spec/webhook.ts'
import { DIALECTS, DIALECTS_ELSEWHERE } from './registry.ts'

/** What a function does about the key. A new one must be put here before it compiles. */
type Manners =
  /** It makes nothing. */
  | 'reads'
  /** It heeds the key of the call that it is given. */
  | 'heeds'
  /** It may be asked by a POST only inside `keyed`. */
  | 'within keyed'

const GATEWAY: Readonly<Record<keyof Gateway, Manners>> = {
  credits: 'reads',
  authenticate: 'reads',
  hourlyLimit: 'reads',
  balance: 'reads',
  chat: 'heeds',
  streamChat: 'heeds',
  embed: 'heeds',
  submit: 'heeds',
  submitAndWait: 'heeds',
  keyed: 'heeds',
  storeFile: 'within keyed',
  cancelTask: 'within keyed',
  quote: 'reads',
  account: 'reads',
  receipt: 'reads',
  publicModels: 'reads',
  fixedPrice: 'reads',
  models: 'reads',
  model: 'reads',
  findTask: 'reads',
  listTasks: 'reads',
  watchTask: 'reads',
  findArtifact: 'reads',
  openFile: 'reads',
  webhooks: 'reads',
}

const DESK_MANNERS: Readonly<Record<keyof WebhookDesk, Manners>> = {
  listEndpoints: 'reads',
  findEndpoint: 'reads',
  createEndpoint: 'within keyed',
  changeEndpoint: 'within keyed',
  deleteEndpoint: 'within keyed',
  rotateSecret: 'within keyed',
  callbackSecret: 'reads',
  readCallbackSecret: 'reads',
  rotateCallbackSecret: 'within keyed',
  listDeliveries: 'reads',
  findDelivery: 'reads',
  replay: 'within keyed',
}

/** POSTs that make nothing, whatever they are called: a repeat may well be told something newer. */
const READS = [
  'openai POST /quote',
  'kie POST /common/download-url',
  'kie POST /gpt4o-image/download-url',
  'kie POST /voice/check-voice',
]

const KEY = 'one-key'

/** Notes whatever is made, and whether its key was heeded. */
class Watch {
  readonly made: string[] = []
  readonly unheeded: string[] = []
  #inside = 0

  over<Subject extends object>(subject: Subject, manners: Readonly<Record<string, Manners>>): Subject {
    return new Proxy(subject, {
      get: (target, name: string) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        const own = (...asked: unknown[]) => member.apply(target, asked)
        if (name === 'webhooks') return () => this.over(own() as WebhookDesk, DESK_MANNERS)
        if (name === 'keyed') return (...asked: Parameters<Gateway['keyed']>) => this.#keyed(own, asked)
        if (manners[name] === 'reads') return own
        return (...asked: unknown[]) => {
          this.#note(name, manners[name] === 'heeds' ? (asked[0] as Call) : undefined)
          return own(...asked)
        }
      },
    })
  }

  #note(name: string, call: Call | undefined): void {
    this.made.push(name)
    const isHeeded = call === undefined ? this.#inside > 0 : call.idempotencyKey === KEY
    if (!isHeeded) this.unheeded.push(name)
  }

  async #keyed(own: (...asked: unknown[]) => unknown, asked: Parameters<Gateway['keyed']>) {
    if (asked[0].idempotencyKey !== KEY) this.unheeded.push('keyed')
    this.#inside += 1
    try {
      return await own(...asked)
    } finally {
      this.#inside -= 1
    }
  }
}

/** Finds whatever is asked for: the tasks that examples go on from are of the kind that their endpoint takes. */
class ObligingGateway extends ScriptedGateway {
  readonly #path: string

  constructor(script: GatewayScript, path: string) {
    super(script)
    this.#path = path
  }

  override async findTask(_call: Call, id: string) {
    const wanted = parseTaskId(id)
    return wanted && { ...parentFor(this.#path), id: wanted }
  }

  override async cancelTask() {
    return task({ state: 'cancelled' })
  }

  override model(...[call, name]: Parameters<ScriptedGateway['model']>) {
    try {
      return super.model(call, name)
    } catch (error) {
      const any = KIE.models?.[0]
      if (any === undefined || !(error instanceof GatewayError)) throw error
      return any
    }
  }
}

function scriptFor({ id }: Dialect): GatewayScript {
  if (id === 'openai') return OPENAI
  if (id === 'studio') return STUDIO
  if (id === 'imgeo') return IMGEO
  const submitted = id.startsWith('kie') ? [songTask({ result: MADE })] : [task()]
  return { ...OPENAI, ...KIE, submitted, desk: knowingExamples() }
}

/** The desk, with things of the ids that the examples name. */
function knowingExamples(): NonNullable<GatewayScript['desk']> {
  const id = parseTaskId('019b76daa800700080000123456789ab')
  if (!id) throw new Error('the id of the examples is not one')
  return {
    ...DESK,
    endpoints: (DESK.endpoints ?? []).map(endpoint => ({ ...endpoint, id })),
    deliveries: (DESK.deliveries ?? []).map(delivery => ({ ...delivery, id })),
  }
}

const FORM = 'form-boundary'

function bodyOf({ reference }: Endpoint): { type: string; body: string | undefined } {
  const sent = reference?.example.body as Readonly<Record<string, string>> | undefined
  const type = reference?.body?.contentType ?? 'application/json'
  if (sent === undefined || type === 'application/json') {
    return { type, body: sent === undefined ? undefined : JSON.stringify(sent) }
  }
  const fields = Object.entries(sent).map(([name, value]) => {
    const file = value.startsWith('@') ? `; filename="${value.slice(1)}"` : ''
    return `--${FORM}\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`
  })
  return { type: `${type}; boundary=${FORM}`, body: `${fields.join('')}--${FORM}--\r\n` }
}

async function ask(dialect: Dialect, endpoint: Endpoint): Promise<Watch> {
  const watch = new Watch()
  const gateway = watch.over<Gateway>(new ObligingGateway(scriptFor(dialect), endpoint.path), GATEWAY)
  const params = endpoint.reference?.example.params ?? {}
  const url = endpoint.path.replaceAll(/:([a-zA-Z_]+)/g, (_, name: string) => params[name] ?? name)
  const { type, body } = bodyOf(endpoint)
  await serveInMemory(dialect, gateway, {
    method: endpoint.method,
    url,
    headers: { authorization: `Bearer ${GOOD_KEY}`, 'content-type': type, 'idempotency-key': KEY },
    body,
  }).catch(error => {
    // What is answered is of no interest: the scripted task may be of another kind than was asked for.
    if (watch.made.length === 0) throw error
  })
  return watch
}

const POSTS = [...DIALECTS, ...DIALECTS_ELSEWHERE.map(({ dialect }) => dialect)].flatMap(dialect =>
  dialect.endpoints
    .filter(({ method, reference }) => method === 'POST' && (reference?.answer.status ?? 200) < 400)
    .map(endpoint => ({ name: `${dialect.id} POST ${endpoint.path}`, dialect, endpoint })),
)

describe('a POST heeds its Idempotency-Key', () => {
  test.each(POSTS)('$name', async ({ name, dialect, endpoint }) => {
    const { made, unheeded } = await ask(dialect, endpoint)
    expect(unheeded).toEqual([])
    expect(made.length > 0, `it ${made.length > 0 ? 'made something' : 'made nothing'}`).toBe(
      !READS.includes(name),
    )
  })

  test('and those that only read are still there', () => {
    expect(READS.filter(name => !POSTS.some(post => post.name === name))).toEqual([])
  })
})
