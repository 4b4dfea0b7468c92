/** `POST /3d`: a shape from one image. */
import { z } from 'zod'
import { pictureUrlOf, resultsOf } from '#dialect-kit/task-results.ts'
import { webUrl } from '#dialect-kit/web-url.ts'
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { MediaInput } from '#spec/media.ts'
import type { TaskView } from '#spec/task.ts'
import { cheapestMeshModel } from './cheapest-mesh-model.ts'
import { fileNameOf } from './file-names.ts'
import { generationEndpoint } from './studio-endpoint.ts'

/** The image may come in the body. */
const BODY_LIMIT_BYTES = 48_000_000

const shapeBody = z.looseObject({
  image_url: webUrl.nullish().describe('The public address of the image'),
  image_base64: z
    .string()
    .nullish()
    .describe('The image itself, in base64 or as a data URI; instead of image_url'),
  texture_quality: z.enum(['no', 'standard']).nullish().describe('Default standard'),
  texture_alignment: z.enum(['original_image']).nullish().describe('Default original_image'),
  orientation: z.enum(['default']).nullish().describe('Default default'),
  model: z.string().min(1).max(200).nullish().describe('Default: the cheapest that makes shapes of an image'),
})
type ShapeBody = z.output<typeof shapeBody>

const shapeObject = z.object({
  url: z.string(),
  preview_image: z.string().nullable(),
  content_type: z.string(),
  file_name: z.string(),
  file_size: z.int().describe('Bytes'),
  texture_quality: z.string(),
  generation_id: z.string(),
})

export const createShape = generationEndpoint({
  path: '/3d',
  bodyLimitBytes: BODY_LIMIT_BYTES,
  summary: 'Turn an image into a 3D model',
  description: 'Send exactly one of image_url and image_base64. Answers with a GLB file and a picture of it.',
  body: shapeBody,
  data: { model: shapeObject },
  example: {
    image_url: 'https://example.com/object.jpg',
    texture_quality: 'standard',
    texture_alignment: 'original_image',
    orientation: 'default',
  },
  wireOf: body => ({ ...(body as JsonObject), ...(body.image_base64 && { image_base64: dataUriOf(body) }) }),
  request(body, exchange) {
    const { texture_alignment: alignment, orientation } = body
    return {
      operation: 'mesh',
      model: body.model ?? defaultModel(exchange),
      action: 'image2_3d',
      prompt: '',
      negativePrompt: undefined,
      inputs: [imageOf(body)],
      count: 1,
      seed: undefined,
      textureQuality: body.texture_quality ?? 'standard',
      options: {
        ...(alignment && { texture_alignment: alignment }),
        ...(orientation && { orientation }),
      },
    }
  },
  render: shapeData,
})

/** The one image. Throws `invalid_request` where there is none, or more than one. */
function imageOf(body: ShapeBody): MediaInput {
  const { image_url: url, image_base64: base64 } = body
  if (url && base64) {
    throw new GatewayError('invalid_request', "Send either 'image_url' or 'image_base64', not both.", {
      param: 'image_base64',
    })
  }
  if (url) return { role: 'image', url, param: 'image_url' }
  if (base64) return { role: 'image', url: dataUriOf(body), param: 'image_base64' }
  throw new GatewayError('invalid_request', "Missing required field: send 'image_url' or 'image_base64'.", {
    param: 'image_url',
  })
}

/** What the bytes are is read from themselves, so the type that is written here is none. */
function dataUriOf({ image_base64: base64 }: ShapeBody): string {
  const text = base64 ?? ''
  return text.startsWith('data:') ? text : `data:application/octet-stream;base64,${text}`
}

function defaultModel({ gateway, call }: EndpointExchange): string {
  const id = cheapestMeshModel(gateway.models(call))
  if (id !== undefined) return id
  throw new GatewayError(
    'model_not_allowed',
    'This API key may use no model that makes shapes of an image.',
    {
      param: 'model',
    },
  )
}

/** `data` of an answer about a shape. */
export function shapeData(task: TaskView): JsonObject {
  const { request } = task
  const [shape] = resultsOf(task, 'mesh')
  if (shape === undefined) throw new Error('a shape that succeeded has no file')
  const id = renderTaskId(task.id)
  return {
    model: {
      url: shape.url,
      preview_image: pictureUrlOf(task, shape) ?? null,
      content_type: shape.contentType,
      file_name: fileNameOf(`3d-model-${id}`, shape),
      file_size: shape.sizeBytes,
      texture_quality: (request.operation === 'mesh' ? request.textureQuality : undefined) ?? 'standard',
      generation_id: id,
    },
  }
}
