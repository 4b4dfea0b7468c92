/**
 * Replicate's predictions on the wire. Written from its published HTTP reference and npm `replicate` 1.4.0, as of 2026;
 * nothing in it was recorded from Replicate.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { FileKind } from '../media/files.ts'
import type { AskedJob, Job, ToldState } from '../media/job.ts'
import type {
  Errand,
  FormatContext,
  Refusal,
  VendorFormat,
  WireAnswer,
  WireRequest,
} from '../media/vendor-format.ts'

const STATUS: Readonly<Record<ToldState, string>> = {
  queued: 'starting',
  running: 'processing',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'canceled',
  'unknown-word': 'booting',
}
const PAGE_LENGTH = 100
const ERRORS = {
  vendor: 'Director: unexpected error handling prediction',
  moderation: 'NSFW content detected. Try running it again, or try a different prompt. (E005)',
  client: 'Prediction failed: input validation failed: could not download image',
} as const

const refusal = (status: number, title: string, detail: string): WireAnswer => ({
  status,
  body: { title, detail, status },
})
const REFUSALS: Readonly<Record<Refusal, WireAnswer>> = {
  400: refusal(400, 'Bad request', 'The body could not be read'),
  402: refusal(402, 'Insufficient credit', 'You have insufficient credit to run this model.'),
  422: refusal(422, 'Input validation failed', '- input: prompt is required\n'),
  429: { status: 429, body: { detail: 'Request was throttled. Expected available in 1 second.' } },
  500: refusal(500, 'Internal server error', 'Something went wrong'),
  503: refusal(503, 'Service unavailable', 'Service is temporarily unavailable'),
  moderated: refusal(422, 'Content flagged', 'Your input was flagged as sensitive'),
}

/** One secret a simulator, as `GET /webhooks/default/secret` tells it. */
export function replicateFormat(): VendorFormat {
  const secret = `whsec_${randomBytes(24).toString('base64')}`
  const forged = `whsec_${randomBytes(24).toString('base64')}`
  return {
    name: 'replicate',
    auth: { header: 'authorization', prefix: 'Bearer ' },
    makeId: number => `gm3qorzdhgbfurvjtv${String(number).padStart(8, '0')}`,
    errandOf: request => errandOf(request, secret),
    created: (job, context) => ({ status: 201, body: predictionOf(job, 'queued', context) }),
    refused: reason => REFUSALS[reason],
    unauthorized: () => refusal(401, 'Unauthenticated', 'You did not pass a valid authentication token'),
    notFound: () => refusal(404, 'Not found', 'The requested resource could not be found.'),
    // The example in the reference has no `webhook` in its items, though single predictions do.
    listed: (jobs, context) => ({
      status: 200,
      body: {
        next: null,
        previous: null,
        results: jobs.slice(0, PAGE_LENGTH).map(job => predictionOf(job, job.state, context)),
      },
    }),
    looked: (job, told, _look, context) => ({ status: 200, body: predictionOf(job, told, context) }),
    cancelled: (job, _hadEnded, context) => ({ status: 200, body: predictionOf(job, job.state, context) }),
    callback: (job, genuine, context) => {
      const body = JSON.stringify(predictionOf(job, job.state, context))
      const timestamp = String(Math.floor(Date.now() / 1000))
      const id = `msg_${job.id}_${job.looks}`
      const key = Buffer.from((genuine ? secret : forged).slice('whsec_'.length), 'base64')
      const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
      return {
        headers: {
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': `v1,c3RhbGU= v1,${signature}`,
        },
        body,
      }
    },
  }
}

function errandOf({ method, path, body }: WireRequest, secret: string): Errand | undefined {
  if (!path.startsWith('/v1/')) return undefined
  const rest = path.slice('/v1'.length)
  if (rest === '/webhooks/default/secret')
    return { kind: 'fixed', answer: { status: 200, body: { key: secret } } }
  const model = /^\/models\/([^/]+\/[^/]+)\/predictions$/.exec(rest)?.[1]
  if (method === 'POST' && model !== undefined) return { kind: 'create', asked: askedOf(model, body) }
  if (method === 'POST' && rest === '/predictions' && typeof body.version === 'string') {
    return { kind: 'create', asked: askedOf(body.version, body) }
  }
  if (method === 'GET' && rest === '/predictions') return { kind: 'list' }
  const [, id, what] = /^\/predictions\/([^/]+)(\/cancel)?$/.exec(rest) ?? []
  if (id === undefined) return undefined
  if (what === '/cancel') return method === 'POST' ? { kind: 'cancel', id } : undefined
  return method === 'GET' ? { kind: 'look', id } : undefined
}

function askedOf(model: string, body: Readonly<Record<string, unknown>>): AskedJob {
  const input = (body.input ?? {}) as Readonly<Record<string, unknown>>
  const files = Number(input.num_outputs ?? input.number_of_images ?? 1)
  return {
    model,
    family: 'prediction',
    kind: kindOf(model),
    files,
    seconds: Number(input.duration ?? 0) || 0,
    callbackUrl: typeof body.webhook === 'string' ? body.webhook : undefined,
    body,
  }
}

function kindOf(model: string): FileKind {
  if (/video|veo|kling|seedance|wan-|hailuo|ltx|sora|pixverse|vidu|gen-4/.test(model)) return 'video'
  if (/music|speech|lyria|audio|tts|chatterbox/.test(model)) return 'audio'
  return /3d|trellis|hunyuan3d/.test(model) ? 'mesh' : 'image'
}

function predictionOf(
  job: Job,
  told: ToldState,
  { origin, files }: FormatContext,
): Readonly<Record<string, unknown>> {
  const address = `${origin}/v1/predictions/${job.id}`
  const urls = told === 'succeeded' ? files(job) : []
  const isList = job.asked.kind === 'image'
  return {
    id: job.id,
    model: job.asked.model,
    version: 'hidden',
    input: job.asked.body.input,
    logs: '',
    output: urls.length === 0 ? null : isList ? urls : urls[0],
    data_removed: false,
    error: told === 'failed' ? ERRORS[job.failure] : null,
    source: 'api',
    status: STATUS[told],
    created_at: new Date(job.createdAtMs).toISOString(),
    completed_at: job.endedAtMs === undefined ? null : new Date(job.endedAtMs).toISOString(),
    metrics: told === 'succeeded' ? { predict_time: 0.1, total_time: 0.2 } : {},
    urls: { get: address, cancel: `${address}/cancel`, web: 'https://replicate.com/p/simulated' },
  }
}
