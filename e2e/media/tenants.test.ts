/** Two workspaces on one server: what is the other's does not exist, and a file has no way in but its link. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import { accountShape, createdShape, jobCreatedShape } from './kie-shapes.ts'
import { type Caller, callerOf, startQuickServer, tenantKey, until, untilEnded } from './media-server.ts'
import { generationShape, generationsShape, imagesShape, projectsShape } from './shapes.ts'
import './patience.ts'

let server: TollgateServer
let owner: Caller
let stranger: Caller
/** Of the owner. */
let image: { id: string; url: string; thumbnail: string }
let songId: string
let endlessId: string
let endpointId: string
let requestId: string

beforeAll(async () => {
  server = await startQuickServer()
  owner = callerOf(server, server.testKey)
  stranger = callerOf(server, await tenantKey(server, 'stranger', 5_000))
  const song = { model: 'sandbox/music', input: { prompt: 'A calm piano' } }
  songId = (await owner.post('/v1/jobs/createTask', song)).as(jobCreatedShape).data.taskId
  const endless = { model: 'sandbox/video-stuck', input: { prompt: 'For ever' } }
  endlessId = (await owner.post('/v1/jobs/createTask', endless)).as(jobCreatedShape).data.taskId
  const { data } = (await owner.post('/v1/images', { prompt: 'A secret lighthouse' })).as(imagesShape)
  requestId = data.request_id
  const made = (await owner.get(`/v1/generations/${data.generation_id}`)).as(generationShape)
  const [artifact] = made.artifacts
  image = { id: made.id, url: artifact?.url ?? '', thumbnail: artifact?.thumbnail_url ?? '' }
  const endpoint = await owner.post('/v1/webhooks/endpoints', { url: 'https://example.com/hook' })
  endpointId = endpoint.as(z.looseObject({ id: z.string() })).id
  await untilEnded(owner, songId)
})
afterAll(async () => {
  await owner?.post(`/v1/generations/${endlessId}/cancel`, {})
  await stopSound(server)
})

const NOWHERE = '0199f3a0aaaa7000800000000000abcd'

/** Every read by an id, as a path. */
const READS = [
  '/v1/generations/:id',
  '/v1/generations/:id/events',
  '/v1/receipts/req_:id',
  '/v1/tasks/:id',
  '/v1/jobs/recordInfo?taskId=:id',
  '/v1/flux/kontext/record-info?taskId=:id',
  '/v1/gpt4o-image/record-info?taskId=:id',
  '/v1/veo/record-info?taskId=:id',
  '/v1/veo/get-1080p-video?taskId=:id',
  '/v1/runway/record-detail?taskId=:id',
  '/v1/aleph/record-info?taskId=:id',
  '/v1/modify/record-info?taskId=:id',
  '/v1/generate/record-info?taskId=:id',
  '/v1/lyrics/record-info?taskId=:id',
  '/v1/wav/record-info?taskId=:id',
  '/v1/vocal-removal/record-info?taskId=:id',
  '/v1/mp4/record-info?taskId=:id',
  '/v1/suno/cover/record-info?taskId=:id',
  '/v1/midi/record-info?taskId=:id',
] as const

/** Every call that goes on from a task, with a body that is right but for whose task it is. */
const GOING_ON: readonly (readonly [path: string, body: Readonly<Record<string, unknown>>])[] = [
  ['/v1/generations/:id/cancel', {}],
  ['/v1/veo/extend', { taskId: ':id', prompt: 'more' }],
  ['/v1/veo/get-4k-video', { taskId: ':id', index: 0 }],
  ['/v1/runway/extend', { taskId: ':id', prompt: 'more', quality: '720p' }],
  ['/v1/wav/generate', { taskId: ':id', audioId: ':id-0' }],
  ['/v1/mp4/generate', { taskId: ':id', audioId: ':id-0' }],
  ['/v1/suno/cover/generate', { taskId: ':id' }],
  ['/v1/vocal-removal/generate', { taskId: ':id', audioId: ':id-0', type: 'separate_vocal' }],
  ['/v1/midi/generate', { taskId: ':id' }],
  ['/v1/generate/get-timestamped-lyrics', { taskId: ':id', audioId: ':id-0' }],
]

const filled = (template: unknown, id: string) => JSON.stringify(template).replaceAll(':id', id)
/** What says that there is no such thing, in any dialect. */
const IS_NOT = /"code":"(task_|)not_found"|There is no task with this id/
/** An answer but for what names the request and the id that was asked for. */
const plain = (text: string, id: string) => text.replaceAll(id, ':id').replace(/req_[0-9a-f]{32}/g, 'req')

describe('a task of another workspace', () => {
  test.each(READS)('is to %s as one that never was', async path => {
    for (const id of [image.id, songId, endlessId]) {
      const theirs = await stranger.get(path.replace(':id', id))
      const none = await stranger.get(path.replace(':id', NOWHERE))
      expect(none.text).toMatch(IS_NOT)
      expect(theirs.status).toBe(none.status)
      expect(plain(theirs.text, id)).toBe(plain(none.text, NOWHERE))
      expect(theirs.text).not.toMatch(/lighthouse|\/files\//)
    }
  })

  test('is there for its owner, by the same paths', async () => {
    for (const path of READS.slice(0, 8)) {
      const answer = await owner.get(path.replace(':id', image.id))
      expect(answer.status, path).toBe(200)
      expect(answer.text, path).toContain(image.id)
    }
    expect((await owner.get(`/v1/receipts/${requestId}`)).status).toBe(200)
  })

  test.each(GOING_ON)('is to %s as one that never was', async (path, body) => {
    const before = (await stranger.get('/v1/me')).as(accountShape).available
    for (const id of [songId, endlessId]) {
      const ask = (one: string) => stranger.post(path.replace(':id', one), JSON.parse(filled(body, one)))
      const [theirs, none] = [await ask(id), await ask(NOWHERE)]
      expect(none.text).toMatch(IS_NOT)
      expect(theirs.status).toBe(none.status)
      expect(plain(theirs.text, id)).toBe(plain(none.text, NOWHERE))
      expect(theirs.text).not.toContain('"code":200')
    }
    expect((await stranger.get('/v1/me')).as(accountShape).available).toBe(before)
    expect((await owner.get(`/v1/generations/${endlessId}`)).as(generationShape).state).not.toBe('cancelled')
  })

  test('is in no list of the stranger', async () => {
    expect((await stranger.get('/v1/generations')).as(generationsShape)).toMatchObject({ total: 0, data: [] })
    const { data } = (await stranger.get('/v1/projects')).as(projectsShape)
    expect(data).toMatchObject({ projects: [], pagination: { total: 0, pages: 0, has_more: false } })
  })

  test('has callbacks and endpoints that do not exist for the stranger', async () => {
    for (const [path, nowhere] of [
      [`/v1/webhooks/endpoints/${endpointId}`, `/v1/webhooks/endpoints/whe_${NOWHERE}`],
      [`/v1/webhooks/deliveries?task_id=${image.id}`, `/v1/webhooks/deliveries?task_id=${NOWHERE}`],
    ]) {
      const [theirs, none] = [await stranger.get(path ?? ''), await stranger.get(nowhere ?? '')]
      expect([theirs.status, plain(theirs.text, image.id)]).toEqual([none.status, plain(none.text, NOWHERE)])
    }
    expect(
      (await stranger.get('/v1/webhooks/endpoints')).as(z.looseObject({ data: z.array(z.unknown()) })).data,
    ).toEqual([])
    const [mine, theirs] = [await owner.get('/v1/webhooks/secret'), await stranger.get('/v1/webhooks/secret')]
    expect(mine.text).not.toBe(theirs.text)
  })

  test('lends no file: neither as an input nor for a download link', async () => {
    const edit = { prompt: 'the same in blue', model: 'flux-kontext-pro', inputImage: image.url }
    const refused = await stranger.post('/v1/flux/kontext/generate', edit)
    expect(JSON.parse(refused.text)).toMatchObject({ code: 422, error: { code: 'input_rejected' } })
    const link = await stranger.post('/v1/common/download-url', { url: image.url })
    expect(JSON.parse(link.text)).toMatchObject({ code: 422, data: null })
    const own = await owner.post('/v1/flux/kontext/generate', edit)
    const { taskId } = own.as(createdShape).data
    expect((await untilEnded(owner, taskId)).state).toBe('succeeded')
  })
})

test('an Idempotency-Key of one workspace means nothing in another', async () => {
  const headers = { 'idempotency-key': 'shared by chance' }
  const wish = { prompt: 'A plum', model: 'flux-kontext-pro' }
  const mine = (await owner.post('/v1/flux/kontext/generate', wish, headers)).as(createdShape)
  const theirs = (await stranger.post('/v1/flux/kontext/generate', wish, headers)).as(createdShape)
  expect(mine.data.taskId).not.toBe(theirs.data.taskId)
})

describe('a file', () => {
  const wholeFile = async () => Buffer.from(await (await fetch(image.url)).arrayBuffer())

  test('is shown to whoever has the link, and nothing in it can run', async () => {
    const answer = await fetch(image.url)
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'content-disposition': 'inline; filename="image-1.png"',
      'cross-origin-resource-policy': 'cross-origin',
      'accept-ranges': 'bytes',
      'cache-control': expect.stringContaining('immutable'),
    })
    expect((await answer.arrayBuffer()).byteLength).toBe(Number(answer.headers.get('content-length')))
    const small = await fetch(image.thumbnail)
    expect([small.status, small.headers.get('content-type')]).toEqual([200, 'image/webp'])
  })

  test('is found by no other link', async () => {
    const [, token = ''] = /\/files\/([^/]+)\//.exec(image.url) ?? []
    const last = token.endsWith('a') ? 'b' : 'a'
    const wrong = [
      image.url.replace(token, token.slice(0, -1) + last),
      image.url.replace(token, token.toLowerCase() === token ? token.toUpperCase() : token.toLowerCase()),
      image.url.replace(token, token.slice(0, -1)),
      image.url.replace(token, `${token}a`),
      image.url.replace(token, image.id),
      image.url.replace(token, '..'),
      image.url.replace(token, '%2e%2e'),
      image.url.replace('image-1.png', '..%2f..%2fsecret.png'),
      `${server.url}/files/${token}`,
      `${server.url}/files/${token}/`,
      `${server.url}/files/`,
      `${server.url}/files`,
    ]
    for (const url of wrong) expect((await fetch(url)).status, url.replace(token, ':token')).toBe(404)
    const key = { authorization: `Bearer ${server.testKey}` }
    expect((await fetch(wrong[0] ?? '', { headers: key })).status).toBe(404)
  })

  test('keeps its address out of the log', () => {
    const [, token = ''] = /\/files\/([^/]+)\//.exec(image.url) ?? []
    expect(token.length).toBeGreaterThan(20)
    expect(server.log()).not.toContain(token)
    expect(server.log()).not.toContain('lighthouse')
  })

  test('is read by ranges', async () => {
    const whole = await wholeFile()
    const size = whole.length
    for (const [range, from, to] of [
      ['bytes=0-3', 0, 3],
      ['bytes=100-199', 100, 199],
      [`bytes=${size - 5}-`, size - 5, size - 1],
      ['bytes=-7', size - 7, size - 1],
      [`bytes=10-${size * 2}`, 10, size - 1],
    ] as const) {
      const part = await fetch(image.url, { headers: { range } })
      expect(part.status, range).toBe(206)
      expect(part.headers.get('content-range')).toBe(`bytes ${from}-${to}/${size}`)
      expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(from, to + 1))
    }
    const beyond = await fetch(image.url, { headers: { range: `bytes=${size}-` } })
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${size}`])
    const other = await fetch(image.url, { headers: { range: 'bytes=0-3', 'if-range': '"another"' } })
    expect([other.status, (await other.arrayBuffer()).byteLength]).toEqual([200, size])
  })

  test('is not sent again to who has it, and has a head of its own', async () => {
    const head = await fetch(image.url, { method: 'HEAD' })
    const etag = head.headers.get('etag') ?? ''
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/)
    const whole = await wholeFile()
    expect(etag).toBe(`"${createHash('sha256').update(whole).digest('hex').slice(0, 32)}"`)
    expect(Number(head.headers.get('content-length'))).toBe(whole.length)
    const again = await fetch(image.url, { headers: { 'if-none-match': etag } })
    expect([again.status, await again.text()]).toEqual([304, ''])
    expect(again.headers.get('etag')).toBe(etag)
    expect((await fetch(image.url, { headers: { 'if-none-match': '"another"' } })).status).toBe(200)
  })

  test('is there once its task says so, and not before', async () => {
    const wish = { model: 'nano-banana', input: { prompt: 'A pear' } }
    const { taskId } = (await owner.post('/v1/jobs/createTask', wish)).as(jobCreatedShape).data
    await until(
      async () => {
        const seen = (await owner.get(`/v1/generations/${taskId}`)).as(generationShape)
        for (const { url } of seen.artifacts) expect((await fetch(url)).status).toBe(200)
        return seen
      },
      ({ state }) => state === 'succeeded',
    )
  })
})
