/**
 * The bodies that the documents show, key by key and type by type. A key that is not named here fails a test; what we
 * add to an original shape is optional and said to be ours.
 */
import { z } from 'zod'
import { count, credits, fileUrl, isoTime, requestId, sentence, taskId, unixSeconds } from './shape-parts.ts'

// Images, videos and shapes in one call.

const succeeded = <Data extends z.ZodRawShape>(data: Data) =>
  z.strictObject({
    success: z.literal(true),
    data: z.strictObject({
      ...data,
      generation_time: count,
      remaining_points: z.int().nonnegative(),
      request_id: requestId,
    }),
  })

export const studioErrorShape = z.strictObject({ success: z.literal(false), error: sentence })

export const imagesShape = succeeded({
  images: z
    .array(
      z.strictObject({
        url: fileUrl,
        content_type: z.string(),
        file_name: z.string(),
        file_size: count,
        width: count,
        height: count,
        aspect_ratio: z.string(),
      }),
    )
    .min(1),
  generation_id: taskId,
})

export const videoShape = succeeded({
  video: z.strictObject({
    url: fileUrl,
    content_type: z.literal('video/mp4'),
    file_name: z.string(),
    file_size: count,
    width: count,
    height: count,
    duration: z.number(),
    resolution: z.string(),
    aspect_ratio: z.string(),
    model: z.string(),
    generation_id: taskId,
  }),
})

export const meshShape = succeeded({
  model: z.strictObject({
    url: fileUrl,
    preview_image: fileUrl,
    content_type: z.literal('model/gltf-binary'),
    file_name: z.string(),
    file_size: count,
    texture_quality: z.string(),
    generation_id: taskId,
  }),
})

export const projectsShape = z.strictObject({
  success: z.literal(true),
  data: z.strictObject({
    projects: z.array(
      z.strictObject({
        id: taskId,
        type: z.enum(['image', 'video', '3d', 'audio']),
        prompt: z.string(),
        created_at: isoTime,
        url: fileUrl,
        thumbnail: fileUrl.nullable(),
        metadata: z.strictObject({
          aspect_ratio: z.string().optional(),
          file_size: count,
          dimensions: z
            .string()
            .regex(/^\d+x\d+$/)
            .optional(),
          duration: z.number().optional(),
          // Ours: of several files in one generation.
          count: z.int().optional(),
        }),
        urls: z.array(fileUrl).optional(),
      }),
    ),
    pagination: z.strictObject({
      page: count,
      limit: count,
      total: z.int().nonnegative(),
      pages: z.int().nonnegative(),
      has_more: z.boolean(),
    }),
  }),
})

// Tasks with a numeric status.

export const taskCreatedShape = z.strictObject({
  code: z.literal(200),
  msg: z.literal('提交成功,等待生成'),
  data: z.strictObject({ task_id: taskId, request_id: requestId, credits: z.number().positive() }),
})

export const taskShape = z.strictObject({
  code: z.literal(200),
  msg: z.literal('ok'),
  data: z.strictObject({
    task_id: taskId,
    task_status: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]),
    task_type: z.enum(['image', 'video', 'audio']),
    model_id: z.string(),
    image_url: fileUrl.nullable(),
    video_url: fileUrl.nullable(),
    audio_url: fileUrl.nullable(),
    credits,
    created_at: unixSeconds,
    // Ours: why a task failed.
    error: sentence.optional(),
  }),
})

export const taskErrorShape = z.strictObject({ code: z.literal(0), msg: sentence, data: z.null() })

// Fourteen image models.

export const imgeoShape = z.strictObject({
  images: z.array(fileUrl).min(1),
  model: z.string(),
  prompt: z.string(),
  aspect_ratio: z.string(),
  mode: z.enum(['text2img', 'img2img']),
  count,
  credits,
  balance: credits,
})

export const imgeoModelsShape = z.array(
  z.strictObject({
    id: z.string(),
    name: sentence,
    credits,
    modes: z.array(z.enum(['text2img', 'img2img'])).min(1),
    aspect_ratios: z.array(z.string()).min(1),
    max_count: count,
    negative_prompt: z.boolean(),
  }),
)

export const balanceShape = z.strictObject({ balance: credits, credits })
export const imgeoErrorShape = z.strictObject({ error: sentence })

// Our own pages.

export const generationShape = z.strictObject({
  object: z.literal('generation'),
  id: taskId,
  state: z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired']),
  stage: z.enum(['text', 'first']).nullable(),
  progress: z.number().min(0).max(1).nullable(),
  mode: z.enum(['live', 'test']),
  operation: z.string(),
  action: z.string(),
  requested_model: z.string(),
  model: z.string(),
  provider: z.string().nullable(),
  dialect: z.string(),
  prompt: z.string(),
  credits_held: credits,
  credits_charged: credits,
  artifacts: z.array(
    z.strictObject({
      kind: z.enum(['image', 'video', 'audio', 'mesh', 'text']),
      role: z.enum(['result', 'cover']),
      index: z.int().nonnegative(),
      url: fileUrl,
      thumbnail_url: fileUrl.nullable(),
      content_type: z.string(),
      file_name: z.string(),
      size_bytes: count,
      width: count.nullable(),
      height: count.nullable(),
      duration_ms: z.number().nullable(),
      metadata: z.looseObject({}),
    }),
  ),
  result: z.unknown(),
  error: z.strictObject({ code: sentence, message: sentence }).nullable(),
  created_at: isoTime,
  started_at: isoTime.nullable(),
  ended_at: isoTime.nullable(),
})

export const generationsShape = z.strictObject({
  object: z.literal('list'),
  data: z.array(generationShape),
  total: z.int(),
  limit: z.int(),
  offset: z.int(),
  has_more: z.boolean(),
})
