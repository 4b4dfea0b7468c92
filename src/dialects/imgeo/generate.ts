/** `POST /generate`: images at once, at a fixed price each. */
import { z } from 'zod'
import { balanceNumber, chargedNumber } from '#dialect-kit/credit-number.ts'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { parseJsonBody } from '#dialect-kit/json-body.ts'
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import { resultsOf } from '#dialect-kit/task-results.ts'
import { webUrl } from '#dialect-kit/web-url.ts'
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { WireAnswer } from '#spec/gateway.ts'
import type { ImageRequest } from '#spec/image.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskView } from '#spec/task.ts'
import { ASPECT_RATIOS, MODES, type Mode, type OfferedModel, offeredModels } from './offer.ts'

const MAX_PROMPT_CHARS = 2_000

const generateBody = z.looseObject({
  model: z.string().min(1).max(200).describe('An id of GET /models'),
  prompt: z
    .string()
    .min(1)
    .refine(fits, `at most ${MAX_PROMPT_CHARS} characters`)
    .meta({ maxLength: MAX_PROMPT_CHARS }),
  negative_prompt: z
    .string()
    .refine(fits, `at most ${MAX_PROMPT_CHARS} characters`)
    .nullish()
    .describe('What to keep out of the image; for models that support it'),
  aspect_ratio: z
    .string()
    .nullish()
    .describe(`Default 1:1. One of ${ASPECT_RATIOS.join(', ')}`),
  count: z.int().nullish().describe('Default 1; the most varies by model'),
  mode: z.string().nullish().describe('text2img (default) or img2img; with an image, img2img'),
  image: webUrl.nullish().describe('The public address of the image to change'),
})
type GenerateBody = z.output<typeof generateBody>

/** Characters as people count them; one may take two units of a string. */
function fits(text: string): boolean {
  return text.length <= MAX_PROMPT_CHARS || [...text].length <= MAX_PROMPT_CHARS
}

const generated = z.object({
  images: z.array(z.string()).describe('Addresses that do not expire'),
  model: z.string(),
  prompt: z.string(),
  aspect_ratio: z.string(),
  mode: z.enum(MODES),
  count: z.int().describe('Images made'),
  credits: z.number().describe('Charged for this call'),
  balance: z.number().describe('Credits left'),
})

/** What the body asks of the model. Throws `invalid_request` naming what is allowed. */
function imageRequest(body: GenerateBody, models: readonly OfferedModel[]): ImageRequest {
  const model = models.find(({ id }) => id === body.model)
  if (model === undefined) throw refused('model', models.map(({ id }) => id).join(', '))
  const mode = modeOf(body, model)
  const aspectRatio = body.aspect_ratio || defaultRatio(model)
  if (!model.aspectRatios.includes(aspectRatio)) {
    throw refused('aspect_ratio', `${model.aspectRatios.join(', ')} with "${model.id}"`)
  }
  const count = body.count ?? 1
  if (count < 1 || count > model.maxCount) throw refused('count', `1 to ${model.maxCount} with "${model.id}"`)
  if (body.negative_prompt && !model.negativePrompt) {
    const able = models.filter(({ negativePrompt }) => negativePrompt).map(({ id }) => id)
    throw new GatewayError(
      'invalid_request',
      `"${model.id}" takes no negative_prompt. These do: ${able.join(', ')}.`,
      { param: 'negative_prompt' },
    )
  }
  return {
    operation: 'image',
    model: model.id,
    action: mode,
    prompt: body.prompt,
    negativePrompt: body.negative_prompt || undefined,
    inputs: body.image ? [{ role: 'image', url: body.image, param: 'image' }] : [],
    count,
    seed: undefined,
    aspectRatio,
    resolution: undefined,
    size: undefined,
    format: undefined,
    options: {},
  }
}

/** The mode that was asked for; an image that is sent without one is there to be changed. */
function modeOf({ mode: asked, image }: GenerateBody, model: OfferedModel): Mode {
  const mode = asked || (image ? 'img2img' : 'text2img')
  const known = model.modes.find(one => one === mode)
  if (known === undefined) throw refused('mode', `${model.modes.join(', ')} with "${model.id}"`)
  if (known === 'img2img' && !image) {
    throw new GatewayError('invalid_request', "Missing required field 'image': img2img changes an image.", {
      param: 'image',
    })
  }
  if (known === 'text2img' && image) {
    throw new GatewayError('invalid_request', "Invalid 'image': text2img takes none. Use the mode img2img.", {
      param: 'image',
    })
  }
  return known
}

function defaultRatio({ aspectRatios }: OfferedModel): string {
  return aspectRatios.includes('1:1') ? '1:1' : (aspectRatios[0] ?? '1:1')
}

function refused(param: string, allowed: string): GatewayError {
  return new GatewayError('invalid_request', `Invalid '${param}'. Allowed: ${allowed}.`, { param })
}

export const generate = endpoint({
  method: 'POST',
  path: '/generate',
  reference: {
    summary: 'Generate images',
    description: 'Answers with the images. A generation that fails is a 500 and costs nothing.',
    tag: 'Simple images',
    body: { schema: generateBody },
    answer: { schema: generated },
    example: {
      body: {
        model: 'black-forest-labs/flux-schnell',
        prompt: 'A cat sitting on a rainbow cloud, digital art',
        aspect_ratio: '1:1',
        count: 1,
      },
    },
  },
  async handle(exchange) {
    const { request, call, gateway, reply } = exchange
    const wire = parseJsonBody(request.body)
    const asked = imageRequest(checkSchema(generateBody, wire), offeredModels(gateway))
    const submission = {
      request: asked,
      family: 'imgeo.generate',
      wire: wire as JsonObject,
      callbackUrl: undefined,
    }
    reply.send(await gateway.submitAndWait(call, submission, task => answerOf(task, exchange)))
  },
})

async function answerOf(task: TaskView, { call, gateway }: EndpointExchange): Promise<WireAnswer> {
  const left = call.billing.availableNanoUsd ?? (await gateway.balance(call)) ?? 0n
  return jsonAnswer(200, {
    ...generationFields(task),
    credits: chargedNumber(task.chargedNanoUsd, gateway.credits),
    balance: balanceNumber(left, gateway.credits),
  })
}

/** What an answer and a callback say of a generation, besides money. */
export function generationFields(task: TaskView) {
  const images = resultsOf(task).map(({ url }) => url)
  const { request, wire } = task
  return {
    images,
    model: task.requestedModel,
    // As it was sent: the request's own may have been extended on its way to a provider.
    prompt: typeof wire.prompt === 'string' ? wire.prompt : request.prompt,
    aspect_ratio: 'aspectRatio' in request ? (request.aspectRatio ?? null) : null,
    mode: request.action ?? null,
    count: images.length,
  }
}
