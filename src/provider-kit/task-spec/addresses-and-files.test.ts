/** Where the credential goes, and how files get to a vendor. */
import { describe, expect, test } from 'vitest'
import type { ResolvedInput } from '#spec/task-provider.ts'
import { failureOfTask, startRequest, taskContext } from '../task-conformance/bench.suite.ts'
import { defineTaskProvider } from './define-task-provider.ts'
import {
  ANY_VENDOR,
  formOf,
  openScriptedVendor,
  type ScriptedVendor,
  startedAt,
} from './scripted-vendor.fixture.ts'
import { parseSignature } from './signature.ts'
import type { TaskProviderSpec } from './spec.ts'

/** BFL: looked at where it says, on a host of its region, with the key. */
const BFL: TaskProviderSpec = {
  ...ANY_VENDOR,
  id: 'bfl',
  title: 'Black Forest Labs',
  defaultBaseUrl: 'https://api.bfl.ai/v1',
  auth: { header: 'x-key', prefix: '' },
  hosts: ['bfl.ai'],
  credentialHosts: ['bfl.ai'],
  limits: { pollMinMs: 500, maxCount: 1, concurrency: 24 },
  failure: { code: 'status', message: 'detail', moderationWords: ['moderated'] },
  families: [
    {
      name: 'flux',
      models: ['*'],
      input: () => parseSignature('prompt! input_image aspect_ratio seed:n'),
      submit: { path: '/{model}' },
      id: 'id',
      handle: { polling_url: 'polling_url' },
      poll: {
        path: '/get_result',
        handleUrl: 'polling_url',
        query: [{ to: 'id', fact: 'id' }],
        state: ['status', 'state'],
      },
      outputs: [{ path: 'result.sample', kind: 'image' }],
    },
  ],
}

describe('an address that came with the job', () => {
  const created = (polling_url: string) => ({ body: { id: 'b1', polling_url } })
  const pending = { body: { id: 'b1', status: 'Pending' } }

  test('on another of the vendor’s API hosts is called, with the key', async () => {
    const vendor = await openScriptedVendor(
      BFL,
      created('https://api.eu1.bfl.ai/v1/get_result?id=b1'),
      pending,
      {
        body: { status: 'Ready', result: { sample: 'https://delivery.bfl.ai/x.png' } },
      },
    )
    const handle = await startedAt(vendor, 'flux-2-pro')
    expect(await vendor.tasks.check(handle, taskContext())).toMatchObject({ kind: 'pending' })
    expect(await vendor.tasks.check(handle, taskContext())).toMatchObject({ kind: 'succeeded' })
    expect(vendor.asked[1]).toMatchObject({
      host: 'api.eu1.bfl.ai',
      path: '/v1/get_result?id=b1',
      headers: { 'x-key': 'secret-key' },
    })
  })

  test.each([
    'https://evil.test/v1/get_result?id=b1',
    'https://bfl.ai.evil.test/v1/get_result',
    'https://evilbfl.ai/v1/get_result',
    'http://api.eu1.bfl.ai/v1/get_result?id=b1',
    'https://api.eu1.bfl.ai:8443/v1/get_result?id=b1',
    'https://user@api.eu1.bfl.ai/v1/get_result?id=b1',
  ])('such as %s is not: the documented path is asked instead', async url => {
    const vendor = await openScriptedVendor(BFL, created(url), pending)
    await vendor.tasks.check(await startedAt(vendor, 'flux-2-pro'), taskContext())
    expect(vendor.asked[1]).toMatchObject({ host: 'api.bfl.ai', path: '/v1/get_result?id=b1' })
  })

  test('can name no host for the key that is not the vendor’s', () => {
    expect(() => defineTaskProvider({ ...BFL, credentialHosts: ['evil.test'] })).toThrow(TypeError)
  })
})

describe('a file', () => {
  const file: ResolvedInput = {
    role: 'image',
    url: '',
    contentType: 'image/jpeg',
    read: async () => Buffer.from('jpeg'),
  }
  const created = { body: { id: 'b1' } }
  const bodyOf = ({ asked }: ScriptedVendor) => JSON.parse(String(asked.at(-1)?.body))

  test('goes in as base64 without anything around it where the vendor takes that', async () => {
    const vendor = await openScriptedVendor({ ...BFL, inputForms: ['bare-base64'] }, created)
    expect(vendor.tasks.inputForms).toEqual(['bytes'])
    await startedAt(vendor, 'flux-kontext-pro', { inputs: [file] })
    expect(bodyOf(vendor)).toMatchObject({ input_image: Buffer.from('jpeg').toString('base64') })
  })

  test('goes in by its address where it has one that the vendor reaches', async () => {
    const vendor = await openScriptedVendor({ ...BFL, inputForms: ['url', 'bare-base64'] }, created)
    expect(vendor.tasks.inputForms).toEqual(['url', 'bytes'])
    const url = 'https://client.test/a.jpg'
    await startedAt(vendor, 'flux-kontext-pro', { inputs: [{ ...file, url }] })
    expect(bodyOf(vendor)).toMatchObject({ input_image: url })
  })

  test('is sent ahead in one call, to the vendor’s host for files', async () => {
    const upload = {
      origin: 'https://files.bfl.ai',
      path: '/api/file-stream-upload',
      fields: [{ to: 'uploadPath', value: 'inputs' }],
      fileField: 'file',
      reference: 'data.downloadUrl',
    }
    const uploaded = { body: { data: { downloadUrl: 'https://files.bfl.ai/a.jpg' } } }
    const vendor = await openScriptedVendor({ ...BFL, inputForms: ['upload'], upload }, uploaded, created)
    await startedAt(vendor, 'flux-kontext-pro', { inputs: [file] })
    expect(bodyOf(vendor)).toMatchObject({ input_image: 'https://files.bfl.ai/a.jpg' })
    const [sent] = vendor.asked
    expect(sent).toMatchObject({ host: 'files.bfl.ai', headers: { 'x-key': 'secret-key' } })
    const form = sent === undefined ? new FormData() : await formOf(sent)
    expect([form.get('uploadPath'), (form.get('file') as File).name]).toEqual(['inputs', 'image.jpg'])
  })

  const INITIATE = {
    path: '/storage/upload/initiate',
    fields: [
      { to: 'content_type', fact: 'content_type' },
      { to: 'file_name', fact: 'file_name' },
    ],
    putTo: 'upload_url',
    reference: 'file_url',
  }
  const initiated = (upload_url: string) => ({ body: { upload_url, file_url: 'https://v3.bfl.ai/f/1.jpg' } })

  test('is sent ahead in two calls, the bytes without the key', async () => {
    const vendor = await openScriptedVendor(
      { ...BFL, inputForms: ['upload'], upload: INITIATE },
      initiated('https://put.bfl.ai/1?signature=x'),
      { status: 200 },
      created,
    )
    await startedAt(vendor, 'flux-kontext-pro', { inputs: [file] })
    expect(bodyOf(vendor)).toMatchObject({ input_image: 'https://v3.bfl.ai/f/1.jpg' })
    expect(vendor.asked[1]).toMatchObject({
      method: 'PUT',
      host: 'put.bfl.ai',
      headers: { 'content-type': 'image/jpeg' },
      body: Buffer.from('jpeg'),
    })
    expect(vendor.asked[1]?.headers).not.toHaveProperty('x-key')
  })

  test.each([
    ['is refused as too large', [{ status: 413, body: { detail: 'too large' } }], 'rejected'],
    ['fails there', [{ status: 500, body: {} }], 'unavailable'],
    ['gets no name', [{ body: {} }], 'unavailable'],
    ['is to go to somebody else', [initiated('https://evil.test/1')], 'unavailable'],
    ['is not taken in the end', [initiated('https://put.bfl.ai/1'), { status: 503 }], 'unavailable'],
  ] as const)('that %s leaves the create call unsent', async (_name, replies, kind) => {
    const vendor = await openScriptedVendor({ ...BFL, inputForms: ['upload'], upload: INITIATE }, ...replies)
    const started = vendor.tasks.start(startRequest('flux-kontext-pro', { inputs: [file] }), taskContext())
    expect((await failureOfTask(started)).kind).toBe(kind)
    expect(vendor.asked.filter(({ path }) => path.includes('flux'))).toEqual([])
  })
})

test('a credential may be made anew for every call', async () => {
  const auth = {
    header: 'authorization',
    prefix: 'Bearer ',
    token: ({ apiKey }: { apiKey: string }, nowMs: number) => `${apiKey}.${nowMs}`,
  }
  const vendor = await openScriptedVendor({ ...BFL, auth }, { body: { id: 'b1' } })
  await startedAt(vendor, 'flux-2-pro')
  expect(vendor.asked[0]?.headers.authorization).toBe('Bearer secret-key.1700000000000')
})
