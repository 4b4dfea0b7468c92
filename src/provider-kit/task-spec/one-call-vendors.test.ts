/** Vendors whose create call is the whole job: multipart bodies, and answers that are the file or hide a refusal. */
import { describe, expect, test } from 'vitest'
import type { ResolvedInput, StartRequest } from '#spec/task-provider.ts'
import { failureOfTask, imageRequest, startRequest, taskContext } from '../task-conformance/bench.suite.ts'
import { bytesOf, formOf, openScriptedVendor, type VendorReply } from './scripted-vendor.fixture.ts'
import { parseSignature } from './signature.ts'
import type { TaskProviderSpec } from './spec.ts'
import { VOCABULARY } from './vocabulary.ts'

const PNG = Buffer.from('89504e470d0a1a0a-not-decoded-here', 'latin1')
const COMMON = {
  homepage: 'https://vendor.test',
  stopsBillingOnAbort: true,
  withheldOptions: [],
  limits: { pollMinMs: 1_000, maxCount: 4 },
} as const

/** Stability's v2beta: multipart only; `Accept` says whether the answer is the picture. */
const STABILITY: TaskProviderSpec = {
  ...COMMON,
  id: 'stability',
  title: 'Stability',
  defaultBaseUrl: 'https://api.stability.ai',
  operations: ['image'],
  inputForms: ['bytes'],
  auth: { header: 'authorization', prefix: 'Bearer ' },
  hosts: ['api.stability.ai'],
  failure: { code: 'name', message: ['errors[0]', 'name'], moderationWords: ['content_moderation'] },
  families: [
    {
      name: 'picture',
      models: ['edit/*', 'generate/*'],
      input: () =>
        parseSignature('prompt! negative_prompt image mask aspect_ratio seed:n output_format(png|webp)'),
      submit: {
        path: '/v2beta/stable-image/{model}',
        encoding: 'multipart',
        accept: 'image/*',
        binary: {
          kind: 'image',
          moderatedHeader: { name: 'finish-reason', in: ['CONTENT_FILTERED'] },
          metadata: { seed: 'seed' },
        },
      },
      id: 'id',
      outputs: [],
    },
    {
      name: 'picture-in-json',
      models: ['json/*'],
      input: () => parseSignature('prompt!'),
      submit: { path: '/v2beta/stable-image/{model}', encoding: 'multipart' },
      id: 'id',
      outputs: [{ path: 'image', kind: 'image', encoding: 'base64' }],
      moderatedWhen: [{ path: 'finish_reason', in: ['CONTENT_FILTERED'] }],
    },
  ],
}

/** LTX v1 and ElevenLabs: JSON in, minutes later a film or a sound in pieces. */
const LTX: TaskProviderSpec = {
  ...COMMON,
  id: 'ltx',
  title: 'LTX',
  defaultBaseUrl: 'https://api.ltx.video',
  operations: ['image'],
  inputForms: ['url'],
  auth: { header: 'authorization', prefix: 'Bearer ' },
  hosts: ['api.ltx.video'],
  failure: { code: 'error.type', message: 'error.message', moderationWords: ['content_filtered'] },
  families: [
    {
      name: 'film',
      models: ['*'],
      submit: {
        path: '/v1/text-to-video',
        envelope: [
          { to: 'model', fact: 'model' },
          { to: 'prompt', fact: 'prompt' },
        ],
        binary: { kind: 'video', metadata: { request: 'x-request-id' } },
        answersWithinMs: 600_000,
      },
      id: 'id',
      outputs: [],
    },
  ],
}

const ELEVENLABS: TaskProviderSpec = {
  ...LTX,
  id: 'elevenlabs',
  title: 'ElevenLabs',
  defaultBaseUrl: 'https://api.elevenlabs.io',
  auth: { header: 'xi-api-key', prefix: '' },
  hosts: ['api.elevenlabs.io'],
  failure: {
    code: 'detail.status',
    message: 'detail.message',
    moderationWords: [],
    kinds: { quota_exceeded: 'credential' },
  },
  families: [
    {
      name: 'effect',
      models: ['*'],
      submit: {
        path: '/v1/sound-generation',
        query: [{ to: 'output_format', value: 'mp3_44100_128' }],
        envelope: [{ to: 'text', fact: 'prompt' }],
        binary: { kind: 'audio', usage: [{ unit: 'characters', header: 'character-cost', scale: 1 }] },
      },
      id: 'id',
      outputs: [],
    },
  ],
}

/** Ideogram v3: multipart in; a picture that is not safe has no address, with the status of a success. */
const IDEOGRAM: TaskProviderSpec = {
  ...COMMON,
  id: 'ideogram',
  title: 'Ideogram',
  defaultBaseUrl: 'https://api.ideogram.ai',
  operations: ['image'],
  inputForms: ['bytes'],
  auth: { header: 'api-key', prefix: '' },
  hosts: ['api.ideogram.ai'],
  failure: { code: 'code', message: ['error', 'detail'], moderationWords: ['safety'] },
  families: [
    {
      name: 'v3',
      models: ['*'],
      input: () => parseSignature('prompt! style_reference_images:l num_images:n<=8 seed:n'),
      vocabulary: [
        { fact: 'reference_image', kind: 'file', owned: true, fields: ['style_reference_images'] },
        ...VOCABULARY,
      ],
      submit: { path: '/v1/ideogram-v3/generate', encoding: 'multipart' },
      id: 'id',
      outputs: [
        {
          path: 'data[*]',
          urlPath: 'url',
          kind: 'image',
          withheldWhen: [{ path: 'is_image_safe', in: ['false'] }],
          metadata: { seed: 'seed' },
        },
      ],
    },
  ],
}

async function startAt(
  spec: TaskProviderSpec,
  model: string,
  reply: VendorReply,
  overrides: Partial<StartRequest> = {},
) {
  const vendor = await openScriptedVendor(spec, reply)
  return { vendor, started: vendor.tasks.start(startRequest(model, overrides), taskContext()) }
}

function input(role: ResolvedInput['role'], bytes: Buffer, contentType = 'image/png'): ResolvedInput {
  return { role, url: '', contentType, read: async () => bytes }
}

describe('Stability', () => {
  test('takes files and fields as parts, and answers with the picture itself', async () => {
    const inputs = [input('image', PNG), input('mask', Buffer.from('mask'))]
    const reply = {
      headers: { 'content-type': 'image/png', 'finish-reason': 'SUCCESS', seed: '42' },
      body: PNG,
    }
    const { vendor, started } = await startAt(STABILITY, 'edit/inpaint', reply, { inputs })
    const done = await started
    expect(done).toMatchObject({
      kind: 'succeeded',
      outputs: [{ kind: 'image', role: 'result', index: 0, metadata: { seed: '42' } }],
    })
    expect(await bytesOf(done.kind === 'succeeded' ? done.outputs[0] : undefined)).toEqual(PNG)
    const [asked] = vendor.asked
    expect(asked).toMatchObject({
      method: 'POST',
      host: 'api.stability.ai',
      path: '/v2beta/stable-image/edit/inpaint',
      headers: { accept: 'image/*', authorization: 'Bearer secret-key' },
    })
    if (asked === undefined) throw new Error('nothing was asked')
    const form = await formOf(asked)
    expect([...form.keys()].toSorted()).toEqual(['aspect_ratio', 'image', 'mask', 'prompt'])
    expect(form.get('prompt')).toBe('a lighthouse at dawn')
    const image = form.get('image')
    if (!(image instanceof File)) throw new Error('expected a file')
    expect([image.name, image.type]).toEqual(['image.png', 'image/png'])
    expect(Buffer.from(await image.arrayBuffer())).toEqual(PNG)
  })

  test('is asked in parts without any file too', async () => {
    const { vendor, started } = await startAt(STABILITY, 'json/core', {
      body: { image: PNG.toString('base64'), finish_reason: 'SUCCESS' },
    })
    const done = await started
    expect(await bytesOf(done.kind === 'succeeded' ? done.outputs[0] : undefined)).toEqual(PNG)
    expect(vendor.asked[0]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
  })

  test.each([
    [
      'edit/inpaint',
      { headers: { 'content-type': 'image/png', 'finish-reason': 'CONTENT_FILTERED' }, body: PNG },
    ],
    ['json/core', { body: { image: PNG.toString('base64'), finish_reason: 'CONTENT_FILTERED' } }],
    ['edit/inpaint', { status: 403, body: { id: 'x', name: 'content_moderation', errors: ['flagged'] } }],
  ])('says within %s that moderation kept it back', async (model, reply) => {
    const { started } = await startAt(STABILITY, model, reply)
    expect((await failureOfTask(started)).kind).toBe('content-rejected')
  })

  test.each([
    ['a page', { headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['nothing', { headers: { 'content-type': 'image/png' }, body: Buffer.alloc(0) }],
    ['JSON of nothing', { body: {} }],
  ])('that answers with %s has failed: nobody will ever hear more of it', async (_name, reply) => {
    const { started } = await startAt(STABILITY, 'generate/core', reply)
    expect(await failureOfTask(started)).toMatchObject({ kind: 'vendor', status: 200 })
  })

  test('names no part by what a client sent', async () => {
    const request = imageRequest({ prompt: 'a"; filename="x\r\n\r\n--part', options: { 'image"': 'x' } })
    const reply = { headers: { 'content-type': 'image/png' }, body: PNG }
    const { vendor, started } = await startAt(STABILITY, 'generate/core', reply, { request })
    await started
    const [asked] = vendor.asked
    const form = asked === undefined ? new FormData() : await formOf(asked)
    expect(Object.fromEntries(form)).toEqual({ prompt: request.prompt, aspect_ratio: '16:9' })
  })
})

describe('a file that is the answer', () => {
  test('is handed on in pieces, before its last one is made', async () => {
    const ended = Promise.withResolvers<void>()
    const { vendor, started } = await startAt(LTX, 'ltx-2-pro', {
      headers: { 'content-type': 'video/mp4', 'x-request-id': 'r1' },
      body: response => {
        response.write('first ')
        void ended.promise.then(() => response.end('second'))
      },
    })
    const done = await started
    expect(done).toMatchObject({
      kind: 'succeeded',
      outputs: [{ kind: 'video', metadata: { request: 'r1' } }],
    })
    ended.resolve()
    expect(String(await bytesOf(done.kind === 'succeeded' ? done.outputs[0] : undefined))).toBe(
      'first second',
    )
    expect(JSON.parse(String(vendor.asked[0]?.body))).toEqual({
      model: 'ltx-2-pro',
      prompt: 'a lighthouse at dawn',
    })
  })

  test('that breaks off is an error of its bytes, and the call is not made again', async () => {
    const { vendor, started } = await startAt(LTX, 'ltx-2-pro', {
      headers: { 'content-type': 'video/mp4', 'content-length': '1000' },
      body: response => {
        response.write('half')
        setImmediate(() => response.destroy())
      },
    })
    const done = await started
    const output = done.kind === 'succeeded' ? done.outputs[0] : undefined
    await expect(bytesOf(output)).rejects.toThrow('reset')
    expect(vendor.asked).toHaveLength(1)
  })

  test('may be waited for longer than other answers', async () => {
    // Later than the call's own patience for a first byte.
    const vendor = await openScriptedVendor(LTX, {
      headers: { 'content-type': 'video/mp4' },
      body: response => void setTimeout(() => response.end('late'), 300),
    })
    const { timeouts } = taskContext()
    const impatient = taskContext({ timeouts: { ...timeouts, firstByteMs: 30 } })
    const started = vendor.tasks.start(startRequest('ltx-2-pro'), impatient)
    const done = await started
    expect(String(await bytesOf(done.kind === 'succeeded' ? done.outputs[0] : undefined))).toBe('late')
  })

  test('has its price in a header where the vendor says one', async () => {
    const { vendor, started } = await startAt(ELEVENLABS, 'sfx', {
      headers: { 'content-type': 'audio/mpeg', 'character-cost': '40' },
      body: Buffer.from('ID3'),
    })
    expect(await started).toMatchObject({ outputs: [{ kind: 'audio' }], billedUnits: { characters: '40' } })
    expect(vendor.asked[0]).toMatchObject({
      path: '/v1/sound-generation?output_format=mp3_44100_128',
      headers: { 'xi-api-key': 'secret-key' },
    })
  })

  test.each([
    [401, 'quota_exceeded', 'credential'],
    [429, 'too_many_concurrent_requests', 'rate-limited'],
    [400, 'max_character_limit_exceeded', 'rejected'],
    [500, 'internal', 'vendor'],
  ] as const)('is not there where the vendor refuses: %d %s is %s', async (status, code, kind) => {
    const { started } = await startAt(ELEVENLABS, 'sfx', {
      status,
      body: { detail: { status: code, message: 'no' } },
    })
    expect((await failureOfTask(started)).kind).toBe(kind)
  })
})

describe('Ideogram', () => {
  const picture = (is_image_safe: boolean) => ({
    url: is_image_safe ? 'https://ideogram.ai/api/images/1.png' : null,
    is_image_safe,
    seed: 7,
  })

  test('delivers what is safe, and several files under one name', async () => {
    const inputs = [input('reference_image', PNG), input('reference_image', Buffer.from('two'), 'image/jpeg')]
    const { vendor, started } = await startAt(
      IDEOGRAM,
      'v3',
      { body: { created: 'now', data: [picture(false), picture(true)] } },
      { inputs, count: 2 },
    )
    expect(await started).toMatchObject({
      kind: 'succeeded',
      outputs: [{ index: 0, source: { url: 'https://ideogram.ai/api/images/1.png' }, metadata: { seed: 7 } }],
    })
    const [asked] = vendor.asked
    const form = asked === undefined ? new FormData() : await formOf(asked)
    expect(form.getAll('style_reference_images').map(part => (part as File).name)).toEqual([
      'reference-image.png',
      'reference-image.jpg',
    ])
    expect(form.get('num_images')).toBe('2')
    expect(asked?.headers['api-key']).toBe('secret-key')
  })

  test('whose pictures are all unsafe has refused the content', async () => {
    const { started } = await startAt(IDEOGRAM, 'v3', { body: { data: [picture(false), picture(false)] } })
    expect((await failureOfTask(started)).kind).toBe('content-rejected')
  })
})
