import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { task } from '#dialect-kit/task.fixture.ts'
import { transcript } from '#dialect-kit/transcript.fixture.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Submission } from '#spec/gateway.ts'
import imgeo from './index.ts'
import { CAT, PAGE, SCRIPT } from './script.fixture.ts'

async function generate(body: unknown, script: GatewayScript = SCRIPT) {
  const gateway = new ScriptedGateway(script)
  const request = {
    method: 'POST',
    url: '/generate',
    headers: { authorization: `Bearer ${GOOD_KEY}` },
    body: JSON.stringify(body),
  }
  const answer = await serveInMemory(imgeo, gateway, request)
  const submission = gateway.asked[0]?.argument as Submission | undefined
  return { status: answer.status, body: JSON.parse(answer.body.toString()), submission, gateway }
}

const EXCHANGES = [
  { name: 'generate', request: 'POST /generate', body: CAT, script: SCRIPT },
  {
    name: 'generate-failed',
    request: 'POST /generate',
    body: CAT,
    script: {
      ...SCRIPT,
      refuse: new GatewayError('generation_failed', 'The provider failed. Nothing was charged.'),
    },
  },
  {
    name: 'generate-ratio',
    request: 'POST /generate',
    body: { ...CAT, aspect_ratio: '4:5' },
    script: SCRIPT,
  },
  { name: 'no-key', request: 'POST /generate', body: CAT, script: SCRIPT, headers: {} },
  { name: 'models', request: 'GET /models', script: SCRIPT, headers: {} },
  { name: 'balance', request: 'GET /balance', script: SCRIPT },
] as const

describe('a client sees exactly', () => {
  it.each(EXCHANGES)('fixtures/$name.http', async ({ name, ...exchange }) => {
    await expect(await transcript(imgeo, exchange)).toMatchFileSnapshot(`fixtures/${name}.http`)
  })
})

describe('generate', () => {
  it('asks for what was sent, with the defaults of the page', async () => {
    const { submission } = await generate({ model: CAT.model, prompt: 'A cat' })
    expect(submission).toMatchObject({
      family: 'imgeo.generate',
      request: { action: 'text2img', aspectRatio: '1:1', count: 1, inputs: [], negativePrompt: undefined },
    })
  })

  it('an image is changed, with the mode or without it', async () => {
    const image = 'https://example.com/cat.png'
    const sent = { model: 'bytedance/seedream-4', prompt: 'Blue', image }
    for (const body of [sent, { ...sent, mode: 'img2img' }]) {
      const { submission } = await generate(body)
      expect(submission?.request).toMatchObject({
        action: 'img2img',
        inputs: [{ role: 'image', url: image, param: 'image' }],
      })
    }
  })

  it('a negative prompt reaches models that the page lists with one', async () => {
    const { submission } = await generate({
      model: 'google/imagen-4',
      prompt: 'A cat',
      negative_prompt: 'dogs',
    })
    expect(submission?.request.negativePrompt).toBe('dogs')
  })

  it('an empty negative prompt is none', async () => {
    expect(
      (await generate({ ...CAT, negative_prompt: '' })).submission?.request.negativePrompt,
    ).toBeUndefined()
  })

  it('the count is bounded by the model', async () => {
    const six = { model: 'bytedance/seedream-4', prompt: 'A cat', count: 6 }
    expect((await generate(six)).submission?.request.count).toBe(6)
    const { status, body } = await generate({ ...CAT, count: 5 })
    expect([status, body.error]).toEqual([400, expect.stringContaining('1 to 4')])
  })

  it.each(['🐈'.repeat(2_000), 'x'.repeat(2_000)])('a prompt of 2,000 characters fits', async prompt => {
    expect((await generate({ ...CAT, prompt })).status).toBe(200)
  })

  it.each([
    ['no model', { model: undefined }, 'model'],
    ['a model that is not on the page', { model: 'openai/gpt-image-2' }, 'stability-ai/sdxl'],
    ['a model of the page by its short name', { model: 'sdxl' }, 'stability-ai/sdxl'],
    ['no prompt', { prompt: undefined }, 'prompt'],
    ['an empty prompt', { prompt: '' }, 'prompt'],
    ['a prompt that is too long', { prompt: 'x'.repeat(2_001) }, '2000 characters'],
    ['a ratio that the model has not', { aspect_ratio: '21:9' }, '1:1, 16:9'],
    ['a ratio that only the catalogue has', { aspect_ratio: '2:1' }, '1:1, 16:9'],
    ['a ratio that is none', { aspect_ratio: 'wide' }, '1:1, 16:9'],
    ['no images', { count: 0 }, '1 to 4'],
    ['half an image', { count: 1.5 }, 'count'],
    ['a count in words', { count: '2' }, 'count'],
    ['a mode that is none', { mode: 'inpaint' }, 'text2img'],
    ['a mode that the model has not', { mode: 'img2img', image: 'https://example.com/a.png' }, 'text2img'],
    ['an image to a model without that mode', { image: 'https://example.com/a.png' }, 'text2img'],
    ['img2img without an image', { model: 'stability-ai/sdxl', mode: 'img2img' }, 'image'],
    [
      'text2img with an image',
      { model: 'stability-ai/sdxl', mode: 'text2img', image: 'https://example.com/a.png' },
      'img2img',
    ],
    ['an image that is no address', { model: 'stability-ai/sdxl', image: 'cat.png' }, 'image'],
    ['a negative prompt that the model has not', { negative_prompt: 'dogs' }, 'google/imagen-4'],
  ])('with %s it is a 400 that says what is allowed, and nothing is asked', async (_, changes, words) => {
    const { status, body, gateway } = await generate({ ...CAT, ...changes })
    expect([status, body]).toEqual([400, { error: expect.stringContaining(words) }])
    expect(gateway.asked).toEqual([])
  })
})

describe('models', () => {
  it('are the fourteen of the page at its prices, for anyone', async () => {
    const answer = await serveInMemory(imgeo, new ScriptedGateway(SCRIPT), { method: 'GET', url: '/models' })
    const models = JSON.parse(answer.body.toString()) as { id: string; credits: number }[]
    expect(models.map(({ id, credits }) => [id, BigInt(credits)])).toEqual(Object.entries(PAGE))
  })

  it('the catalogue fixes a price for each, and for no other', () => {
    const file = new URL('../../../catalog/fixed-prices.json', import.meta.url)
    const { prices } = JSON.parse(readFileSync(file, 'utf8')) as { prices: { imgeo: Record<string, string> } }
    expect(prices.imgeo).toEqual(
      Object.fromEntries(Object.entries(PAGE).map(([id, price]) => [id, String(price)])),
    )
  })

  it('what a model cannot draw is not offered', async () => {
    const answer = await serveInMemory(imgeo, new ScriptedGateway(SCRIPT), { method: 'GET', url: '/models' })
    const models = JSON.parse(answer.body.toString()) as { id: string; aspect_ratios: string[] }[]
    expect(models.find(({ id }) => id === CAT.model)?.aspect_ratios).toEqual(['1:1', '16:9'])
    expect(models.find(({ id }) => id === 'stability-ai/sdxl')?.aspect_ratios).toHaveLength(11)
  })
})

it('the callback has the answer of the call, or why there is none', () => {
  const credits = { nanoUsdPerCredit: 10_000_000n }
  const shown = (state: 'succeeded' | 'cancelled') =>
    JSON.parse(
      JSON.stringify(imgeo.renderCallback?.(task({ state, wire: { prompt: 'A cat' } }), undefined, credits)),
    )
  expect(shown('succeeded')).toEqual({
    id: '019b76daa800700080000123456789ab',
    images: ['https://tollgate.test/files/f0/image.webp'],
    model: 'nano-banana',
    prompt: 'A cat',
    aspect_ratio: '16:9',
    mode: 'text2img',
    count: 1,
    credits: 3,
  })
  expect(shown('cancelled').error).toBe('The task was cancelled.')
})
