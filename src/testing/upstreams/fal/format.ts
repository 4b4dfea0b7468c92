/**
 * fal's queue on the wire. Written from fal's published documents (queue, webhooks and errors pages of docs.fal.ai) and
 * @fal-ai/client 1.10.1, as of 2026; nothing in it was recorded from fal.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { FileKind } from '../media/files.ts'
import type { AskedJob, Job } from '../media/job.ts'
import type {
  Errand,
  FormatContext,
  Refusal,
  VendorFormat,
  WireAnswer,
  WireRequest,
} from '../media/vendor-format.ts'

const OUTPUT_NAME: Readonly<Record<FileKind, string>> = {
  image: 'images',
  video: 'video',
  audio: 'audio',
  mesh: 'model_mesh',
}
const CONTENT_TYPE: Readonly<Record<FileKind, string>> = {
  image: 'image/png',
  video: 'video/mp4',
  audio: 'audio/mpeg',
  mesh: 'model/gltf-binary',
}
const STATUS = { queued: 'IN_QUEUE', running: 'IN_PROGRESS', 'unknown-word': 'WARMING_UP' } as const
const REQUEST = /^\/([^/]+\/[^/]+)\/requests\/([^/]+)(\/status|\/cancel)?$/

const REFUSALS: Readonly<Record<Refusal, WireAnswer>> = {
  400: { status: 400, body: { detail: 'Bad request' } },
  402: { status: 403, body: { detail: 'User is locked. Reason: Exhausted balance. Top up your balance.' } },
  422: {
    status: 422,
    body: { detail: [{ loc: ['body', 'prompt'], msg: 'Field required', type: 'missing', input: {} }] },
  },
  429: { status: 429, body: { detail: 'Too many requests' } },
  500: { status: 500, body: { detail: 'Internal Server Error' } },
  503: { status: 503, body: { detail: 'Service unavailable', error_type: 'runner_scheduling_failure' } },
  moderated: {
    status: 422,
    body: {
      detail: [
        {
          loc: ['body', 'prompt'],
          msg: 'The content could not be processed because it contained material flagged by a content checker.',
          type: 'content_policy_violation',
        },
      ],
    },
  },
}

/** One key pair a simulator: its public half is published, its private half signs callbacks. */
export function falFormat(): VendorFormat {
  const genuineKeys = generateKeyPairSync('ed25519')
  const forgedKeys = generateKeyPairSync('ed25519')
  const { x } = genuineKeys.publicKey.export({ format: 'jwk' })
  return {
    name: 'fal',
    auth: { header: 'authorization', prefix: 'Key ' },
    makeId: number => `7${String(number).padStart(7, '0')}-1111-4222-8333-444455556666`,
    errandOf: request => errandOf(request, { keys: [{ kty: 'OKP', crv: 'Ed25519', use: 'sig', x }] }),
    created: (job, context) => ({
      status: 200,
      headers: { 'x-fal-request-id': job.id },
      body: { status: 'IN_QUEUE', request_id: job.id, queue_position: 0, ...addressesOf(job, context) },
    }),
    refused: refusal => REFUSALS[refusal],
    unauthorized: () => ({
      status: 401,
      body: { detail: 'Cannot access application. Authentication is required.' },
    }),
    notFound: () => ({ status: 404, body: { detail: 'Request not found' } }),
    looked: (job, told, _look, context) => {
      const word = told in STATUS ? STATUS[told as keyof typeof STATUS] : 'COMPLETED'
      return {
        status: word === 'COMPLETED' ? 200 : 202,
        body: {
          status: word,
          request_id: job.id,
          ...addressesOf(job, context),
          ...(word === 'COMPLETED'
            ? { metrics: { inference_time: 0.1 } }
            : { queue_position: 0, logs: null }),
        },
      }
    },
    result: resultOf,
    cancelled: (_job, hadEnded) =>
      hadEnded
        ? { status: 400, body: { status: 'ALREADY_COMPLETED' } }
        : { status: 202, body: { status: 'CANCELLATION_REQUESTED' } },
    callback: (job, genuine, context) =>
      signedCallback(job, context, genuine ? genuineKeys.privateKey : forgedKeys.privateKey),
  }
}

function errandOf(request: WireRequest, keySet: object): Errand | undefined {
  const { method, path, query, body } = request
  if (path === '/.well-known/jwks.json')
    return { kind: 'fixed', open: true, answer: { status: 200, body: keySet } }
  const match = REQUEST.exec(path)
  if (match !== null) {
    const [, , id = '', what] = match
    if (what === '/cancel') return method === 'PUT' ? { kind: 'cancel', id } : undefined
    if (method !== 'GET') return undefined
    return { kind: what === '/status' ? 'look' : 'result', id }
  }
  const endpoint = path.slice(1)
  if (method !== 'POST' || !/^[\w.-]+(\/[\w.-]+)+$/.test(endpoint)) return undefined
  return { kind: 'create', asked: askedOf(endpoint, body, query.get('fal_webhook') ?? undefined) }
}

function askedOf(
  endpoint: string,
  body: Readonly<Record<string, unknown>>,
  callbackUrl: string | undefined,
): AskedJob {
  const kind = kindOf(endpoint)
  const files = kind === 'image' && typeof body.num_images === 'number' ? body.num_images : 1
  const seconds = Number.parseFloat(String(body.duration ?? 0)) || 0
  return { model: endpoint, family: 'queue', kind, files, seconds, callbackUrl, body }
}

function kindOf(endpoint: string): FileKind {
  if (/3d|mesh|trellis|rodin/.test(endpoint)) return 'mesh'
  if (/video|veo/.test(endpoint)) return 'video'
  return /music|audio|speech|tts|lyria|sound/.test(endpoint) ? 'audio' : 'image'
}

/** The endpoint's own path is dropped: requests belong to the app. */
function addressesOf(job: Job, { origin }: FormatContext): Readonly<Record<string, string>> {
  const app = job.asked.model.split('/').slice(0, 2).join('/')
  const address = `${origin}/${app}/requests/${job.id}`
  return { response_url: address, status_url: `${address}/status`, cancel_url: `${address}/cancel` }
}

function resultOf(job: Job, context: FormatContext): WireAnswer {
  if (job.state === 'cancelled') return { status: 400, body: { detail: 'Request was cancelled' } }
  if (!job.hasEnded) {
    return { status: 400, body: { detail: 'Request is still in progress', response_url: null } }
  }
  if (job.state === 'failed') {
    if (job.failure === 'moderation') return REFUSALS.moderated
    if (job.failure === 'client') {
      return {
        status: 422,
        body: {
          detail: [
            { loc: ['body', 'image_url'], msg: 'Failed to download the file', type: 'file_download_error' },
          ],
        },
      }
    }
    return {
      status: 500,
      headers: { 'x-fal-error-type': 'runner_disconnected' },
      body: { detail: 'Runner disconnected', error_type: 'runner_disconnected' },
    }
  }
  return { status: 200, body: payloadOf(job, context) }
}

function payloadOf(job: Job, context: FormatContext): Readonly<Record<string, unknown>> {
  const { kind } = job.asked
  const files = context.files(job).map(url => ({
    url,
    content_type: CONTENT_TYPE[kind],
    ...(kind === 'image' ? { width: 32, height: 32 } : { file_name: `out.${kind}`, file_size: 1_000 }),
  }))
  if (kind !== 'image') return { [OUTPUT_NAME[kind]]: files[0] ?? null, seed: 7 }
  const isModerated = job.meets('moderated-in-success')
  return {
    images: files,
    timings: { inference: 0.1 },
    seed: 7,
    has_nsfw_concepts: files.map(() => isModerated),
    prompt: job.asked.body.prompt,
  }
}

function signedCallback(
  job: Job,
  context: FormatContext,
  key: KeyObject,
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const answer = resultOf(job, context)
  const isOk = answer.status === 200
  const body = JSON.stringify({
    request_id: job.id,
    gateway_request_id: job.id,
    status: isOk ? 'OK' : 'ERROR',
    ...(isOk ? {} : { error: `Unexpected status code: ${answer.status}` }),
    payload: answer.body,
  })
  const userId = 'user_simulated'
  const timestamp = String(Math.floor(Date.now() / 1000))
  const hash = createHash('sha256').update(body).digest('hex')
  const text = `${job.id}\n${userId}\n${timestamp}\n${hash}`
  return {
    headers: {
      'x-fal-webhook-request-id': job.id,
      'x-fal-webhook-user-id': userId,
      'x-fal-webhook-timestamp': timestamp,
      'x-fal-webhook-signature': sign(null, Buffer.from(text), key).toString('hex'),
    },
    body,
  }
}
