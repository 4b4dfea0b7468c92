/** Midjourney: `mj/generate`, four pictures or up to four clips. kie has taken its pages down; clients go on. */
import { z } from 'zod'
import type { InputRole, MediaInput } from '#spec/media.ts'
import type { MediaOperation } from '#spec/operation.ts'
import { callBackUrl, ENVELOPE_FIELDS } from '../body.ts'
import { ClientFields, invalidField } from '../client-fields.ts'
import { createEndpoint } from '../endpoints.ts'
import { imageRequest, videoRequest } from '../media-operation.ts'

export const MIDJOURNEY_TAG = 'Midjourney'
export const MIDJOURNEY_FAMILY = 'mj.generate'
export const MAX_PROMPT_CHARS = 2_000

const VERSIONS = ['7', '6.1', '6', '5.2', '5.1', 'niji6'] as const
const NUMBERED_VERSIONS = [7, 6.1, 6, 5.2, 5.1]
const RATIOS = ['1:2', '9:16', '2:3', '3:4', '5:6', '6:5', '4:3', '3:2', '1:1', '16:9', '2:1'] as const

interface TaskType {
  readonly operation: 'image' | 'video'
  readonly model: string
  readonly action: string
  /** Of its pictures; absent: it works from words, and pictures that came along count for nothing, as in kie's sample. */
  readonly role?: InputRole
  /** Fields that kie reads for this type alone. */
  readonly own: readonly string[]
}

const ofImages = { operation: 'image', model: 'midjourney' } as const
const ofVideos = { operation: 'video', action: 'image2video', role: 'image' } as const
const VIDEO_FIELDS = ['videoBatchSize', 'motion'] as const

/** What each type asks of which model of the catalogue. */
const TASK_TYPES = {
  mj_txt2img: { ...ofImages, action: 'text2img', own: ['speed'] },
  mj_img2img: { ...ofImages, action: 'img2img', role: 'image', own: ['speed'] },
  mj_style_reference: { ...ofImages, action: 'style_reference', role: 'reference_image', own: ['speed'] },
  mj_omni_reference: { ...ofImages, action: 'omni_reference', role: 'reference_image', own: ['ow'] },
  mj_video: { ...ofVideos, model: 'midjourney-video', own: VIDEO_FIELDS },
  mj_video_hd: { ...ofVideos, model: 'midjourney-video-hd', own: VIDEO_FIELDS },
} as const satisfies Readonly<Record<string, TaskType>>

const OWN_FIELDS = ['speed', 'ow', ...VIDEO_FIELDS]

const body = z.looseObject({
  taskType: z.enum(Object.keys(TASK_TYPES) as [keyof typeof TASK_TYPES]).describe('What is made of what'),
  prompt: z.string().min(1).max(MAX_PROMPT_CHARS),
  fileUrls: z.array(z.string()).nullish().describe('Pictures; one for a video. Ignored by mj_txt2img'),
  fileUrl: z.string().nullish().describe('An older name for one picture'),
  aspectRatio: z.enum(RATIOS).nullish(),
  speed: z.enum(['relaxed', 'fast', 'turbo']).nullish().describe('Not of videos and omni references'),
  version: z.union([z.enum(VERSIONS), z.literal(NUMBERED_VERSIONS)]).nullish(),
  variety: z.int().min(0).max(100).nullish(),
  stylization: z.int().min(0).max(1_000).nullish(),
  weirdness: z.int().min(0).max(3_000).nullish(),
  ow: z.int().min(1).max(1_000).nullish().describe('How strong an omni reference is'),
  videoBatchSize: z.literal([1, 2, 4]).nullish().describe('How many videos; default: 1'),
  motion: z.enum(['high', 'low']).nullish().describe('Of videos; default: high'),
  waterMark: z.string().nullish(),
  enableTranslation: z.boolean().nullish(),
  callBackUrl,
})

export const midjourneyGenerate = createEndpoint({
  path: '/mj/generate',
  tag: MIDJOURNEY_TAG,
  summary: 'Make four images, or videos, with Midjourney',
  description: 'Pictures come four at a time, whatever the type; videos as many as `videoBatchSize` says.',
  body,
  example: {
    taskType: 'mj_txt2img',
    prompt: 'A majestic mountain landscape at sunset with snow-capped peaks',
    speed: 'relaxed',
    aspectRatio: '16:9',
    version: '7',
  },
  create: given => ({ family: MIDJOURNEY_FAMILY, request: requestOf(given) }),
})

function requestOf(given: z.output<typeof body>): MediaOperation {
  const type: TaskType = TASK_TYPES[given.taskType]
  const fields = new ClientFields(given)
  const inputs = picturesOf(fields, given, type)
  fields.drop(...ENVELOPE_FIELDS, 'taskType', 'fileUrl', 'fileUrls')
  fields.drop(...OWN_FIELDS.filter(name => !type.own.includes(name)))
  if (!fields.has('waterMark')) fields.drop('waterMark')
  const asked = { model: type.model, action: type.action, inputs }
  const version = given.version == null ? {} : { version: String(given.version) }
  if (type.operation === 'image') {
    const request = imageRequest(fields, asked)
    return { ...request, options: { ...request.options, ...version } }
  }
  const request = videoRequest(fields, asked)
  // kie requires a motion of videos, and names this one as its default.
  const options = { ...request.options, ...version, motion: given.motion ?? 'high' }
  return { ...request, count: given.videoBatchSize ?? 1, options }
}

function picturesOf(
  fields: ClientFields,
  { taskType, fileUrls }: z.output<typeof body>,
  { role, operation }: TaskType,
): readonly MediaInput[] {
  if (role === undefined) return []
  const pictures = fields.urls(role, fileUrls?.length ? 'fileUrls' : 'fileUrl')
  if (pictures.length === 0) throw invalidField('fileUrls', `a picture for ${taskType}`)
  if (operation === 'video' && pictures.length > 1)
    throw invalidField('fileUrls', `one picture for ${taskType}`)
  return pictures
}
