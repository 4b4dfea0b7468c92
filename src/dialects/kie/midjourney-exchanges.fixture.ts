/** Midjourney, and Gemini Omni's helpers, as their pages show them. */
import { type Exchange, found } from './exchange.fixture.ts'
import { artifact, PARENT_ID, PARENT_PICTURES, TASK, TASK_ID, task } from './test-script.ts'

const failure = { code: 'content_rejected', message: 'Your prompt was flagged.', beforeStart: false } as const
const wire = {
  taskType: 'mj_txt2img',
  prompt: 'A majestic mountain landscape at sunset with snow-capped peaks',
  speed: 'relaxed',
  aspectRatio: '16:9',
  version: '7',
}
const pictures = { ...PARENT_PICTURES, id: TASK, wire }

export const MIDJOURNEY: readonly Exchange[] = [
  { name: 'mj-generate', page: 'mj-api/generate-mj-image', request: 'POST /mj/generate', body: wire },
  {
    name: 'mj-generate-without-picture',
    page: 'mj-api/generate-mj-image',
    request: 'POST /mj/generate',
    body: { taskType: 'mj_video', prompt: 'The clouds move', motion: 'high', videoBatchSize: 1 },
  },
  {
    name: 'mj-record',
    page: 'mj-api/get-mj-task-details',
    request: `GET /mj/record-info?taskId=${TASK_ID}`,
    script: found(pictures),
  },
  {
    name: 'mj-record-running',
    page: 'mj-api/get-mj-task-details',
    request: `GET /mj/record-info?taskId=${TASK_ID}`,
    script: found({ ...pictures, state: 'running', endedAt: undefined, artifacts: [] }),
  },
  {
    name: 'mj-record-failed',
    page: 'mj-api/get-mj-task-details',
    request: `GET /mj/record-info?taskId=${TASK_ID}`,
    script: found({ ...pictures, state: 'failed', failure, artifacts: [] }),
  },
  {
    name: 'mj-upscale',
    page: 'mj-api/upscale',
    request: 'POST /mj/generateUpscale',
    body: { taskId: PARENT_ID, imageIndex: 0, waterMark: 'watermark' },
    script: { tasks: [PARENT_PICTURES] },
  },
  {
    name: 'mj-vary-beyond',
    page: 'mj-api/vary',
    request: 'POST /mj/generateVary',
    body: { taskId: PARENT_ID, imageIndex: 3 },
    script: { tasks: [{ ...PARENT_PICTURES, artifacts: [artifact('image', 0)] }] },
  },
]

export const OMNI: readonly Exchange[] = [
  {
    name: 'omni-audio',
    page: 'market/gemini-omni-audio',
    request: 'POST /omni/audio/create',
    body: { audio_id: 'achernar', name: 'Narrator', example_dialogue: 'Hello and welcome.' },
    script: { submitted: [task({ state: 'succeeded', result: { voiceId: 'voice_0123456789abcdef' } })] },
  },
  {
    name: 'omni-character',
    page: 'market/gemini-omni-character',
    request: 'POST /omni/character/create',
    body: {
      description: 'A woman of thirty with short dark hair',
      image_urls: ['https://example.com/portrait.png'],
      character_name: 'Ada',
    },
    script: { submitted: [task({ state: 'succeeded', result: { character_id: 'char_0123456789abcdef' } })] },
  },
]
