/** `POST /images`. */
import { z } from 'zod'
import { resultsOf } from '#dialect-kit/task-results.ts'
import { renderTaskId } from '#spec/ids.ts'
import { IMAGE_FORMATS } from '#spec/image.ts'
import type { JsonObject } from '#spec/json.ts'
import type { Artifact, TaskView } from '#spec/task.ts'
import { ratioFor } from './defaults.ts'
import { fileNameOf } from './file-names.ts'
import { generationEndpoint } from './studio-endpoint.ts'

const DEFAULT_MODEL = 'nano-banana'
const DEFAULT_RATIO = '1:1'

const imageObject = z.object({
  url: z.string(),
  content_type: z.string(),
  file_name: z.string(),
  file_size: z.int().describe('Bytes'),
  width: z.int().nullable(),
  height: z.int().nullable(),
  aspect_ratio: z.string().nullable(),
})

export const createImages = generationEndpoint({
  path: '/images',
  summary: 'Generate images from text',
  description: 'Answers with the images once they are made. A generation that fails costs nothing.',
  body: z.looseObject({
    prompt: z.string().min(1).describe('What to draw'),
    aspect_ratio: z.string().max(20).nullish().describe('Default 1:1'),
    output_format: z.enum(IMAGE_FORMATS).nullish().describe('Default png'),
    num_images: z.int().min(1).max(4).nullish().describe('Default 1'),
    model: z.string().min(1).max(200).nullish().describe(`Default ${DEFAULT_MODEL}`),
  }),
  data: { images: z.array(imageObject), generation_id: z.string() },
  example: {
    prompt: 'A beautiful sunset over mountains with reflection in a lake',
    aspect_ratio: '16:9',
    output_format: 'webp',
    num_images: 2,
  },
  request(body, { gateway, call }) {
    const name = body.model ?? DEFAULT_MODEL
    return {
      operation: 'image',
      model: name,
      action: undefined,
      prompt: body.prompt,
      negativePrompt: undefined,
      inputs: [],
      count: body.num_images ?? 1,
      seed: undefined,
      aspectRatio: ratioFor(gateway.model(call, name), body.aspect_ratio, DEFAULT_RATIO),
      resolution: undefined,
      size: undefined,
      format: body.output_format ?? 'png',
      options: {},
    }
  },
  render: imagesData,
})

/** `data` of an answer about images. */
export function imagesData(task: TaskView): JsonObject {
  const id = renderTaskId(task.id)
  const ratio = 'aspectRatio' in task.request ? task.request.aspectRatio : undefined
  return {
    images: resultsOf(task, 'image').map((image, index) => ({
      url: image.url,
      content_type: image.contentType,
      file_name: fileNameOf(`generated-image-${id}-${index + 1}`, image),
      file_size: image.sizeBytes,
      width: image.widthPx ?? null,
      height: image.heightPx ?? null,
      aspect_ratio: ratio ?? ratioOf(image) ?? null,
    })),
    generation_id: id,
  }
}

/** Where no ratio was asked for: the file's own, in its lowest terms. */
function ratioOf({ widthPx, heightPx }: Artifact): string | undefined {
  if (widthPx === undefined || heightPx === undefined) return undefined
  const divisor = greatestCommonDivisor(widthPx, heightPx)
  return `${widthPx / divisor}:${heightPx / divisor}`
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other)
}
