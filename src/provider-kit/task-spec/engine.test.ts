import { describe, expect, test } from 'vitest'
import type { Json } from '#spec/json.ts'
import type { Exchange, OutboundAnswer, OutboundRequest } from '#spec/ports.ts'
import { ExchangeFailure } from '#spec/ports.ts'
import type { TaskCapability } from '#spec/task-provider.ts'
import { failureOfTask, startRequest, taskContext } from '../task-conformance/bench.suite.ts'
import { defineTaskProvider } from './define-task-provider.ts'
import { parseSignature as signatureOf } from './signature.ts'
import type { FamilySpec, TaskProviderSpec } from './spec.ts'

const FAMILY: FamilySpec = {
  name: 'jobs',
  models: ['*'],
  submit: { path: '/jobs/{model}' },
  id: 'job.id',
  handle: { poll_url: 'job.poll_url' },
  poll: {
    path: '/jobs/{id}',
    handleUrl: 'poll_url',
    state: 'state',
    progress: { path: 'percent', outOf: 100 },
  },
  outputs: [{ path: 'files[*]', urlPath: 'url', kind: 'detect', metadata: { width: 'w' } }],
}
const SPEC: TaskProviderSpec = {
  id: 'unit',
  title: 'Unit',
  homepage: 'https://vendor.test',
  defaultBaseUrl: 'https://api.vendor.test/v1',
  stopsBillingOnAbort: false,
  operations: ['image'],
  inputForms: ['url'],
  auth: { header: 'x-key', prefix: 'K ' },
  headers: { 'x-version': '2' },
  hosts: ['vendor.test'],
  failure: { code: 'code', message: 'message', moderationWords: ['nsfw'], clientWords: ['too small'] },
  families: [FAMILY],
  withheldOptions: [],
  limits: { pollMinMs: 1500, maxCount: 4 },
}

type Reply = { readonly status?: number; readonly body: unknown; readonly headers?: Record<string, string> }

/** An exchange that answers from a list and remembers what it was asked. */
function scripted(
  replies: readonly (Reply | ExchangeFailure)[],
): Exchange & { readonly asked: OutboundRequest[] } {
  const asked: OutboundRequest[] = []
  const left = [...replies]
  return {
    asked,
    fetch: async request => {
      asked.push(request)
      const reply = left.shift()
      if (reply === undefined) throw new Error('one call too many')
      if (reply instanceof ExchangeFailure) throw reply
      const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body)
      const answer: OutboundAnswer = {
        status: reply.status ?? 200,
        headers: reply.headers ?? {},
        body: Buffer.from(text),
      }
      return answer
    },
    stream: () => Promise.reject(new Error('never streamed')),
  }
}

function tasksOf(
  exchange: Exchange,
  family: Partial<FamilySpec> = {},
  spec: Partial<TaskProviderSpec> = {},
): TaskCapability {
  const definition = defineTaskProvider({ ...SPEC, ...spec, families: [{ ...FAMILY, ...family }] })
  const settings = { baseUrl: 'https://api.vendor.test/v1', apiKey: 'secret-key' }
  const clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() }
  const { tasks } = definition.create(settings, { exchange, clock })
  if (tasks === undefined) throw new Error('no tasks')
  return tasks
}

const handleOf = (more: Record<string, Json> = {}): Json => ({
  family: 'jobs',
  id: 'j1',
  kind: 'image',
  ...more,
})
const checkWith = (
  replies: readonly (Reply | ExchangeFailure)[],
  handle: Json = handleOf(),
  family: Partial<FamilySpec> = {},
) => {
  const exchange = scripted(replies)
  return { exchange, checked: tasksOf(exchange, family).check(handle, taskContext()) }
}

describe('the credential', () => {
  test('and the fixed headers go to the configured origin', async () => {
    const exchange = scripted([{ body: { job: { id: 'j1' } } }])
    await tasksOf(exchange).start(startRequest('m/x'), taskContext())
    expect(exchange.asked[0]).toMatchObject({
      method: 'POST',
      url: 'https://api.vendor.test/v1/jobs/m/x',
      headers: { 'x-key': 'K secret-key', 'x-version': '2' },
    })
  })

  test.each([
    'https://evil.test/poll',
    'https://api.vendor.test.evil.test/poll',
    'https://evilvendor.test/poll',
    'http://api.vendor.test/poll',
    'https://api.vendor.test:8443/poll',
    'https://user:pw@api.vendor.test/poll',
    'http://169.254.169.254/latest/meta-data',
    'http://127.0.0.1/poll',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'not a url',
    '',
  ])('never goes to %s: the vendor’s own path is asked instead', async poll_url => {
    const { exchange, checked } = checkWith([{ body: { state: 'running' } }], handleOf({ poll_url }))
    expect(await checked).toMatchObject({ kind: 'pending' })
    expect(exchange.asked.map(({ url }) => url)).toEqual(['https://api.vendor.test/v1/jobs/j1'])
  })

  test('goes to an address of the configured origin that came with the job', async () => {
    const poll_url = 'https://api.vendor.test/eu/jobs/j1?shard=3'
    const { exchange, checked } = checkWith([{ body: { state: 'running' } }], handleOf({ poll_url }))
    await checked
    expect(exchange.asked[0]).toMatchObject({ url: poll_url, headers: { 'x-key': 'K secret-key' } })
  })

  test('is worth more than another host of the vendor’s: the configured origin is asked where it can be', async () => {
    const poll_url = 'https://eu.vendor.test/jobs/j1'
    const { exchange, checked } = checkWith([{ body: { state: 'running' } }], handleOf({ poll_url }))
    await checked
    expect(exchange.asked[0]?.url).toBe('https://api.vendor.test/v1/jobs/j1')
  })

  test('is left out where the vendor’s other hosts are all there is', async () => {
    const poll = { path: '', handleUrl: 'poll_url', state: 'state' }
    const poll_url = 'https://eu.vendor.test/jobs/j1'
    const { exchange, checked } = checkWith([{ body: { state: 'running' } }], handleOf({ poll_url }), {
      poll,
    })
    await checked
    expect(exchange.asked[0]?.url).toBe(poll_url)
    expect(exchange.asked[0]?.headers).not.toHaveProperty('x-key')
    expect(exchange.asked[0]?.headers).not.toHaveProperty('x-version')
  })

  test('is in no output', async () => {
    const { checked } = checkWith([
      { body: { state: 'done', files: [{ url: 'https://api.vendor.test/f.png' }] } },
    ])
    expect(JSON.stringify(await checked)).not.toContain('secret')
  })
})

describe('a create call', () => {
  const startWith = (reply: Reply | ExchangeFailure, family: Partial<FamilySpec> = {}) =>
    tasksOf(scripted([reply]), family).start(startRequest('m'), taskContext())

  test.each([
    ['connect', 'unavailable'],
    ['reset', 'vendor'],
    ['first-byte-timeout', 'timeout'],
    ['total-timeout', 'timeout'],
    ['aborted', 'aborted'],
    ['too-large', 'vendor'],
  ] as const)('whose exchange ended with %s is %s, and is not made again', async (reason, kind) => {
    expect((await failureOfTask(startWith(new ExchangeFailure(reason)))).kind).toBe(kind)
  })

  test.each([
    [400, {}, 'rejected'],
    [401, {}, 'credential'],
    [402, {}, 'credential'],
    [404, {}, 'rejected'],
    [408, {}, 'timeout'],
    [409, {}, 'vendor'],
    [422, { message: 'NSFW prompt' }, 'content-rejected'],
    [429, {}, 'rate-limited'],
    [500, { message: 'nsfw' }, 'vendor'],
    [502, {}, 'vendor'],
    [503, {}, 'unavailable'],
    [504, {}, 'timeout'],
    [302, {}, 'vendor'],
    [200, '<html>', 'vendor'],
    [200, {}, 'vendor'],
    [200, { job: { id: null } }, 'vendor'],
  ] as const)('answered with %d %j is %s', async (status, body, kind) => {
    expect((await failureOfTask(startWith({ status, body }))).kind).toBe(kind)
  })

  test('keeps the vendor’s other sentences to itself', async () => {
    const failure = await failureOfTask(
      startWith({ status: 500, body: { message: 'pod 10.1.2.3 died, key secret-key' } }),
    )
    expect(failure.message).toBe('Unit failed to answer')
  })

  test('whose envelope says error is refused, even with an id in it', async () => {
    const family: Partial<FamilySpec> = {
      failure: { okWhen: [{ path: 'code', in: ['200'] }], kinds: { 422: 'rejected' } },
    }
    const failure = await failureOfTask(startWith({ body: { code: 422, job: { id: 'j1' } } }, family))
    expect(failure.kind).toBe('rejected')
  })

  test('in a family without a poll is the result', async () => {
    const done = { files: [{ url: 'https://cdn.test/a.png', w: 7 }], words: 3 }
    const started = await startWith(
      { body: done },
      {
        poll: undefined,
        usage: [{ unit: 'characters', path: 'words', scale: 1 }],
      },
    )
    expect(started).toMatchObject({
      kind: 'succeeded',
      outputs: [{ source: { url: 'https://cdn.test/a.png' }, metadata: { width: 7 } }],
      billedUnits: { characters: '3' },
    })
  })

  test('asks for nothing where the job goes on from its parent', async () => {
    const tasks = tasksOf(scripted([]), { submit: undefined, id: 'id' })
    const parentHandle = { family: 'jobs', id: 'parent-1', kind: 'video' }
    const started = await tasks.start(startRequest('m', { parentHandle }), taskContext())
    expect(started).toMatchObject({ kind: 'started', handle: { id: 'parent-1' } })
    expect((await failureOfTask(tasks.start(startRequest('m'), taskContext()))).kind).toBe('rejected')
  })
})

describe('a look', () => {
  test.each([
    ['queued', 'queued'],
    ['IN_QUEUE', 'queued'],
    ['THROTTLED', 'queued'],
    ['Processing', 'running'],
    ['dreaming', 'running'],
    ['a word from next year', 'running'],
    ['', 'running'],
  ])('told "%s" is pending: %s', async (state, expected) => {
    expect(await checkWith([{ body: { state } }]).checked).toMatchObject({ kind: 'pending', state: expected })
  })

  test.each([
    ['failed', 'vendor'],
    ['Content Moderated', 'vendor'],
    ['banned', 'vendor'],
    ['SOMETHING_FAILED', 'vendor'],
    ['canceled', 'vendor'],
    ['EXPIRED', 'vendor'],
  ])('told "%s" is the end', async (state, fault) => {
    expect(await checkWith([{ body: { state } }]).checked).toMatchObject({ kind: 'failed', fault })
  })

  test.each([
    [50, 0.5],
    ['25', 0.25],
    [140, undefined],
    [-1, undefined],
    ['soon', undefined],
  ])('told %j percent says %s', async (percent, progress) => {
    const checked = await checkWith([{ body: { state: 'running', percent } }]).checked
    expect(checked.kind === 'pending' && checked.progress).toBe(progress)
  })

  test('may have the state in its HTTP status', async () => {
    const poll = {
      path: '/jobs/{id}',
      byStatus: { '202': 'running', '200': 'succeeded', '410': 'expired' },
    } as const
    expect(await checkWith([{ status: 202, body: '' }], handleOf(), { poll }).checked).toMatchObject({
      kind: 'pending',
    })
    expect(await checkWith([{ status: 410, body: {} }], handleOf(), { poll }).checked).toMatchObject({
      kind: 'failed',
    })
    const body = { files: [{ url: 'https://cdn.test/a.glb' }] }
    expect(await checkWith([{ status: 200, body }], handleOf(), { poll }).checked).toMatchObject({
      kind: 'succeeded',
      outputs: [{ kind: 'mesh' }],
    })
  })

  test('whose envelope says error is looked at again, unless the job in it has failed', async () => {
    const family: Partial<FamilySpec> = { failure: { okWhen: [{ path: 'code', in: ['200'] }] } }
    const again = checkWith([{ body: { code: 500, state: 'running' } }], handleOf(), family)
    expect((await failureOfTask(again.checked)).kind).toBe('vendor')
    const failed = checkWith([{ body: { code: 501, state: 'fail', message: 'nsfw' } }], handleOf(), family)
    expect(await failed.checked).toMatchObject({ kind: 'failed', fault: 'moderation' })
  })

  test('gives what is there at a stage', async () => {
    const poll = { path: '/jobs/{id}', state: 'state', states: { half: { stage: 'first' } } } as const
    const body = { state: 'HALF', files: [{ url: 'https://cdn.test/a.mp3' }, { url: '' }] }
    expect(await checkWith([{ body }], handleOf(), { poll }).checked).toMatchObject({
      kind: 'pending',
      stage: 'first',
      partial: { outputs: [{ kind: 'audio', index: 0 }] },
    })
  })

  test('passes over what is no address, and the same address twice', async () => {
    const urls = ['ftp://x/a.png', 'nowhere', null, 'https://cdn.test/a.png', 'https://cdn.test/a.png', 7]
    const body = { state: 'done', files: urls.map(url => ({ url })) }
    const checked = await checkWith([{ body }]).checked
    expect(checked.kind === 'succeeded' && checked.outputs.map(({ source }) => source)).toEqual([
      { url: 'https://cdn.test/a.png' },
    ])
  })

  test('reads files that are in the answer itself', async () => {
    const body = {
      state: 'done',
      files: [{ url: `data:image/png;base64,${Buffer.from('bytes').toString('base64')}` }],
    }
    const checked = await checkWith([{ body }]).checked
    const source = checked.kind === 'succeeded' ? checked.outputs[0]?.source : undefined
    if (source === undefined || !('read' in source)) throw new Error('expected bytes')
    expect(String(await source.read())).toBe('bytes')
  })

  test.each([
    ['nsfw detected', 'moderation', false],
    ['image too small', 'client', false],
    ['GPU fell over', 'vendor', true],
  ])('told of a failure by "%s" blames the %s', async (message, fault, retryable) => {
    const checked = await checkWith([{ body: { state: 'failed', message } }]).checked
    expect(checked).toMatchObject({ kind: 'failed', fault, retryable })
    expect(checked.kind === 'failed' && checked.message).not.toContain('GPU')
  })
})

describe('a spec that is not written as it should be is refused at import', () => {
  test.each([
    ['a path', { families: [{ ...FAMILY, id: 'a..b' }] }],
    ['a path within', { families: [{ ...FAMILY, outputs: [{ path: 'x[', kind: 'image' }] }] }],
    ['a path of metadata', { families: [{ ...FAMILY, handle: { x: '' } }] }],
    ['a host', { hosts: ['*'] }],
    ['a host without a dot', { hosts: ['localhost'] }],
    ['two families of one name', { families: [FAMILY, FAMILY] }],
    ['an id', { id: 'Not An Id' }],
  ] as const)('%s', (_name, wrong) => {
    expect(() => defineTaskProvider({ ...SPEC, ...(wrong as Partial<TaskProviderSpec>) })).toThrow(TypeError)
  })
})

test('how many one call makes is what its endpoint says', () => {
  const request = startRequest('m').request
  const countOf = (fields: string | undefined) =>
    tasksOf(scripted([]), { input: fields === undefined ? undefined : () => signatureOf(fields) }).maxCount(
      request,
      'm',
    )
  expect(countOf(undefined)).toBe(1)
  expect(countOf('prompt')).toBe(1)
  expect(countOf('num_images:n')).toBe(4)
  expect(countOf('num_images:n<=2')).toBe(2)
  expect(countOf('nVariants:n(1|2|4)')).toBe(4)
  expect(countOf('num_images:n<=50')).toBe(4)
})
