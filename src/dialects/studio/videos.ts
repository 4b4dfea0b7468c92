/** `POST /videos`. */
import { z } from 'zod'
import { resultsOf } from '#dialect-kit/task-results.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { TaskView } from '#spec/task.ts'
import { ratioFor, resolutionFor, secondsFor } from './defaults.ts'
import { fileNameOf } from './file-names.ts'
import { generationEndpoint } from './studio-endpoint.ts'

const DEFAULT_MODEL = 'vidu-q2'
const DEFAULT_SECONDS = 4
const DEFAULT_RESOLUTION = '720p'
const DEFAULT_RATIO = '16:9'

const videoObject = z.object({
  url: z.string(),
  content_type: z.string(),
  file_name: z.string(),
  file_size: z.int().describe('Bytes'),
  width: z.int().nullable(),
  height: z.int().nullable(),
  duration: z.number().nullable().describe('Seconds'),
  resolution: z.string().nullable(),
  aspect_ratio: z.string().nullable(),
  model: z.string(),
  generation_id: z.string(),
})

export const createVideo = generationEndpoint({
  path: '/videos',
  summary: 'Generate a video from text',
  description:
    'Answers with the video once it is made, which takes up to minutes. What is left out is the default below where the model takes it, else the model’s smallest.',
  body: z.looseObject({
    prompt: z.string().min(1).describe('What to film'),
    model: z.string().min(1).max(200).nullish().describe(`vidu-q2 (default), ltx-2 or another video model`),
    duration: z.number().positive().nullish().describe(`Seconds; default ${DEFAULT_SECONDS}`),
    resolution: z.string().max(20).nullish().describe(`Default ${DEFAULT_RESOLUTION}`),
    aspect_ratio: z.string().max(20).nullish().describe(`Default ${DEFAULT_RATIO}`),
  }),
  data: { video: videoObject },
  example: {
    prompt: 'A spaceship flying through a colorful nebula with stars in background',
    model: 'vidu-q2',
    duration: 4,
    resolution: '720p',
    aspect_ratio: '16:9',
  },
  request(body, { gateway, call }) {
    const name = body.model ?? DEFAULT_MODEL
    const model = gateway.model(call, name)
    return {
      operation: 'video',
      model: name,
      action: undefined,
      prompt: body.prompt,
      negativePrompt: undefined,
      inputs: [],
      count: 1,
      seed: undefined,
      aspectRatio: ratioFor(model, body.aspect_ratio, DEFAULT_RATIO),
      resolution: resolutionFor(model, body.resolution, DEFAULT_RESOLUTION),
      durationSeconds: secondsFor(model, body.duration, DEFAULT_SECONDS),
      audio: undefined,
      parentTask: undefined,
      options: {},
    }
  },
  render: videoData,
})

/** `data` of an answer about a video. */
export function videoData(task: TaskView): JsonObject {
  const { request } = task
  const [video] = resultsOf(task, 'video')
  if (video === undefined) throw new Error('a video that succeeded has no file')
  const asked = request.operation === 'video' ? request : undefined
  const id = renderTaskId(task.id)
  const seconds = video.durationMs === undefined ? asked?.durationSeconds : video.durationMs / 1000
  return {
    video: {
      url: video.url,
      content_type: video.contentType,
      file_name: fileNameOf(`generated-video-${id}`, video),
      file_size: video.sizeBytes,
      width: video.widthPx ?? null,
      height: video.heightPx ?? null,
      duration: seconds ?? null,
      resolution: asked?.resolution ?? null,
      aspect_ratio: asked?.aspectRatio ?? null,
      model: task.requestedModel,
      generation_id: id,
    },
  }
}
