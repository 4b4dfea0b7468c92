/**
 * kie.ai's records by family: where a task is looked up, in which words, and where its files are. Written from docs.kie.ai as
 * of August 2026 and from what public clients of it show; nothing in it was recorded for this project.
 */
import type { FileKind } from '../media/files.ts'
import type { Job, ToldState } from '../media/job.ts'

type Fields = Readonly<Record<string, unknown>>

export interface KieFamily {
  readonly create: string
  readonly record: string
  readonly kind: FileKind | 'by-model'
  /** Files of one task, where the request does not say. */
  readonly files: number
  /** Everything of `data` beside the id. */
  data(job: Job, told: ToldState, look: number, files: readonly string[]): Fields
  /** Everything of a callback's body beside `code` and `msg`; `id` is `taskId`. */
  callback?(job: Job, files: readonly string[]): Fields
}

const MESSAGES = {
  vendor: 'Internal Error, Please try again later.',
  moderation: 'Your prompt was flagged by Website as violating content policies.',
  client: 'The image format is not supported',
} as const
export const CODES = { vendor: 500, moderation: 400, client: 422 } as const

const hasFailed = (told: ToldState) => told === 'failed'
const flagOf = (told: ToldState): number =>
  ({ succeeded: 1, failed: 3, 'unknown-word': 9 })[told as string] ?? 0

function failureOf(job: Job, told: ToldState): Fields {
  return hasFailed(told)
    ? { errorCode: CODES[job.failure], errorMessage: MESSAGES[job.failure] }
    : { errorCode: null, errorMessage: '' }
}

/** Families with a numeric flag and a `response`. */
function flagged(
  create: string,
  record: string,
  kind: FileKind,
  response: (files: readonly string[]) => Fields,
  callbackInfo: (files: readonly string[]) => Fields,
): KieFamily {
  return {
    create,
    record,
    kind,
    files: 1,
    data: (job, told, _look, files) => ({
      taskId: job.id,
      paramJson: JSON.stringify(job.asked.body),
      successFlag: flagOf(told),
      response: told === 'succeeded' ? response(files) : null,
      completeTime: told === 'succeeded' ? '2026-06-06 10:30:00' : null,
      createTime: '2026-06-06 10:25:00',
      ...failureOf(job, told),
    }),
    callback: (job, files) => ({
      data: { taskId: job.id, info: job.state === 'succeeded' ? callbackInfo(files) : null },
    }),
  }
}

const MARKET_STATES: Readonly<Record<ToldState, string>> = {
  queued: 'waiting',
  running: 'generating',
  succeeded: 'success',
  failed: 'fail',
  cancelled: 'fail',
  'unknown-word': 'upscaling',
}
const RUNWAY_STATES: Readonly<Record<ToldState, string>> = { ...MARKET_STATES, queued: 'queueing' }
const WORD_STATES: Readonly<Record<ToldState, string>> = {
  queued: 'PENDING',
  running: 'PENDING',
  succeeded: 'SUCCESS',
  failed: 'GENERATE_AUDIO_FAILED',
  cancelled: 'CREATE_TASK_FAILED',
  'unknown-word': 'MIXING',
}

function marketData(job: Job, told: ToldState, look: number, files: readonly string[]): Fields {
  const result = JSON.stringify({ resultUrls: files })
  const isMalformed = job.meets('result-malformed') && job.successesTold <= job.directives.times
  return {
    taskId: job.id,
    model: job.asked.model,
    state: MARKET_STATES[told],
    param: JSON.stringify(job.asked.body),
    resultJson: told !== 'succeeded' ? '' : isMalformed ? result.slice(0, -4) : result,
    failCode: hasFailed(told) ? String(CODES[job.failure]) : null,
    failMsg: hasFailed(told) ? MESSAGES[job.failure] : null,
    costTime: null,
    completeTime: job.endedAtMs ?? null,
    createTime: job.createdAtMs,
    progress: Math.round(job.progressAt(look) * 100),
  }
}

function sunoData(job: Job, told: ToldState, look: number, files: readonly string[]): Fields {
  const isFirst = told === 'running' && look > 2
  const status =
    told === 'running' && look > 1 ? (isFirst ? 'FIRST_SUCCESS' : 'TEXT_SUCCESS') : WORD_STATES[told]
  const word = hasFailed(told) && job.failure === 'moderation' ? 'SENSITIVE_WORD_ERROR' : status
  const tracks = files.map((url, index) => ({
    id: `track-${job.id}-${index}`,
    audioUrl: url,
    streamAudioUrl: url,
    imageUrl: url.replace(/\/\d+\.audio$/, `/${files.length + index}.image`),
    prompt: '[Verse] Night city lights',
    modelName: 'chirp-v4',
    title: `Song ${index + 1}`,
    tags: 'electrifying, rock',
    createTime: '2026-01-01 00:00:00',
    duration: 0.418,
  }))
  return {
    taskId: job.id,
    param: JSON.stringify(job.asked.body),
    response: { taskId: job.id, sunoData: tracks },
    status: word,
    type: 'GENERATE',
    errorCode: hasFailed(told) ? CODES[job.failure] : null,
    errorMessage: hasFailed(told) ? MESSAGES[job.failure] : null,
  }
}

/** Work on a track: `successFlag` in words, one field in `response`. */
function trackWork(
  name: string,
  kind: FileKind,
  response: (files: readonly string[]) => Fields,
  files = 1,
): KieFamily {
  return {
    create: `/api/v1/${name}/generate`,
    record: `/api/v1/${name}/record-info`,
    kind,
    files,
    data: (job, told, _look, urls) => ({
      taskId: job.id,
      musicId: 'track',
      response: told === 'succeeded' ? response(urls) : null,
      successFlag: WORD_STATES[told],
      errorCode: hasFailed(told) ? CODES[job.failure] : null,
      errorMessage: hasFailed(told) ? MESSAGES[job.failure] : null,
    }),
    callback: (job, urls) => ({
      data: { task_id: job.id, ...(job.state === 'succeeded' ? response(urls) : {}) },
    }),
  }
}

const runwayRecord = (create: string): KieFamily => ({
  create,
  record: '/api/v1/runway/record-detail',
  kind: 'video',
  files: 1,
  data: (job, told, _look, [videoUrl]) => ({
    taskId: job.id,
    parentTaskId: '',
    generateParam: job.asked.body,
    state: RUNWAY_STATES[told],
    videoInfo:
      told === 'succeeded' ? { videoId: 'v', taskId: job.id, videoUrl, imageUrl: coverOf(videoUrl) } : null,
    failCode: hasFailed(told) ? CODES[job.failure] : 0,
    failMsg: hasFailed(told) ? MESSAGES[job.failure] : '',
    expireFlag: 0,
  }),
  callback: (job, [video_url]) => ({
    data: { task_id: job.id, video_id: 'v', video_url: video_url ?? '', image_url: '' },
  }),
})

/** The first number after the files is a cover. */
function coverOf(url: string | undefined): string {
  return url?.replace(/\/\d+\.(\w+)$/, '/1.image') ?? ''
}

const suno = (create: string): KieFamily => ({
  create,
  record: '/api/v1/generate/record-info',
  kind: 'audio',
  files: 2,
  data: sunoData,
  callback: (job, files) => ({
    data: {
      callbackType: job.state === 'succeeded' ? 'complete' : 'error',
      task_id: job.id,
      data: job.state === 'succeeded' ? files.map(url => ({ id: 't', audio_url: url })) : null,
    },
  }),
})

const SUNO_CREATES = [
  '',
  '/extend',
  '/upload-cover',
  '/upload-extend',
  '/add-instrumental',
  '/add-vocals',
  '/mashup',
  '/sounds',
  '/replace-section',
]
const veo = (create: string): KieFamily =>
  flagged(
    create,
    '/api/v1/veo/record-info',
    'video',
    files => ({ resultUrls: files, originUrls: null, resolution: '720p' }),
    files => ({ resultUrls: files, resolution: '720p' }),
  )

/** In any order: each create path is its own. */
export const KIE_FAMILIES: readonly KieFamily[] = [
  {
    create: '/api/v1/jobs/createTask',
    record: '/api/v1/jobs/recordInfo',
    kind: 'by-model',
    files: 1,
    data: marketData,
    callback: (job, files) => ({ data: marketData(job, job.state, 2, files) }),
  },
  flagged(
    '/api/v1/flux/kontext/generate',
    '/api/v1/flux/kontext/record-info',
    'image',
    ([resultImageUrl]) => ({ originImageUrl: resultImageUrl, resultImageUrl }),
    ([resultImageUrl]) => ({ originImageUrl: resultImageUrl, resultImageUrl }),
  ),
  {
    create: '/api/v1/gpt4o-image/generate',
    record: '/api/v1/gpt4o-image/record-info',
    kind: 'image',
    files: 1,
    data: (job, told, look, files) => ({
      taskId: job.id,
      paramJson: JSON.stringify(job.asked.body),
      response: told === 'succeeded' ? { resultUrls: files } : null,
      successFlag: told === 'succeeded' ? 1 : hasFailed(told) ? 2 : 0,
      status:
        { succeeded: 'SUCCESS', failed: 'GENERATE_FAILED', 'unknown-word': 'DREAMING_UP' }[told as string] ??
        'GENERATING',
      progress: job.progressAt(look).toFixed(2),
      ...failureOf(job, told),
    }),
    callback: (job, files) => ({ data: { taskId: job.id, info: { result_urls: files } } }),
  },
  veo('/api/v1/veo/generate'),
  veo('/api/v1/veo/extend'),
  runwayRecord('/api/v1/runway/generate'),
  runwayRecord('/api/v1/runway/extend'),
  {
    create: '/api/v1/aleph/generate',
    record: '/api/v1/aleph/record-info',
    kind: 'video',
    files: 1,
    data: (job, told, _look, [url]) => ({
      taskId: job.id,
      paramJson: JSON.stringify(job.asked.body),
      response:
        told === 'succeeded' ? { taskId: job.id, resultVideoUrl: url, resultImageUrl: coverOf(url) } : null,
      completeTime: null,
      successFlag: told === 'succeeded' ? 1 : 0,
      errorCode: hasFailed(told) ? CODES[job.failure] : 0,
      errorMessage: hasFailed(told) ? MESSAGES[job.failure] : '',
    }),
    callback: (job, [url]) => ({
      taskId: job.id,
      data: url === undefined ? null : { result_video_url: url },
    }),
  },
  ...SUNO_CREATES.map(path => suno(`/api/v1/generate${path}`)),
  trackWork('wav', 'audio', ([audioWavUrl]) => ({ audioWavUrl })),
  trackWork(
    'vocal-removal',
    'audio',
    ([vocalUrl, instrumentalUrl]) => ({ vocalUrl, instrumentalUrl, drumsUrl: null }),
    2,
  ),
  trackWork('mp4', 'video', ([videoUrl]) => ({ videoUrl })),
  {
    create: '/api/v1/lyrics',
    record: '/api/v1/lyrics/record-info',
    kind: 'audio',
    files: 0,
    data: (job, told) => ({
      taskId: job.id,
      response:
        told === 'succeeded'
          ? {
              taskId: job.id,
              data: [{ text: '[Verse]\nStars', title: 'Stars', status: 'complete', errorMessage: '' }],
            }
          : null,
      status: WORD_STATES[told],
      type: 'LYRICS',
      errorCode: hasFailed(told) ? CODES[job.failure] : null,
      errorMessage: hasFailed(told) ? MESSAGES[job.failure] : null,
    }),
  },
]
