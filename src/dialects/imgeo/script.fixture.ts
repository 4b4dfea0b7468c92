/** What the scripted gateway answers in this dialect's tests. Prices are those of the API's page. */
import type { GatewayScript } from '#dialect-kit/scripted-gateway.ts'
import { artifact, IMAGE_REQUEST, mediaModel, task } from '#dialect-kit/task.fixture.ts'
import type { AccountView } from '#spec/gateway.ts'

/** Credits an image, as the API's page lists them. */
export const PAGE = {
  'stability-ai/sdxl': 2n,
  'black-forest-labs/flux-kontext-max': 9n,
  'google/nano-banana': 7n,
  'google/nano-banana-pro': 10n,
  'bytedance/seedream-4': 5n,
  'black-forest-labs/flux-schnell': 1n,
  'prunaai/flux-fast': 2n,
  'black-forest-labs/flux-dev': 5n,
  'qwen/qwen-image': 5n,
  'bytedance/seedream-4.5': 7n,
  'google/imagen-4': 7n,
  'google/imagen-3': 9n,
  'black-forest-labs/flux-pro': 9n,
  'stability-ai/stable-diffusion-3.5-large': 9n,
} as const

const NANO_USD_PER_CREDIT = 10_000_000n

const facts = mediaModel('any').media

export const CAT = {
  model: 'black-forest-labs/flux-schnell',
  prompt: 'A cat sitting on a rainbow cloud, digital art',
  aspect_ratio: '1:1',
  count: 1,
}

export const SCRIPT: GatewayScript = {
  models: [
    mediaModel('flux-schnell', {
      aliases: ['black-forest-labs/flux-schnell'],
      media: facts && { ...facts, aspectRatios: ['1:1', '16:9', '2:1'] },
    }),
    mediaModel('seedream-4', {
      aliases: ['bytedance/seedream-4'],
      media: facts && { ...facts, maxCount: 6 },
    }),
  ],
  fixedPrices: Object.fromEntries(
    Object.entries(PAGE).map(([model, credits]) => [model, credits * NANO_USD_PER_CREDIT]),
  ),
  account: { availableNanoUsd: 992_345_678_901n } as AccountView,
  submitted: [
    task({
      requestedModel: CAT.model,
      request: { ...IMAGE_REQUEST, model: CAT.model, prompt: CAT.prompt, aspectRatio: '1:1' },
      wire: CAT,
      artifacts: [artifact()],
      chargedNanoUsd: NANO_USD_PER_CREDIT,
    }),
  ],
}
