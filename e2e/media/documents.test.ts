/** The calls of the documents as they are printed, by curl and by JavaScript, with the host and the key replaced. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { stopSound } from '../openai-js/clients.ts'
import type { TollgateServer } from '../server.ts'
import { curl, shell } from './curl.ts'
import { createdShape, sunoRecordShape, veoRecordShape } from './kie-shapes.ts'
import { startQuickServer, until } from './media-server.ts'
import {
  balanceShape,
  imagesShape,
  imgeoModelsShape,
  imgeoShape,
  meshShape,
  projectsShape,
  taskCreatedShape,
  taskShape,
  videoShape,
} from './shapes.ts'
import './patience.ts'

let server: TollgateServer
beforeAll(async () => {
  server = await startQuickServer()
})
afterAll(() => stopSound(server))

/** A document's text for this server. */
function here(text: string): string {
  return text
    .replaceAll(/https:\/\/(aimarcusimage\.eu|yourdomain\.com|your-site\.com|www\.imgeo\.club)/g, server.url)
    .replaceAll(
      /sk-aig-\.\.\.|YOUR_API_KEY|your_api_key_here|imgeo_sk_YOUR_KEY|sk-x{32}/g,
      () => server.testKey,
    )
}

const answerTo = (command: string) => curl(here(command))

async function shapeOf<Shape extends z.ZodType>(shape: Shape, command: string): Promise<z.infer<Shape>> {
  const answer = await answerTo(command)
  expect(answer.status, answer.text).toBe(200)
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
  return answer.as(shape)
}

describe('the API documentation with kie.ai’s paths', () => {
  test('makes an image', async () => {
    await shapeOf(
      createdShape,
      `curl https://aimarcusimage.eu/api/v1/flux/kontext/generate \\
-H "Authorization: Bearer sk-aig-..." \\
-H "Content-Type: application/json" \\
-d '{
"prompt": "A red fox sitting in snow, golden hour",
"model": "flux-kontext-pro",
"aspectRatio": "16:9",
"outputFormat": "png"
}'`,
    )
  })

  test('makes a video, and tells of the task', async () => {
    const { data } = await shapeOf(
      createdShape,
      `curl https://aimarcusimage.eu/api/v1/veo/generate \\
-H "Authorization: Bearer sk-aig-..." \\
-H "Content-Type: application/json" \\
-d '{
"prompt": "A golden retriever running through autumn leaves",
"model": "veo3_fast",
"aspectRatio": "16:9"
}'`,
    )
    const status = `curl https://aimarcusimage.eu/api/v1/veo/record-info?taskId=YOUR_TASK_ID \\
-H "Authorization: Bearer sk-aig-..."`
    const record = await until(
      () => shapeOf(veoRecordShape, status.replace('YOUR_TASK_ID', data.taskId)),
      ({ data: { successFlag } }) => successFlag !== 0,
    )
    expect(record.data).toMatchObject({
      successFlag: 1,
      taskId: data.taskId,
      response: { resultUrls: [expect.any(String)] },
    })
  })

  test('makes a song, and says what it took and what is left', async () => {
    const answer = await answerTo(`curl https://aimarcusimage.eu/api/v1/generate \\
-H "Authorization: Bearer sk-aig-..." \\
-H "Content-Type: application/json" \\
-d '{
"prompt": "upbeat synthwave, driving bass, retro vibes",
"customMode": false,
"instrumental": false,
"model": "V4_5"
}'`)
    expect(Number(answer.headers.get('x-ai-credits-charged'))).toBeGreaterThan(0)
    expect(Number(answer.headers.get('x-ai-credits-balance'))).toBeLessThan(100_000)
    const { taskId } = answer.as(createdShape).data
    const status = `curl https://aimarcusimage.eu/api/v1/generate/record-info?taskId=${taskId} \\
-H "Authorization: Bearer sk-aig-..."`
    const record = await until(
      () => shapeOf(sunoRecordShape, status),
      ({ data }) => data.status === 'SUCCESS',
    )
    expect(record.data.response?.sunoData).toHaveLength(2)
  })
})

describe('the API of images, videos and 3D', () => {
  test('makes the eagle of the page', async () => {
    const { data } = await shapeOf(
      imagesShape,
      `curl -X POST "https://yourdomain.com/api/v1/images" \\
-H "Authorization: Bearer YOUR_API_KEY" \\
-H "Content-Type: application/json" \\
-d '{
"prompt": "A majestic eagle soaring over mountains at sunset",
"aspect_ratio": "16:9",
"output_format": "webp"
}'`,
    )
    expect(data.images).toMatchObject([{ content_type: 'image/webp', aspect_ratio: '16:9' }])
  })

  test('runs the JavaScript of the page as it is printed', async () => {
    const script = here(`const API_KEY = 'your_api_key_here';
const BASE_URL = 'https://yourdomain.com';
async function generateImage() {
const response = await fetch(\`\${BASE_URL}/api/v1/images\`, {
method: 'POST',
headers: {
'Authorization': \`Bearer \${API_KEY}\`,
'Content-Type': 'application/json'
},
body: JSON.stringify({
prompt: 'A futuristic cityscape with flying cars',
aspect_ratio: '16:9',
num_images: 1
})
});
const data = await response.json();
if (data.success) {
console.log('Image URL:', data.data.images[0].url);
} else {
console.error('Error:', data.error);
}
}
generateImage();`)
    const folder = await mkdtemp(join(tmpdir(), 'tollgate-document-'))
    try {
      await writeFile(join(folder, 'example.mjs'), script)
      const printed = await shell(`"${process.execPath}" example.mjs`, {}, folder)
      expect(printed).toMatch(/^Image URL: http:\/\/127\.0\.0\.1:\d+\/files\/\S+\.png\n$/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('makes the video, the shape and the list of its request examples', async () => {
    const post = (path: string, body: string) =>
      `curl -X POST "https://yourdomain.com/api/v1/${path}" -H "Authorization: Bearer YOUR_API_KEY" \\
-H "Content-Type: application/json" -d '${body}'`
    const { data } = await shapeOf(
      videoShape,
      post(
        'videos',
        `{
"prompt": "A spaceship flying through a colorful nebula with stars in background",
"model": "vidu-q2",
"duration": 4,
"resolution": "720p",
"aspect_ratio": "16:9"
}`,
      ),
    )
    expect(data.video).toMatchObject({ width: 1280, height: 720, duration: 4, model: 'vidu-q2' })
    await shapeOf(
      meshShape,
      post(
        '3d',
        `{
"image_url": "https://example.com/object.jpg",
"texture_quality": "standard",
"texture_alignment": "original_image",
"orientation": "default"
}`,
      ),
    )
    const list = await shapeOf(
      projectsShape,
      `curl "https://yourdomain.com/api/v1/projects?type=images&page=1&limit=10&sort=createdAt&order=desc" \\
-H "Authorization: Bearer YOUR_API_KEY"`,
    )
    expect(list.data.projects.every(({ type }) => type === 'image')).toBe(true)
    expect(list.data.pagination).toMatchObject({ page: 1, limit: 10 })
  })
})

test('the open API creates a task and answers for it until it is done', async () => {
  const create = `curl -X POST https://your-site.com/api/v1/tasks/create \\
-H "Authorization: Bearer sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \\
-H "Content-Type: application/json" \\
-d '{
"model_id": "gpt-image-2",
"prompt": "a serene zen garden at sunrise",
"aspect_ratio": "16:9"
}'`
  const { data } = await shapeOf(taskCreatedShape, create)
  const query = `curl https://your-site.com/api/v1/tasks/abcdef123456 \\
-H "Authorization: Bearer sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"`
  const task = await until(
    () => shapeOf(taskShape, query.replace('abcdef123456', data.task_id)),
    ({ data: { task_status } }) => task_status >= 3,
  )
  expect(task.data).toMatchObject({
    task_status: 3,
    task_type: 'image',
    model_id: 'gpt-image-2',
    credits: data.credits,
  })
})

test('the API of fourteen image models makes an image, lists its models and tells the balance', async () => {
  const made = await shapeOf(
    imgeoShape,
    `curl -X POST https://www.imgeo.club/api/v1/generate \\
-H "Authorization: Bearer imgeo_sk_YOUR_KEY" \\
-H "Content-Type: application/json" \\
-d '{"model":"black-forest-labs/flux-schnell","prompt":"A cat sitting on a rainbow cloud, digital art","aspect_ratio":"1:1","count":1}'`,
  )
  expect(made).toMatchObject({ credits: 1, count: 1, images: [expect.any(String)] })
  expect(await shapeOf(imgeoModelsShape, 'curl https://www.imgeo.club/api/v1/models')).toHaveLength(14)
  const { balance } = await shapeOf(
    balanceShape,
    'curl https://www.imgeo.club/api/v1/balance -H "Authorization: Bearer imgeo_sk_YOUR_KEY"',
  )
  expect(balance).toBe(made.balance)
})
