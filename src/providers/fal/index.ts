/** fal.ai: its queue, and the several hundred media endpoints behind it. */
import { defineTaskProvider, type OutputRule, type TaskProviderSpec } from '#provider-kit/task-spec/index.ts'
import { admitFal, inputOf } from './endpoints.ts'
import { DEFAULT_BASE_URL, falWebhookVerifier } from './webhook.ts'

const FILE = {
  urlPath: 'url',
  metadata: { content_type: 'content_type', width: 'width', height: 'height' },
} as const

/** Each endpoint answers under one of these names; what it has no more of it does not send. */
const OUTPUTS: readonly OutputRule[] = [
  { path: 'images[*]', kind: 'image', withheldAt: 'has_nsfw_concepts[*]', ...FILE },
  { path: 'image', kind: 'image', withheldAt: 'has_nsfw_concepts[*]', ...FILE },
  ...['video', 'videos[*]', 'video[*]'].map((path): OutputRule => ({ path, kind: 'video', ...FILE })),
  ...['audio', 'audio_file', 'audio_url', 'audios[*]', 'audio[*]'].map(
    (path): OutputRule => ({ path, kind: 'audio', ...FILE }),
  ),
  ...['vocals', 'drums', 'bass', 'guitar', 'piano', 'other'].map(
    (stem): OutputRule => ({ path: stem, kind: 'audio', constant: { stem }, ...FILE }),
  ),
  {
    path: [
      'model_glb',
      'model_mesh',
      'rigged_character_glb',
      'animation_glb',
      'pbr_model',
      'base_model',
      'model_obj',
      'full_model_mesh',
      'gaussian_splat',
      'model_urls.glb',
    ],
    kind: 'mesh',
    ...FILE,
  },
  { path: ['thumbnail', 'rendered_image'], kind: 'image', role: 'cover', ...FILE },
]

/** Where the queue keeps a request: its app is the first two names of the endpoint, whatever comes after. */
const REQUEST = '/{app}/requests/{id}'

export const FAL: TaskProviderSpec = {
  id: 'fal',
  title: 'fal',
  homepage: 'https://docs.fal.ai',
  defaultBaseUrl: DEFAULT_BASE_URL,
  // A queued request goes on when nobody polls it; cancelling is a call of its own.
  stopsBillingOnAbort: false,
  operations: ['image', 'video', 'music', 'speech', 'mesh'],
  inputForms: ['url', 'data-uri'],
  auth: { header: 'authorization', prefix: 'Key ' },
  hosts: ['fal.run', 'fal.ai'],
  failure: {
    code: ['error_type', 'detail[0].type', 'error.type'],
    message: ['detail', 'detail[0].msg', 'error.message', 'error', 'message'],
    moderationWords: [
      'content_policy',
      'content policy',
      'nsfw',
      'moderat',
      'safety',
      'flagged',
      'sensitive',
      'prohibited',
    ],
    clientWords: [
      'value_error',
      'missing',
      'type_error',
      'file_download_error',
      'image_load_error',
      'image_too_large',
      'image_too_small',
      'unsupported_',
      'audio_duration_too',
      'video_duration_too',
      'no_media_generated',
    ],
    accountWords: ['exhausted balance', 'user is locked', 'top up your balance'],
  },
  families: [
    {
      name: 'queue',
      models: ['*/*'],
      admit: admitFal,
      input: inputOf,
      facts: ({ upstreamModel }) => ({ app: upstreamModel.split('/').slice(0, 2).join('/') }),
      submit: { path: '/{model}', query: [{ to: 'fal_webhook', fact: 'callback_url' }] },
      id: 'request_id',
      keep: ['app'],
      handle: { status_url: 'status_url', response_url: 'response_url', cancel_url: 'cancel_url' },
      poll: { path: `${REQUEST}/status`, handleUrl: 'status_url', state: 'status' },
      result: {
        path: REQUEST,
        handleUrl: 'response_url',
        failureAt: ['detail', 'error_type', 'error'],
        lookAgain: [401, 402, 403, 404, 408, 425, 429, 502, 503],
        pendingWords: ['still in progress'],
      },
      outputs: OUTPUTS,
      resultAt: ['text', 'lyrics'],
      cancel: {
        method: 'PUT',
        path: `${REQUEST}/cancel`,
        handleUrl: 'cancel_url',
        cancelledStatuses: [200, 202],
        tooLate: [{ path: 'status', in: ['ALREADY_COMPLETED'] }],
      },
    },
  ],
  withheldOptions: [
    // An answer must hold addresses, not the files.
    'sync_mode',
    // More files than were counted.
    'max_images',
    'limit_generations',
    'num_songs',
    'num_samples',
    'num_results',
    'series_amount',
    // More seconds than were counted, or dearer ones.
    'num_frames',
    'frames_per_second',
    'fps',
    'frame_rate',
    'multi_prompt',
    'transitions',
    'double_output',
    // Billed apart.
    'enable_web_search',
    'enable_rigging',
    'enable_animation',
    // Turns moderation off in the operator's name.
    'enable_safety_checker',
    'enable_output_safety_checker',
  ],
  limits: { pollMinMs: 1_000, maxCount: 4 },
  callback: { id: 'request_id', verifier: falWebhookVerifier },
}

export default defineTaskProvider(FAL)
