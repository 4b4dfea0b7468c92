import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ChatRequest } from '#spec/chat.ts'
import type { Dialect, EndpointExchange } from '#spec/dialect.ts'
import type { EmbedRequest } from '#spec/embed.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, ChatStreamRenderer, Gateway, Submission, WireAnswer } from '#spec/gateway.ts'
import type { Operation } from '#spec/operation.ts'
import type { Quote } from '#spec/receipt.ts'
import { defineDialect, endpoint } from './define-dialect.ts'
import { type MemoryRequest, serveInMemory } from './in-memory-http.ts'
import { jsonAnswer } from './json-answer.ts'
import { parseJsonBody } from './json-body.ts'
import { type QuoteWords, quoteEndpoint, withQuotes } from './quoting.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from './scripted-gateway.ts'
import { endpointAt, sharedEndpoint } from './shared-endpoint.ts'
import { IMAGE_REQUEST, task } from './task.fixture.ts'

const QUOTE: Quote = {
  model: 'nano-banana',
  tier: 'Starter',
  markupBasisPoints: 4000,
  offerings: ['fal/nano-banana'],
  highestLines: [],
  highestNanoUsd: 70_000_000n,
  expectedNanoUsd: 50_000_000n,
  heldNanoUsd: 70_000_000n,
  availableNanoUsd: 1n,
  refusals: [],
}

const WORDS: QuoteWords = {
  schema: z.object({ operation: z.string(), model: z.string(), highest: z.string() }),
  answer: ({ operation, model }, { highestNanoUsd }) =>
    jsonAnswer(200, { operation, model, highest: highestNanoUsd.toString() }),
  example: { params: { '*': 'pictures' }, body: {} },
}

const submission: Submission = {
  request: IMAGE_REQUEST,
  family: 'any',
  wire: {},
  callbackUrl: undefined,
}
const never = (): WireAnswer => {
  throw new Error('nothing is made, so nothing is rendered')
}
const chat = { operation: 'chat', model: 'gpt-4o' } as ChatRequest
const embedding = { operation: 'embed', model: 'embed-3' } as EmbedRequest

type Handle = (exchange: EndpointExchange) => Promise<void>

/** A dialect of a few paths, whose errors say whose they are. */
function dialect(id: string, handles: Readonly<Record<string, Handle>>, bodyLimitBytes = 1_000): Dialect {
  return defineDialect({
    id,
    endpoints: Object.entries(handles).map(([path, handle]) =>
      endpoint({ method: 'POST', path, handle, bodyLimitBytes }),
    ),
    renderError: ({ code, status, message }) => jsonAnswer(status, { by: id, code, message }),
  })
}

/** Who is asked for a quote, in whose name. */
class QuotingGateway extends ScriptedGateway {
  readonly quotedAs: string[] = []
  override async quote(call: Call, operation: Operation): Promise<Quote> {
    this.quotedAs.push(call.dialect)
    return super.quote(call, operation)
  }
}

const HOUSE = dialect('house', { '/house': async () => {} })

async function ask(others: readonly Dialect[], request: Partial<MemoryRequest>, script: GatewayScript = {}) {
  const [house = HOUSE] = withQuotes([HOUSE, ...others], 'house', WORDS)
  const gateway = new QuotingGateway({ quote: QUOTE, ...script })
  const answer = await serveInMemory(house, gateway, {
    method: 'POST',
    url: '/quote/make',
    headers: { authorization: `Bearer ${GOOD_KEY}` },
    body: '{}',
    ...request,
  })
  return { status: answer.status, body: JSON.parse(answer.body.toString()), gateway }
}

/** Asks for a quote of what one endpoint does. */
const askOf = (handle: Handle, script: GatewayScript = {}) =>
  ask([dialect('studio', { '/make': handle })], {}, script)

describe('a call', () => {
  it.each<[string, Operation, Handle]>([
    [
      'that submits a task',
      IMAGE_REQUEST,
      async ({ gateway, call, reply }) => reply.send(await gateway.submit(call, submission, never)),
    ],
    [
      'that waits for its task',
      IMAGE_REQUEST,
      async ({ gateway, call, reply }) => reply.send(await gateway.submitAndWait(call, submission, never)),
    ],
    [
      'that chats',
      chat,
      async ({ gateway, call, reply }) => reply.send(await gateway.chat(call, chat, never)),
    ],
    [
      'that streams a chat',
      chat,
      ({ gateway, call, reply }) => gateway.streamChat(call, chat, {} as ChatStreamRenderer, reply),
    ],
    [
      'that embeds',
      embedding,
      async ({ gateway, call, reply }) => reply.send(await gateway.embed(call, embedding, never)),
    ],
  ])('%s is quoted and not made', async (_, operation, handle) => {
    const { status, body, gateway } = await askOf(handle)
    expect(status).toBe(200)
    expect(body).toEqual({ operation: operation.operation, model: operation.model, highest: '70000000' })
    expect(gateway.asked).toEqual([{ method: 'quote', argument: operation }])
    expect(gateway.quotedAs).toEqual(['studio'])
  })

  it('that stores a file and names it stores nothing', async () => {
    const { status, gateway } = await askOf(async ({ gateway: given, call, reply }) => {
      const { url } = await given.storeFile(
        call,
        { bytes: Buffer.from('png') },
        { param: 'image', role: 'image' },
      )
      const request = { ...IMAGE_REQUEST, inputs: [{ role: 'image' as const, url, param: 'image' }] }
      reply.send(await given.submit(call, { ...submission, request }, never))
    })
    expect(status).toBe(200)
    expect(gateway.asked.map(({ method }) => method)).toEqual(['quote'])
  })

  it('may look at models and tasks on its way', async () => {
    const { status, gateway } = await askOf(async ({ gateway: given, call, reply }) => {
      given.models(call)
      await given.findTask(call, 'any')
      reply.send(await given.submit(call, submission, never))
    })
    expect(status).toBe(200)
    expect(gateway.asked.map(({ method }) => method)).toEqual(['models', 'findTask', 'quote'])
  })

  it('is quoted once even if its endpoint catches whatever is thrown at it', async () => {
    const { status, body } = await askOf(async ({ gateway, call, reply }) => {
      await gateway.submit(call, submission, never).catch(() => undefined)
      reply.send(jsonAnswer(500, { broken: true }))
    })
    expect([status, body.model]).toEqual([200, 'nano-banana'])
  })

  it('is read with its own parameters and query', async () => {
    const seen: unknown[] = []
    const note: Handle = async ({ request, gateway, call }) => {
      seen.push([request.params, request.query, parseJsonBody(request.body)])
      await gateway.submit(call, submission, never)
    }
    const by = dialect('studio', { '/songs/:id/extend': note, '/songs/*': note })
    await ask([by], { url: '/quote/songs/a%20b/extend?x=1', body: '{"y":2}' })
    await ask([by], { url: '/quote/songs/any/other' })
    expect(seen).toEqual([
      [{ id: 'a b' }, { x: '1' }, { y: 2 }],
      [{ '*': 'any/other' }, {}, {}],
    ])
  })

  it('of an exact path comes before one that a pattern fits', async () => {
    const refuse = (code: 'task_not_found' | 'file_not_found') => async () => {
      throw new GatewayError(code, 'x')
    }
    const by = dialect('studio', {
      '/songs/:id': refuse('task_not_found'),
      '/songs/cover': refuse('file_not_found'),
    })
    expect((await ask([by], { url: '/quote/songs/cover' })).body.code).toBe('file_not_found')
    expect((await ask([by], { url: '/quote/songs/other' })).body.code).toBe('task_not_found')
  })
})

describe('what is wrong', () => {
  it('with a call is said by its dialect', async () => {
    const { status, body } = await askOf(async ({ request }) => {
      parseJsonBody(request.body)
      throw new GatewayError('invalid_request', 'No such ratio.', { param: 'ratio' })
    })
    expect([status, body]).toEqual([
      400,
      { by: 'studio', code: 'invalid_request', message: 'No such ratio.' },
    ])
  })

  it('with its price is said by its dialect', async () => {
    const refuse = new GatewayError('model_not_found', 'No such model.')
    const { body } = await askOf(
      async ({ gateway, call }) => void (await gateway.submit(call, submission, never)),
      { refuse },
    )
    expect(body).toMatchObject({ by: 'studio', code: 'model_not_found' })
  })

  it('with a body larger than the call takes is said by its dialect', async () => {
    const make: Handle = async ({ gateway, call }) => void (await gateway.submit(call, submission, never))
    const large = dialect('large', { '/large': make }, 5_000)
    const small = dialect('studio', { '/make': make }, 1_000)
    const body = `{"prompt":"${'a'.repeat(2_000)}"}`
    expect((await ask([large, small], { body })).body).toMatchObject({
      by: 'studio',
      code: 'payload_too_large',
    })
    expect((await ask([large, small], { body, url: '/quote/large' })).status).toBe(200)
  })

  it.each(['/quote/nothing', '/quote/', '/quote/make/more', '/quote/quote/make'])(
    '%s is no call',
    async url => {
      const { status, body } = await ask([dialect('studio', { '/make': async () => {} })], { url })
      expect([status, body]).toMatchObject([404, { by: 'house', code: 'not_found' }])
    },
  )

  it('without a good key nothing is asked', async () => {
    const { status, body, gateway } = await ask([dialect('studio', { '/make': async () => {} })], {
      headers: {},
    })
    expect([status, body.by, gateway.asked]).toEqual([401, 'house', []])
  })

  it('with a bug of an endpoint is not hidden', async () => {
    const broken = askOf(async () => {
      throw new Error('a bug')
    })
    await expect(broken).rejects.toThrow('a bug')
  })
})

describe('nothing to quote', () => {
  const at = (use: (gateway: Gateway, call: Call) => unknown): Handle => {
    return async ({ gateway, call, reply }) => {
      await use(gateway, call)
      reply.send(jsonAnswer(200, {}))
    }
  }
  it.each<[string, Handle]>([
    ['a call that only answers', at(() => undefined)],
    ['a call that cancels', at((gateway, call) => gateway.cancelTask(call, 'x'))],
    ['a call that keeps a webhook', at((gateway, call) => gateway.webhooks(call))],
    [
      'an upload',
      at((gateway, call) => gateway.storeFile(call, { url: 'https://a.test/b' }, { param: 'url' })),
    ],
    ['a quote', at((gateway, call) => gateway.quote(call, IMAGE_REQUEST))],
    [
      'a stream of its own',
      async ({ reply }) => {
        reply.stream({ contentType: 'text/plain' }).end({})
      },
    ],
  ])('is in %s, which is not carried out', async (_, handle) => {
    const { status, body, gateway } = await askOf(handle, { tasks: [task()] })
    expect([status, body]).toMatchObject([400, { by: 'studio', code: 'invalid_request' }])
    expect(gateway.asked).toEqual([])
  })
})

describe('a path that several claim', () => {
  const make =
    (model: string): Handle =>
    async ({ gateway, call }) => {
      const request = { ...IMAGE_REQUEST, model }
      await gateway.submit(call, { ...submission, request }, never)
    }
  const songs = dialect('songs', { '/make': make('song') })
  const pictures = dialect('pictures', { '/make': make('picture') })
  const route = { method: 'POST', path: '/make' } as const
  const both = defineDialect({
    id: 'both',
    endpoints: [
      sharedEndpoint(
        {
          ...route,
          rules: [{ claimant: 'pictures', anyField: ['ratio'] }, { byKey: true }],
          otherwise: 'songs',
        },
        [songs, pictures].map(one => ({ dialect: one, endpoint: endpointAt(one, route) })),
      ),
    ],
    renderError: ({ status }) => jsonAnswer(status, { by: 'both' }),
  })

  it.each([
    ['a body', '{"ratio":"1:1"}', undefined, 'pictures'],
    ['no rule', '{}', undefined, 'songs'],
    ['a key', '{}', 'pictures', 'pictures'],
  ])('is quoted for the dialect that %s decides', async (_, body, defaultDialect, expected) => {
    const principal = { defaultDialect } as NonNullable<GatewayScript['principal']>
    const { body: answer, gateway } = await ask([both], { body }, { principal })
    expect(gateway.quotedAs).toEqual([expected])
    expect(answer.model).toBe(expected === 'songs' ? 'song' : 'picture')
    expect(gateway.asked).toHaveLength(1)
  })
})

it('a dialect that is not there can own no quotes', () => {
  expect(() => withQuotes([HOUSE], 'nobody', WORDS)).toThrow('"nobody"')
})

it('its reference is whole', () => {
  const { reference } = quoteEndpoint([HOUSE], WORDS)
  expect(reference?.body?.schema.parse({ any: 1 })).toEqual({ any: 1 })
  expect(z.toJSONSchema(reference?.answer.schema ?? z.never()).required).toContain('highest')
})
