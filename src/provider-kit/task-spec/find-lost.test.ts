/** A lost create call is found in the vendor's list where nobody else's can be taken for it, and nowhere else. */
import { expect, test } from 'vitest'
import { startRequest, taskContext } from '../task-conformance/bench.suite.ts'
import { openScriptedVendor, type VendorReply } from './scripted-vendor.fixture.ts'
import type { TaskProviderSpec } from './spec.ts'

const SENT_AT = '2026-11-20T12:00:00.000Z'
const REFERENCE = referenceAt(SENT_AT)
const CALLBACK = 'https://gateway.test/provider-callbacks/unit/0123/unguessable-token-of-this-attempt'

const SPEC: TaskProviderSpec = {
  id: 'unit',
  title: 'Unit',
  homepage: 'https://vendor.test',
  defaultBaseUrl: 'https://api.vendor.test/v1',
  stopsBillingOnAbort: false,
  operations: ['image'],
  inputForms: ['url'],
  auth: { header: 'authorization', prefix: 'Bearer ' },
  hosts: ['api.vendor.test'],
  failure: { code: 'code', message: 'detail', moderationWords: [] },
  families: [
    {
      name: 'prediction',
      models: ['*'],
      submit: { path: '/predictions' },
      id: 'id',
      poll: { path: '/predictions/{id}', state: 'status' },
      outputs: [{ path: 'output[*]', kind: 'image' }],
    },
  ],
  withheldOptions: [],
  limits: { pollMinMs: 1_000, maxCount: 1 },
  find: {
    path: '/predictions',
    items: 'results[*]',
    id: 'id',
    callbackUrl: 'webhook',
    createdAt: 'created_at',
    next: 'next',
    mostPages: 3,
  },
}

/** An id of that time, as ours are. */
function referenceAt(time: string): string {
  const ms = Date.parse(time).toString(16).padStart(12, '0')
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7000-8000-0000000000ff`
}

async function find(replies: readonly VendorReply[], callbackUrl: string | undefined = CALLBACK) {
  const { asked, tasks } = await openScriptedVendor(SPEC, ...replies)
  const { inputs: _inputs, ...lost } = startRequest('m', { reference: REFERENCE, callbackUrl })
  return { found: await tasks.find?.(REFERENCE, taskContext(), lost), asked }
}

const item = (id: string, webhook?: string, created_at = SENT_AT) => ({
  id,
  webhook,
  created_at,
  input: { prompt: 'same' },
})
const page = (results: readonly object[], next: string | null = null): VendorReply => ({
  body: { results, next },
})
const NEXT = 'https://api.vendor.test/v1/predictions?cursor=2'

test('is found by the address that only it was given', async () => {
  const { found, asked } = await find([
    page([item('other', `${CALLBACK}x`), item('none')], NEXT),
    page([item('mine', CALLBACK)], NEXT),
  ])
  expect(found).toEqual({ handle: { family: 'prediction', id: 'mine', kind: 'image' } })
  expect(asked.map(({ path }) => path)).toEqual(['/v1/predictions', '/v1/predictions?cursor=2'])
})

test.each([
  ['the list shows no addresses, though the input is the same', [page([item('a'), item('b')])]],
  ['two jobs have its address', [page([item('a', CALLBACK), item('b', CALLBACK)])]],
  ['the list is empty', [page([])]],
  ['its id is no name', [page([item('../x', CALLBACK)])]],
  ['the list is nothing that can be read', [{ body: '<html>', headers: { 'content-type': 'text/html' } }]],
])('is not where %s, and is never said not to have run', async (_name, replies) => {
  expect((await find(replies)).found).toBe('unknown')
})

test('is not looked for where it had no address to be called back at', async () => {
  const { asked, tasks } = await openScriptedVendor(SPEC)
  const { inputs: _inputs, ...lost } = startRequest('m', { reference: REFERENCE })
  expect(await tasks.find?.(REFERENCE, taskContext(), lost)).toBe('unknown')
  expect(asked).toEqual([])
})

test('is looked for as far back as it was sent, and so many pages at most', async () => {
  const older = await find([page([item('a', undefined, '2026-11-20T11:40:00.000Z')], NEXT)])
  expect(older.found).toBe('unknown')
  expect(older.asked).toHaveLength(1)
  const longer = await find(Array.from({ length: 5 }, () => page([item('a')], NEXT)))
  expect(longer.found).toBe('unknown')
  expect(longer.asked).toHaveLength(3)
})

test('is not looked for on a page somewhere else', async () => {
  const { found, asked } = await find([page([item('a')], 'https://evil.test/v1/predictions')])
  expect(found).toBe('unknown')
  expect(asked).toHaveLength(1)
})
