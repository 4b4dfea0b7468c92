/** The rest of kie.ai's paths: Midjourney, Gemini Omni's helpers, and what is made once however many ask. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import {
  accountShape,
  createdShape,
  jobCreatedShape,
  jobRecordShape,
  kieErrorShape,
  midjourneyRecordShape,
  omniAudioShape,
  omniCharacterShape,
  sunoRecordShape,
  veoRecordShape,
} from './kie-shapes.ts'
import { type Caller, callerOf, startQuickServer, tenantKey, until } from './media-server.ts'
import './patience.ts'

let server: TollgateServer
let caller: Caller
beforeAll(async () => {
  server = await startQuickServer()
  caller = callerOf(server, server.testKey)
})
afterAll(() => stopSound(server))

async function spent(by: Caller): Promise<number> {
  const { balance, held } = (await by.get('/api/v1/me')).as(accountShape)
  expect(held).toBe(0)
  return balance
}

async function midjourney(path: string, body: object) {
  const { taskId } = (await caller.post(path, body)).as(createdShape).data
  const record = await until(
    async () => (await caller.get(`/api/v1/mj/record-info?taskId=${taskId}`)).as(midjourneyRecordShape),
    ({ data }) => data.successFlag !== 0,
  )
  const urls = record.data.resultInfoJson?.resultUrls.map(({ resultUrl }) => resultUrl) ?? []
  return { taskId, record: record.data, urls }
}

describe('Midjourney', () => {
  test('makes four pictures at one price, of which one is made larger, and one varied', async () => {
    const wish = {
      taskType: 'mj_txt2img',
      prompt: 'A mountain at sunset',
      speed: 'relaxed',
      aspectRatio: '16:9',
    }
    const made = await midjourney('/api/v1/mj/generate', wish)
    expect(made.record).toMatchObject({ successFlag: 1, taskType: 'mj_txt2img', paramJson: wish })
    expect(made.urls).toHaveLength(4)
    const { headers } = await fetch(made.urls[0] ?? '')
    expect(headers.get('content-type')).toMatch(/^image\//)
    const larger = await midjourney('/api/v1/mj/generateUpscale', { taskId: made.taskId, imageIndex: 3 })
    expect(larger.urls).toHaveLength(1)
    const varied = await midjourney('/v1/mj/generateVary', { taskId: made.taskId, imageIndex: 0 })
    expect(varied.urls).toHaveLength(4)
    expect(varied.record.taskType).toBeNull()
  })

  test('takes what it made as the picture of two videos, and goes on from one of them', async () => {
    const { urls } = await midjourney('/api/v1/mj/generate', { taskType: 'mj_txt2img', prompt: 'A lake' })
    const wish = { taskType: 'mj_video', prompt: 'The water moves', fileUrls: [urls[0]], videoBatchSize: 2 }
    const film = await midjourney('/api/v1/mj/generate', wish)
    expect(film.urls).toHaveLength(2)
    expect((await fetch(film.urls[1] ?? '')).headers.get('content-type')).toBe('video/mp4')
    const longer = await midjourney('/api/v1/mj/generateVideoExtend', {
      taskId: film.taskId,
      taskType: 'mj_video_extend_auto',
      index: 1,
    })
    expect(longer.urls).toHaveLength(1)
  })

  test('has no paths but those', async () => {
    const answer = await caller.post('/api/v1/mj/imagine', { prompt: 'x' })
    expect(answer.status).toBe(404)
    expect(answer.as(kieErrorShape).code).toBe(404)
  })
})

test('a voice and a character of Gemini Omni are made at once, and a video is made with them', async () => {
  const voice = await caller.post('/api/v1/omni/audio/create', { audio_id: 'achernar', name: 'Narrator' })
  const { audioId } = voice.as(omniAudioShape).data
  const person = await caller.post('/api/v1/omni/character/create', {
    descriptions: 'A woman of thirty with short dark hair',
    image_urls: ['https://example.com/portrait.png'],
    audio_ids: [audioId],
    character_name: 'Ada',
  })
  const { characterId } = person.as(omniCharacterShape).data
  const { taskId } = (
    await caller.post('/api/v1/jobs/createTask', {
      model: 'gemini-omni-video',
      input: { prompt: 'Ada speaks', duration: '4', audio_ids: [audioId], character_ids: [characterId] },
    })
  ).as(jobCreatedShape).data
  const record = await until(
    async () => (await caller.get(`/api/v1/jobs/recordInfo?taskId=${taskId}`)).as(jobRecordShape),
    ({ data }) => data.state === 'success' || data.state === 'fail',
  )
  expect(record.data.state).toBe('success')
})

describe('what is made once', () => {
  async function film(by: Caller): Promise<string> {
    const wish = { prompt: 'A dog', model: 'veo3_fast', duration: 4 }
    const { taskId } = (await by.post('/api/v1/veo/generate', wish)).as(createdShape).data
    await until(
      async () => (await by.get(`/api/v1/veo/record-info?taskId=${taskId}`)).as(veoRecordShape),
      ({ data }) => data.successFlag !== 0,
    )
    return taskId
  }

  const lookShape = z.object({ code: z.int(), data: z.object({ resultUrl: z.string() }).nullable() })

  test('is a film in 1080p: nothing for a HEAD, and one charge for twelve first looks at once', async () => {
    const mine = callerOf(server, await tenantKey(server, 'once-1080p', 2_000))
    const url = `/api/v1/veo/get-1080p-video?taskId=${await film(mine)}`
    const before = await spent(mine)
    const head = await fetch(`${server.url}${url}`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${await tenantKeyOf('once-1080p')}` },
    })
    expect(head.status).toBe(200)
    expect(await spent(mine)).toBe(before)
    const looks = await Promise.all(Array.from({ length: 12 }, () => mine.get(url)))
    const charged = looks.filter(({ headers }) => Number(headers.get('x-ai-credits-charged')) > 0)
    expect(charged).toHaveLength(1)
    expect(looks.map(answer => answer.as(lookShape).code)).toEqual(Array.from({ length: 12 }, () => 400))
    const done = await until(
      async () => (await mine.get(url)).as(lookShape),
      ({ code }) => code !== 400,
    )
    expect(done).toMatchObject({ code: 200, data: { resultUrl: expect.stringMatching(/\.mp4$/) } })
    const price = Number(charged[0]?.headers.get('x-ai-credits-charged'))
    expect(before - (await spent(mine))).toBeCloseTo(price, 6)
  })

  test('is a track as WAV: of eight calls at once one makes it, and the others are told its id', async () => {
    const mine = callerOf(server, await tenantKey(server, 'once-wav', 2_000))
    const song = { prompt: 'synthwave', customMode: false, instrumental: true, model: 'V5' }
    const { taskId } = (await mine.post('/api/v1/generate', song)).as(createdShape).data
    const record = await until(
      async () => (await mine.get(`/api/v1/generate/record-info?taskId=${taskId}`)).as(sunoRecordShape),
      ({ data }) => data.status === 'SUCCESS',
    )
    const body = { taskId, audioId: record.data.response?.sunoData[0]?.id }
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => mine.post('/api/v1/wav/generate', body)),
    )
    const told = answers.map(answer =>
      answer.as(z.object({ code: z.int(), data: z.object({ taskId: z.string() }) })),
    )
    expect(told.filter(({ code }) => code === 200)).toHaveLength(1)
    expect(told.filter(({ code }) => code === 409)).toHaveLength(7)
    expect(new Set(told.map(({ data }) => data.taskId)).size).toBe(1)
  })

  async function tenantKeyOf(workspace: string): Promise<string> {
    const made = await server.cliJson<{ secret: string }>(
      ...(['key', 'create', '--mode', 'test', '--name', 'head', '--workspace', workspace] as const),
    )
    return made.secret
  }
})
