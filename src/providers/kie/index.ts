/** kie.ai as an upstream: its market of models, and the older families with endpoints of their own. */
import {
  defineTaskProvider,
  type TaskProviderSpec,
  VOCABULARY,
  type Vocabulary,
} from '#provider-kit/task-spec/index.ts'
import type { StartRequest } from '#spec/task-provider.ts'
import { CALLBACK, family, KIE_FAILURE } from './envelope.ts'
import { IMAGE_FAMILIES } from './image-families.ts'
import { marketInputOf } from './market-models.ts'
import { SONG_FAMILIES } from './suno-songs.ts'
import { VOICE_FAMILIES, VOICE_MODEL, voiceFamilyId } from './suno-voice.ts'
import { SONG_WORK_FAMILIES } from './suno-works.ts'
import { VIDEO_FAMILIES } from './video-families.ts'
import { kieWebhookVerifier } from './webhook.ts'

const OF_MARKET: Vocabulary = [
  { fact: 'tier', kind: 'choice', fields: ['mode'] },
  { fact: 'parent.id', kind: 'plain', owned: true, fields: ['task_id', 'origin_task_id'] },
  ...VOCABULARY,
  { fact: 'resolution', kind: 'resolution', fields: ['mode'] },
]

const MODES = ['std', 'pro', '4K']

/**
 * One id of the market serves several models of the catalogue, at prices of their own: the name asked for tells which, then
 * the client's own mode, by which the price is found. A resolution does not: none of these prices knows of one.
 */
function tierOf({ request }: StartRequest): string {
  const name = request.model.toLowerCase()
  if (/\b4k\b/.test(name)) return '4K'
  if (/\b(standard|std)\b/.test(name)) return 'std'
  if (/\bpro\b/.test(name)) return 'pro'
  const said = String(request.options.mode).toLowerCase()
  return MODES.find(mode => mode.toLowerCase() === said) ?? 'pro'
}

const MARKET = family({
  name: 'market',
  models: ['*'],
  input: marketInputOf,
  vocabulary: OF_MARKET,
  facts: start => ({ tier: tierOf(start) }),
  submit: {
    path: '/api/v1/jobs/createTask',
    envelope: [{ to: 'model', fact: 'model' }, ...CALLBACK],
    inputAt: 'input',
  },
  record: 'jobs/recordInfo',
  state: 'data.state',
  states: {},
  poll: { parseJsonAt: ['data.resultJson'], progress: { path: 'data.progress', outOf: 100 } },
  outputs: [
    { path: 'data.resultJson.resultUrls[*]', kind: 'detect' },
    {
      path: ['data.resultJson.lastFrameUrl[*]', 'data.resultJson.firstFrameUrl[*]'],
      kind: 'image',
      role: 'cover',
    },
  ],
  resultAt: 'data.resultJson.resultObject',
})

export const KIE: TaskProviderSpec = {
  id: 'kie',
  title: 'kie.ai',
  homepage: 'https://docs.kie.ai',
  defaultBaseUrl: 'https://api.kie.ai',
  // A task goes on when nobody polls it, and cannot be cancelled.
  stopsBillingOnAbort: false,
  operations: ['image', 'video', 'music', 'speech', 'mesh'],
  inputForms: ['url'],
  auth: { header: 'authorization', prefix: 'Bearer ' },
  hosts: ['api.kie.ai'],
  failure: KIE_FAILURE,
  families: [
    ...IMAGE_FAMILIES,
    ...VIDEO_FAMILIES,
    ...VOICE_FAMILIES,
    ...SONG_WORK_FAMILIES,
    ...SONG_FAMILIES,
    MARKET,
  ],
  familyId: call => (call.upstreamModel === VOICE_MODEL ? voiceFamilyId(call) : call.upstreamModel),
  withheldOptions: [
    // More files or seconds than were counted.
    'max_images',
    'num_frames',
    'frames_per_second',
    'enable_sequential',
    'multi_shots',
    'multi_prompt',
    // Billed apart.
    'web_search',
    'enableFallback',
    'fallbackModel',
    // Turns moderation off in the operator's name.
    'nsfw_checker',
    'enable_safety_checker',
    // Addresses that kie.ai would call.
    'progressCallBackUrl',
    'callBackUrl',
  ],
  limits: { pollMinMs: 2_000, maxCount: 6 },
  callback: { id: ['data.taskId', 'data.task_id', 'taskId'], verifier: kieWebhookVerifier },
}

export default defineTaskProvider(KIE)
