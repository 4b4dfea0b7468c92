/** The API of fourteen image models with a fixed price each. */
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import { type Caller, callerOf, keyOf, startQuickServer, tenantKey } from './media-server.ts'
import { balanceShape, imgeoErrorShape, imgeoModelsShape, imgeoShape } from './shapes.ts'
import './patience.ts'

/** The page's table: id, name, credits, takes a picture, takes a negative prompt. */
const MODELS = [
  ['stability-ai/sdxl', 'SDXL', 2, true, true],
  ['black-forest-labs/flux-kontext-max', 'Flux Kontext Max', 9, true, false],
  ['google/nano-banana', 'Nano Banana', 7, true, true],
  ['google/nano-banana-pro', 'Nano Banana Pro', 10, true, true],
  ['bytedance/seedream-4', 'Seedream 4', 5, true, true],
  ['black-forest-labs/flux-schnell', 'Flux Schnell', 1, false, false],
  ['prunaai/flux-fast', 'Flux Fast', 2, false, false],
  ['black-forest-labs/flux-dev', 'Flux Dev', 5, false, false],
  ['qwen/qwen-image', 'Qwen Image', 5, false, true],
  ['bytedance/seedream-4.5', 'Seedream 4.5', 7, false, true],
  ['google/imagen-4', 'Imagen 4', 7, false, true],
  ['google/imagen-3', 'Imagen 3', 9, false, true],
  ['black-forest-labs/flux-pro', 'Flux Pro', 9, false, false],
  ['stability-ai/stable-diffusion-3.5-large', 'SD 3.5 Large', 9, false, true],
] as const

const CAT = {
  model: 'black-forest-labs/flux-schnell',
  prompt: 'A cat sitting on a rainbow cloud, digital art',
  aspect_ratio: '1:1',
  count: 1,
}

let server: TollgateServer
let caller: Caller
beforeAll(async () => {
  server = await startQuickServer()
  caller = callerOf(server, server.testKey)
})
afterAll(() => stopSound(server))

const balance = async () => (await caller.get('/api/v1/balance')).as(balanceShape).balance

test('GET /models needs no key and has the rows of the page', async () => {
  const answer = await callerOf(server, undefined).get('/api/v1/models')
  expect(answer.status).toBe(200)
  const rows = answer
    .as(imgeoModelsShape)
    .map(({ id, name, credits, modes, negative_prompt }) => [
      id,
      name,
      credits,
      modes.includes('img2img'),
      negative_prompt,
    ])
  expect(rows).toEqual(MODELS)
})

test('every model costs exactly what the page says', async () => {
  const before = await balance()
  const charges = await Promise.all(
    MODELS.map(async ([model, , credits, , negative]) => {
      const wish = { ...CAT, model, ...(negative && { negative_prompt: 'dogs' }) }
      const answer = await caller.post('/api/v1/generate', wish)
      expect(answer.status, answer.text).toBe(200)
      const made = answer.as(imgeoShape)
      expect(made).toMatchObject({
        model,
        prompt: CAT.prompt,
        aspect_ratio: '1:1',
        mode: 'text2img',
        count: 1,
        credits,
      })
      return [model, Number(answer.headers.get('x-ai-credits-charged'))]
    }),
  )
  expect(charges).toEqual(MODELS.map(([model, , credits]) => [model, credits]))
  expect(await balance()).toBe(before - 87)
})

test('four images cost four times as much, and each is a picture of the asked ratio', async () => {
  const before = await balance()
  const made = (await caller.post('/api/v1/generate', { ...CAT, count: 4, aspect_ratio: '16:9' })).as(
    imgeoShape,
  )
  expect(made).toMatchObject({ count: 4, credits: 4, balance: before - 4 })
  expect(new Set(made.images).size).toBe(4)
  for (const url of made.images) {
    const { width, height } = await sharp(await (await fetch(url)).arrayBuffer()).metadata()
    expect(width / height).toBeCloseTo(16 / 9, 1)
  }
})

test('a picture of the caller’s own is drawn over', async () => {
  const [source] = (await caller.post('/api/v1/generate', CAT)).as(imgeoShape).images
  const wish = { model: 'stability-ai/sdxl', prompt: 'the same in blue', mode: 'img2img', image: source }
  const made = (await caller.post('/api/v1/generate', wish)).as(imgeoShape)
  expect(made).toMatchObject({ mode: 'img2img', credits: 2 })
})

describe('the table of errors', () => {
  test.each([
    ['no model', { prompt: 'A cat', aspect_ratio: '1:1' }],
    ['no prompt', { model: CAT.model }],
    ['an unknown model', { ...CAT, model: 'no-one/knows' }],
    ['an unknown ratio', { ...CAT, aspect_ratio: '7:7' }],
    ['too many images', { ...CAT, count: 100 }],
    ['a mode it has not', { ...CAT, mode: 'img2img', image: 'https://example.com/cat.png' }],
    ['img2img without a picture', { ...CAT, model: 'stability-ai/sdxl', mode: 'img2img' }],
    ['a prompt over 2,000 characters', { ...CAT, prompt: 'x'.repeat(2_001) }],
  ])('400: %s', async (_what, wish) => {
    const answer = await caller.post('/api/v1/generate', wish)
    expect(answer.status, answer.text).toBe(400)
    answer.as(imgeoErrorShape)
  })

  test('401 without a key and with a wrong one, everywhere but at /models', async () => {
    for (const key of [undefined, 'imgeo_sk_YOUR_KEY']) {
      const stranger = callerOf(server, key)
      for (const answer of [
        await stranger.post('/api/v1/generate', CAT),
        await stranger.get('/api/v1/balance'),
      ]) {
        expect(answer.status).toBe(401)
        answer.as(imgeoErrorShape)
      }
    }
  })

  test('402 without credits, and by the cap of a key', async () => {
    const poor = await tenantKey(server, 'poor', 1)
    const capped = await keyOf(server, '--daily-cap', '6')
    for (const key of [poor, capped]) {
      const answer = await callerOf(server, key).post('/api/v1/generate', {
        ...CAT,
        model: 'google/imagen-3',
      })
      expect(answer.status).toBe(402)
      answer.as(imgeoErrorShape)
    }
    expect((await callerOf(server, poor).post('/api/v1/generate', CAT)).as(imgeoShape).balance).toBe(0)
  })

  test('500 where the generation failed, and the credits are back', async () => {
    const before = await balance()
    const answer = await caller.post('/api/v1/generate', { ...CAT, prompt: 'sandbox:task-fails' })
    expect(answer.status).toBe(500)
    answer.as(imgeoErrorShape)
    expect(await balance()).toBe(before)
  })
})
