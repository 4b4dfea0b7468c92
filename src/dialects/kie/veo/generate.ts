/** Veo: `veo/generate`, `veo/extend` and the record-info that serves every task of the family. */
import { z } from 'zod'
import { GatewayError } from '#spec/errors.ts'
import type { InputRole } from '#spec/media.ts'
import type { TaskView } from '#spec/task.ts'
import { callBackUrl, ENVELOPE_FIELDS } from '../body.ts'
import { actionOf } from '../choose-action.ts'
import { ClientFields, invalidField } from '../client-fields.ts'
import { createEndpoint, EXAMPLE_TASK_ID } from '../endpoints.ts'
import { videoRequest } from '../media-operation.ts'
import { finishedParent, PARENT_MESSAGES } from '../parent-task.ts'

const TAG = 'Veo'
export const VEO_FAMILY = 'veo.generate'
export const VEO_EXTEND_FAMILY = 'veo.extend'
/** Tasks that no longer take an extension. */
export const VEO_UPSCALED_FAMILIES: readonly string[] = ['veo.1080p', 'veo.4k']

const ratio = z.enum(['16:9', '9:16', 'Auto', 'auto'])

const body = z.looseObject({
  prompt: z.string().min(1).max(20_000),
  imageUrls: z.array(z.string()).max(3).nullish().describe('One: start. Two: first and last frame'),
  model: z.enum(['veo3', 'veo3_fast', 'veo3_lite']).nullish().describe('Default: veo3_fast'),
  generationType: z.enum(['TEXT_2_VIDEO', 'FIRST_AND_LAST_FRAMES_2_VIDEO', 'REFERENCE_2_VIDEO']).nullish(),
  aspect_ratio: ratio.nullish().describe('Default: 16:9'),
  aspectRatio: ratio.nullish().describe('An older name of aspect_ratio'),
  resolution: z.enum(['720p', '1080p', '4k']).nullish(),
  duration: z.union([z.literal([4, 6, 8]), z.enum(['4', '6', '8'])]).nullish(),
  seeds: z.int().min(10_000).max(99_999).nullish(),
  enableFallback: z.boolean().nullish(),
  enableTranslation: z.boolean().nullish(),
  watermark: z.string().nullish(),
  callBackUrl,
})

type GenerationType = NonNullable<z.infer<typeof body>['generationType']>

/** By kind: the roles of its pictures, in order, and the actions that say it, the most exact first. */
const KINDS: Record<
  GenerationType,
  { readonly roles: readonly InputRole[]; readonly actions: readonly string[] }
> = {
  TEXT_2_VIDEO: { roles: [], actions: ['text2video'] },
  FIRST_AND_LAST_FRAMES_2_VIDEO: {
    roles: ['first_frame', 'last_frame'],
    actions: ['first_last_frame2video', 'image2video'],
  },
  REFERENCE_2_VIDEO: {
    roles: ['reference_image', 'reference_image', 'reference_image'],
    actions: ['reference2video', 'image2video'],
  },
}
const ONE_PICTURE = { roles: ['image'], actions: ['image2video'] } as const

export const veoGenerate = createEndpoint({
  path: '/veo/generate',
  tag: TAG,
  summary: 'Make a video with Veo',
  body,
  example: {
    prompt: 'A golden retriever running through autumn leaves',
    model: 'veo3_fast',
    aspectRatio: '16:9',
  },
  create(given, exchange) {
    const model = given.model ?? 'veo3_fast'
    const urls = given.imageUrls ?? []
    const type = typeOf(given.generationType ?? undefined, urls.length)
    const kind = urls.length === 1 && type !== 'REFERENCE_2_VIDEO' ? ONE_PICTURE : KINDS[type]
    const fields = new ClientFields(given)
    const inputs = kind.roles
      .slice(0, urls.length)
      .flatMap((role, index) => fields.urls(role, 'imageUrls').slice(index, index + 1))
    fields.drop(...ENVELOPE_FIELDS, 'imageUrls')
    if (fields.has('aspect_ratio')) fields.drop('aspectRatio')
    const request = videoRequest(fields, { model, action: actionOf(exchange, model, kind.actions), inputs })
    return { family: VEO_FAMILY, request: { ...request, aspectRatio: request.aspectRatio ?? '16:9' } }
  },
})

/** The kind that was named, else the one that the number of pictures means. Throws where the two disagree. */
function typeOf(named: GenerationType | undefined, pictures: number): GenerationType {
  const meant =
    named ??
    (['TEXT_2_VIDEO', 'FIRST_AND_LAST_FRAMES_2_VIDEO', 'FIRST_AND_LAST_FRAMES_2_VIDEO'] as const)[pictures] ??
    'REFERENCE_2_VIDEO'
  const most = KINDS[meant].roles.length
  if (meant !== 'TEXT_2_VIDEO' && pictures === 0) throw invalidField('imageUrls', `pictures for ${meant}`)
  if (pictures > most) throw invalidField('imageUrls', `at most ${most} pictures for ${meant}`)
  return meant
}

/** The models that extend, by the words of this call: they are not those of `veo/generate`. */
const EXTEND_MODELS = {
  fast: 'veo-3.1-fast-extend-video',
  quality: 'veo-3.1-extend-video',
  lite: 'veo-3.1-fast-extend-video',
} as const

const extendBody = z.looseObject({
  taskId: z.string().min(1).describe('A finished Veo task that was not upgraded'),
  prompt: z.string().min(1).max(20_000),
  seeds: z.int().min(10_000).max(99_999).nullish(),
  model: z.enum(['fast', 'quality', 'lite']).nullish().describe('Default: fast'),
  watermark: z.string().nullish(),
  callBackUrl,
})

export const veoExtend = createEndpoint({
  path: '/veo/extend',
  tag: TAG,
  summary: 'Go on from a Veo video',
  body: extendBody,
  example: { taskId: EXAMPLE_TASK_ID, prompt: 'The dog continues running through the park', model: 'fast' },
  async create(given, exchange) {
    const parent = await finishedParent(exchange, given.taskId, { operations: ['video'] })
    refuseUpscaled(parent)
    const fields = new ClientFields(given)
    fields.drop(...ENVELOPE_FIELDS, 'taskId')
    const tier = given.model ?? 'fast'
    const request = videoRequest(fields, {
      model: EXTEND_MODELS[tier],
      action: 'extend_video',
      parentTask: parent.id,
    })
    return {
      family: VEO_EXTEND_FAMILY,
      request: { ...request, options: { ...request.options, model: tier } },
    }
  },
})

function refuseUpscaled({ family }: TaskView): void {
  if (!VEO_UPSCALED_FAMILIES.includes(family)) return
  throw new GatewayError('task_state_conflict', PARENT_MESSAGES.unfit, { param: 'taskId' })
}
