/** Images, jobs and videos, as their pages show them. */
import type { TaskView } from '#spec/task.ts'
import { type Exchange, found } from './exchange.fixture.ts'
import { artifact, PARENT, PARENT_ID, TASK_ID, task, VIDEO_REQUEST } from './test-script.ts'

const failure = { code: 'content_rejected', message: 'Your prompt was flagged.', beforeStart: false } as const
const clip = [
  artifact('video', 0, { widthPx: 1920, heightPx: 1080 }),
  artifact('image', 0, { role: 'cover' }),
]
const image = (parts: Partial<TaskView>) =>
  task({ family: 'flux.kontext', artifacts: [artifact('image', 0)], ...parts })

export const FLUX_AND_4O: readonly Exchange[] = [
  {
    name: 'flux-generate',
    page: 'flux-kontext-api/generate-or-edit-image',
    request: 'POST /flux/kontext/generate',
    body: {
      prompt: 'A serene mountain landscape at sunset with a lake reflecting the orange sky',
      enableTranslation: true,
      aspectRatio: '16:9',
      outputFormat: 'jpeg',
      promptUpsampling: false,
      model: 'flux-kontext-pro',
      safetyTolerance: 2,
    },
  },
  {
    name: 'flux-record',
    page: 'flux-kontext-api/get-image-details',
    request: `GET /flux/kontext/record-info?taskId=${TASK_ID}`,
    script: found(image({ state: 'succeeded' })),
  },
  {
    name: 'flux-record-failed',
    page: 'flux-kontext-api/get-image-details',
    request: `GET /flux/kontext/record-info?taskId=${TASK_ID}`,
    script: found(image({ state: 'failed', failure, artifacts: [] })),
  },
  {
    name: 'gpt4o-record',
    page: '4o-image-api/get-4-o-image-details',
    request: `GET /gpt4o-image/record-info?taskId=${TASK_ID}`,
    script: found(image({ state: 'succeeded', family: 'gpt4o.image' })),
  },
  {
    name: 'gpt4o-record-running',
    page: '4o-image-api/quickstart',
    request: `GET /gpt4o-image/record-info?taskId=${TASK_ID}`,
    script: found(image({ state: 'running', family: 'gpt4o.image', progress: 0.5, artifacts: [] })),
  },
]

const nano = { prompt: 'A surreal painting of a giant banana', output_format: 'png', image_size: '1:1' }

export const JOBS: readonly Exchange[] = [
  {
    name: 'jobs-create',
    page: 'market/google/nano-banana',
    request: 'POST /jobs/createTask',
    body: { model: 'google/nano-banana', callBackUrl: 'https://your-domain.com/api/callback', input: nano },
  },
  {
    name: 'jobs-create-invalid',
    page: 'market/google/nano-banana',
    request: 'POST /jobs/createTask',
    body: { model: 'google/nano-banana', input: { ...nano, image_size: '7:7' } },
  },
  {
    name: 'jobs-create-unknown-model',
    page: 'market/google/nano-banana',
    request: 'POST /jobs/createTask',
    body: { model: 'google/nano-bananas', input: nano },
    script: { models: [] },
  },
  {
    name: 'jobs-record-waiting',
    page: 'market/common/get-task-detail',
    request: `GET /jobs/recordInfo?taskId=${TASK_ID}`,
    script: found(
      image({
        family: 'jobs',
        requestedModel: 'google/nano-banana',
        wire: { model: 'google/nano-banana', input: nano },
        artifacts: [],
      }),
    ),
  },
  {
    name: 'jobs-record',
    page: 'market/common/get-task-detail',
    request: `GET /jobs/recordInfo?taskId=${TASK_ID}`,
    script: found(
      image({
        family: 'jobs',
        state: 'succeeded',
        requestedModel: 'google/nano-banana',
        wire: { model: 'google/nano-banana', input: nano },
      }),
    ),
  },
  {
    name: 'jobs-record-failed',
    page: 'market/common/get-task-detail',
    request: `GET /jobs/recordInfo?taskId=${TASK_ID}`,
    script: found(image({ family: 'jobs', state: 'expired', artifacts: [] })),
  },
  {
    name: 'jobs-record-text',
    page: 'market/common/get-task-detail',
    request: `GET /jobs/recordInfo?taskId=${TASK_ID}`,
    script: found(image({ family: 'jobs', state: 'succeeded', artifacts: [], result: { text: 'Hello' } })),
  },
  {
    name: 'jobs-record-unknown',
    page: 'market/common/get-task-detail',
    request: 'GET /jobs/recordInfo?taskId=task_12345678',
  },
  { name: 'jobs-record-nameless', page: 'market/common/get-task-detail', request: 'GET /jobs/recordInfo' },
]

export const VIDEO: readonly Exchange[] = [
  {
    name: 'veo-generate',
    page: 'veo3-api/generate-veo-3-video',
    request: 'POST /veo/generate',
    body: {
      prompt: 'A dog playing in a park',
      imageUrls: ['http://example.com/image1.jpg', 'http://example.com/image2.jpg'],
      model: 'veo3_fast',
      watermark: 'MyBrand',
      callBackUrl: 'http://your-callback-url.com/complete',
      aspect_ratio: '16:9',
      enableFallback: false,
      enableTranslation: true,
      generationType: 'REFERENCE_2_VIDEO',
    },
  },
  {
    name: 'veo-record',
    page: 'veo3-api/get-veo-3-video-details',
    request: `GET /veo/record-info?taskId=${TASK_ID}`,
    script: found(task({ state: 'succeeded', artifacts: clip })),
  },
  {
    name: 'veo-record-extended',
    page: 'veo3-api/extend-video',
    request: `GET /veo/record-info?taskId=${TASK_ID}`,
    script: found(task({ state: 'succeeded', family: 'veo.extend', artifacts: clip })),
  },
  {
    name: 'veo-record-running',
    page: 'veo3-api/get-veo-3-video-details',
    request: `GET /veo/record-info?taskId=${TASK_ID}`,
    script: found(task({ state: 'running' })),
  },
  {
    name: 'veo-1080p-asked',
    page: 'veo3-api/get-veo-3-1080-p-video',
    request: `GET /veo/get-1080p-video?taskId=${PARENT_ID}&index=0`,
  },
  {
    name: 'veo-4k',
    page: 'veo3-api/get-veo-3-4k-video',
    request: 'POST /veo/get-4k-video',
    body: { taskId: PARENT_ID, index: 0, callBackUrl: 'http://your-callback-url.com/4k-callback' },
  },
  {
    name: 'veo-extend-unknown',
    page: 'veo3-api/extend-video',
    request: 'POST /veo/extend',
    body: { taskId: 'veo_task_abcdef123456', prompt: 'The dog continues running through the park' },
  },
  {
    name: 'runway-record',
    page: 'runway-api/get-ai-video-details',
    request: `GET /runway/record-detail?taskId=${TASK_ID}`,
    script: found(
      task({
        state: 'succeeded',
        family: 'runway.extend',
        artifacts: clip,
        wire: { taskId: PARENT_ID, prompt: 'Go on', quality: '720p' },
        request: { ...VIDEO_REQUEST, parentTask: PARENT },
      }),
    ),
  },
  {
    name: 'aleph-record-failed',
    page: 'runway-api/get-aleph-video-details',
    request: `GET /aleph/record-info?taskId=${TASK_ID}`,
    script: found(task({ state: 'failed', family: 'aleph', failure })),
  },
  {
    name: 'luma-record',
    page: 'luma-api/get-luma-modify-details',
    request: `GET /modify/record-info?taskId=${TASK_ID}`,
    script: found(task({ state: 'succeeded', family: 'luma.modify', artifacts: clip })),
  },
]
