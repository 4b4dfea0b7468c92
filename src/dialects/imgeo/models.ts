/** `GET /models`: a bare array, for anyone. */
import { z } from 'zod'
import { chargedNumber } from '#dialect-kit/credit-number.ts'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { MODES, offeredModels } from './offer.ts'

const modelObject = z.object({
  id: z.string(),
  name: z.string(),
  credits: z.number().describe('For one image'),
  modes: z.array(z.enum(MODES)),
  aspect_ratios: z.array(z.string()),
  max_count: z.int(),
  negative_prompt: z.boolean(),
})

export const listModels = endpoint({
  method: 'GET',
  path: '/models',
  access: 'public',
  reference: {
    summary: 'List the image models',
    description: 'Needs no key. What each can be asked for, and what one image costs.',
    tag: 'Simple images',
    answer: { schema: z.array(modelObject) },
    example: {},
  },
  async handle({ gateway, reply }) {
    const models = offeredModels(gateway).map(model => ({
      id: model.id,
      name: model.name,
      credits: chargedNumber(model.priceNanoUsd, gateway.credits),
      modes: model.modes,
      aspect_ratios: model.aspectRatios,
      max_count: model.maxCount,
      negative_prompt: model.negativePrompt,
    }))
    reply.send(jsonAnswer(200, models))
  },
})
