import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Dialect, Endpoint } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { defineDialect, endpoint } from './define-dialect.ts'
import { serveInMemory } from './in-memory-http.ts'
import { jsonAnswer } from './json-answer.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from './scripted-gateway.ts'
import { type Collision, endpointAt, sharedEndpoint } from './shared-endpoint.ts'

const ROUTE = { method: 'POST', path: '/make' } as const

/** A dialect whose answers and errors say whose they are. */
function dialect(id: string, parts: Partial<Endpoint> = {}): Dialect {
  const make = endpoint({
    ...ROUTE,
    async handle({ call, reply }) {
      reply.send(jsonAnswer(200, { by: id, dialect: call.dialect }))
    },
    ...parts,
  })
  return defineDialect({
    id,
    endpoints: [make],
    renderError: ({ code, status }) => jsonAnswer(status, { by: id, code }),
  })
}

const SONGS = dialect('songs')
const PICTURES = dialect('pictures', { bodyLimitBytes: 2_000_000 })
const STILLS: Dialect = { ...dialect('stills'), endpoints: [] }

const COLLISION: Collision = {
  ...ROUTE,
  rules: [
    { claimant: 'songs', anyField: ['title'] },
    { claimant: 'pictures', fields: { model: /\// } },
    { claimant: 'pictures', header: 'x-pictures' },
    { claimant: 'pictures', query: { format: 'pictures' } },
    { claimant: 'stills', anyField: ['still'], refuses: 'No stills here.' },
    { byKey: true },
  ],
  otherwise: 'songs',
}

function shared(collision = COLLISION, dialects: readonly Dialect[] = [SONGS, PICTURES, STILLS]): Dialect {
  const claimants = dialects.map(one => ({ dialect: one, endpoint: endpointAt(one, ROUTE) }))
  return defineDialect({
    id: 'both',
    endpoints: [sharedEndpoint(collision, claimants)],
    renderError: ({ code, status }) => jsonAnswer(status, { by: 'both', code }),
  })
}

interface Sent {
  readonly body?: unknown
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: string
}

async function send({ body = {}, text, headers, query = '' }: Sent, script: GatewayScript = {}) {
  const answer = await serveInMemory(shared(), new ScriptedGateway(script), {
    method: 'POST',
    url: `/make${query}`,
    headers: { authorization: `Bearer ${GOOD_KEY}`, ...headers },
    body: text ?? JSON.stringify(body),
  })
  return { status: answer.status, ...JSON.parse(answer.body.toString()) }
}

describe('the first rule that holds decides', () => {
  it.each([
    ['a field', { body: { title: null } }, 'songs'],
    ['a text', { body: { model: 'a/b' } }, 'pictures'],
    ['two rules', { body: { title: 'x', model: 'a/b' } }, 'songs'],
    ['a header', { headers: { 'X-Pictures': '' } }, 'pictures'],
    ['a query', { query: '?format=pictures' }, 'pictures'],
    ['a field of a field', { body: { input: { model: 'a/b' } } }, 'songs'],
    ['a model that is no text', { body: { model: ['a/b'] } }, 'songs'],
    ['nothing known', { body: {} }, 'songs'],
    ['a body that is not JSON', { text: '{"model":"a/b"' }, 'songs'],
    ['a body that is no object', { text: '["title"]' }, 'songs'],
  ])('%s', async (_, sent, by) => {
    expect(await send(sent)).toEqual({ status: 200, by, dialect: by })
  })

  it('a dialect that refuses a path does so in its own words', async () => {
    expect(await send({ body: { still: true } })).toEqual({
      status: 404,
      by: 'stills',
      code: 'endpoint_not_supported',
    })
  })
})

describe('a key that says whose it is', () => {
  const principal = { defaultDialect: 'pictures' } as NonNullable<GatewayScript['principal']>

  it('decides where the rules above it do not', async () => {
    expect(await send({}, { principal })).toEqual({ status: 200, by: 'pictures', dialect: 'pictures' })
    expect(await send({ body: { title: 'x' } }, { principal })).toMatchObject({ by: 'songs' })
  })

  it.each([undefined, 'stills', 'unheard-of'])('and says %j leaves it to the rules', async defaultDialect => {
    const other = { principal: { ...principal, defaultDialect } }
    expect(await send({}, other)).toMatchObject({ by: 'songs' })
  })
})

it('a stranger is refused in the words of the claimant', async () => {
  const headers = { authorization: 'Bearer sk-other' }
  expect(await send({ headers, body: { model: 'a/b' } })).toEqual({
    status: 401,
    by: 'pictures',
    code: 'invalid_api_key',
  })
  expect(await send({ headers })).toMatchObject({ by: 'songs' })
})

it('the door of a dialect is passed by what is handed over to it', async () => {
  const closed: Dialect = {
    ...PICTURES,
    async enter() {
      throw new GatewayError('rate_limited', 'Not now.')
    },
  }
  const answer = await serveInMemory(shared(COLLISION, [SONGS, closed, STILLS]), new ScriptedGateway(), {
    method: 'POST',
    url: '/make',
    headers: { authorization: `Bearer ${GOOD_KEY}` },
    body: '{"model":"a/b"}',
  })
  expect(JSON.parse(answer.body.toString())).toEqual({ by: 'pictures', code: 'rate_limited' })
})

it('a body may be as large as the most generous claimant takes', () => {
  expect(shared().endpoints[0]?.bodyLimitBytes).toBe(2_000_000)
})

describe('at boot', () => {
  it.each([
    ['a rule names a dialect that is not there', { ...COLLISION, otherwise: 'films' }, '"films"'],
    [
      'a rule leads to a dialect without the path',
      { ...COLLISION, rules: [...COLLISION.rules, { claimant: 'stills' }] },
      '"stills"',
    ],
    ['a claimant is left out', { ...COLLISION, rules: [] }, 'no rule leads to "pictures"'],
  ])('%s: refused', (_, collision, words) => {
    expect(() => shared(collision)).toThrow(words)
  })
})

it('its reference is that of every claimant', () => {
  const reference = (summary: string, field: string) => ({
    summary,
    tag: summary,
    body: { schema: z.object({ [field]: z.string() }) },
    answer: { schema: z.object({}) },
    example: { body: { [field]: 'x' } },
  })
  const songs = dialect('songs', { reference: reference('A song', 'title') })
  const pictures = dialect('pictures', { reference: reference('A picture', 'prompt') })
  const { reference: both } = shared(COLLISION, [songs, pictures, STILLS]).endpoints[0] ?? {}
  expect(both).toMatchObject({
    summary: 'A song; or: A picture',
    tag: 'A song',
    example: { body: { title: 'x' } },
  })
  const accepted = [{ title: 'x' }, { prompt: 'x' }, {}].map(
    body => both?.body?.schema.safeParse(body).success,
  )
  expect(accepted).toEqual([true, true, false])
})
