/** Replicate: predictions of official models by name, and of any model by version. */
import {
  defineTaskProvider,
  type FamilySpec,
  type OutputRule,
  type TaskProviderSpec,
} from '#provider-kit/task-spec/index.ts'
import { inputOf } from './models.ts'
import { replicateWebhookVerifier } from './webhook.ts'

/** `output` is an address, a list of them, or an object of them. Text that is no address is the result. */
const OUTPUTS: readonly OutputRule[] = [
  { path: 'output[*]', kind: 'detect', urlPath: ['url', 'file'] },
  { path: 'output[*][*]', kind: 'detect' },
  { path: 'output', kind: 'detect' },
]

const ENVELOPE = [
  { to: 'webhook', fact: 'callback_url' },
  { to: 'webhook_events_filter', value: ['completed'], when: 'callback_url' },
]

const PREDICTION: Omit<FamilySpec, 'name' | 'models' | 'submit'> = {
  input: inputOf,
  id: 'id',
  handle: { get_url: 'urls.get', cancel_url: 'urls.cancel' },
  poll: { path: '/predictions/{id}', handleUrl: 'get_url', state: 'status' },
  outputs: OUTPUTS,
  cancel: {
    method: 'POST',
    path: '/predictions/{id}/cancel',
    handleUrl: 'cancel_url',
    cancelledStatuses: [200, 202],
    tooLate: [{ path: 'status', in: ['succeeded', 'failed'] }],
  },
}

export const REPLICATE: TaskProviderSpec = {
  id: 'replicate',
  title: 'Replicate',
  homepage: 'https://replicate.com/docs/reference/http',
  defaultBaseUrl: 'https://api.replicate.com/v1',
  // A prediction goes on when nobody polls it; cancelling is a call of its own.
  stopsBillingOnAbort: false,
  operations: ['image', 'video', 'music', 'speech', 'mesh'],
  inputForms: ['url', 'data-uri'],
  auth: { header: 'authorization', prefix: 'Bearer ' },
  hosts: ['api.replicate.com'],
  failure: {
    code: ['error.code', 'title'],
    message: ['error', 'detail', 'title', 'error.message'],
    moderationWords: [
      'nsfw',
      'sensitive',
      'moderat',
      'safety',
      'content policy',
      'flagged',
      'prohibited',
      'e005',
    ],
    clientWords: [
      'invalid input',
      'input validation',
      'validationerror',
      'unprocessable',
      'could not download',
      'failed to download',
    ],
    accountWords: ['insufficient credit', 'billing', 'spend limit', 'payment'],
  },
  families: [
    {
      name: 'version',
      models: ['*:*'],
      ...PREDICTION,
      facts: ({ upstreamModel }) => ({ version: upstreamModel.replace(/^.*:/, '') }),
      submit: {
        path: '/predictions',
        envelope: [{ to: 'version', fact: 'version' }, ...ENVELOPE],
        inputAt: 'input',
      },
    },
    {
      name: 'model',
      models: ['*/*'],
      ...PREDICTION,
      submit: { path: '/models/{model}/predictions', envelope: ENVELOPE, inputAt: 'input' },
    },
  ],
  withheldOptions: [
    'max_images',
    'sequential_image_generation',
    'num_frames',
    'fps',
    'frames_per_second',
    // Turns moderation off in the operator's name.
    'disable_safety_checker',
  ],
  limits: { pollMinMs: 1_000, maxCount: 4 },
  callback: { id: 'id', verifier: replicateWebhookVerifier },
  find: {
    path: '/predictions',
    items: 'results[*]',
    id: 'id',
    callbackUrl: 'webhook',
    createdAt: 'created_at',
    next: 'next',
    mostPages: 5,
  },
}

export default defineTaskProvider(REPLICATE)
