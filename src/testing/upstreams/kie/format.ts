/**
 * kie.ai on the wire: an envelope of `code`, `msg` and `data` whose HTTP status is 200 whatever happened. Written from
 * docs.kie.ai as of August 2026 (common rules and webhook verification) and from what public clients of it show; nothing in it
 * was recorded for this project.
 */
import { createHmac } from 'node:crypto'
import type { FileKind } from '../media/files.ts'
import type { Job } from '../media/job.ts'
import type {
  Errand,
  FormatContext,
  Refusal,
  VendorFormat,
  WireAnswer,
  WireRequest,
} from '../media/vendor-format.ts'
import { CODES, KIE_FAMILIES, type KieFamily } from './record.ts'
import { VOICE_FAMILIES } from './voice-records.ts'

const FAMILIES: readonly KieFamily[] = [...KIE_FAMILIES, ...VOICE_FAMILIES]

const envelope = (code: number, msg: string, data: unknown = null): WireAnswer => ({
  status: 200,
  body: { code, msg, data },
})

const REFUSALS: Readonly<Record<Refusal, WireAnswer>> = {
  400: envelope(400, 'The request body could not be read'),
  402: envelope(402, 'The current credits are insufficient. Please top up.'),
  422: envelope(422, 'Please enter prompt.'),
  429: envelope(429, 'Call frequency is too high. Please try again later.'),
  500: envelope(500, 'Server Error - An unexpected error occurred while processing the request'),
  503: envelope(455, 'Service unavailable: system is under maintenance'),
  moderated: envelope(400, 'Your prompt was flagged by Website as violating content policies.'),
}

/** `secret`: the account's webhook key; without it callbacks are not signed. */
export function kieFormat(secret: string | undefined): VendorFormat {
  return {
    name: 'kie',
    auth: { header: 'authorization', prefix: 'Bearer ' },
    makeId: number => `330a9433fd309e9e18df1c56${String(number).padStart(8, '0')}`,
    errandOf,
    created: job => envelope(200, 'success', { taskId: job.id, recordId: job.id }),
    refused: refusal => REFUSALS[refusal],
    unauthorized: () => ({ status: 200, body: { code: 401, msg: 'You do not have access permissions' } }),
    notFound: () => envelope(422, 'recordInfo is null'),
    looked: (job, told, look, context) => {
      const isReady = told === 'succeeded' || (told === 'running' && look > 2 && job.state === 'succeeded')
      return envelope(200, 'success', familyOf(job).data(job, told, look, isReady ? context.files(job) : []))
    },
    callback: (job, genuine, context) => {
      const files = context.files(job)
      const fields = familyOf(job).callback?.(job, files) ?? { data: { task_id: job.id } }
      const isOk = job.state === 'succeeded'
      const code = isOk ? 200 : CODES[job.failure]
      const body = JSON.stringify({
        code,
        msg: isOk ? 'All generated successfully.' : 'Task failed.',
        ...fields,
      })
      if (secret === undefined) return { headers: {}, body }
      const timestamp = String(Math.floor(Date.now() / 1000))
      const signature = createHmac('sha256', genuine ? secret : 'another key')
        .update(`${job.id}.${timestamp}`)
        .digest('base64')
      return { headers: { 'x-webhook-timestamp': timestamp, 'x-webhook-signature': signature }, body }
    },
  }
}

function familyOf(job: Job): KieFamily {
  const family = FAMILIES.find(one => one.create === job.asked.family)
  if (family === undefined) throw new TypeError(`no family is created at ${job.asked.family}`)
  return family
}

function errandOf({ method, path, query, body }: WireRequest, _context: FormatContext): Errand | undefined {
  if (method === 'GET') {
    const isRecord = FAMILIES.some(family => family.record === path)
    return isRecord ? { kind: 'look', id: query.get('taskId') ?? '' } : undefined
  }
  if (path === '/api/v1/style/generate') {
    const data = { taskId: 'style', result: 'dreamy pop, soft synths', successFlag: '1', errorCode: null }
    return { kind: 'fixed', answer: envelope(200, 'success', data) }
  }
  const family = FAMILIES.find(one => one.create === path)
  if (family === undefined) return undefined
  if (
    path.startsWith('/api/v1/generate') &&
    typeof body.callBackUrl !== 'string' &&
    !/sounds|replace/.test(path)
  ) {
    return { kind: 'fixed', answer: envelope(422, 'Please enter callBackUrl.') }
  }
  return { kind: 'create', asked: askedOf(path, family, body) }
}

function askedOf(path: string, family: KieFamily, body: Readonly<Record<string, unknown>>) {
  const input = (body.input ?? body) as Readonly<Record<string, unknown>>
  const model = typeof body.model === 'string' ? body.model : path
  const asked = Number(input.num_images ?? input.n ?? input.nVariants ?? family.files)
  return {
    model,
    family: path,
    kind: family.kind === 'by-model' ? kindOf(model) : family.kind,
    files: Number.isFinite(asked) ? asked : family.files,
    seconds: Number(input.duration ?? input.n_frames ?? 0) || 0,
    callbackUrl: typeof body.callBackUrl === 'string' ? body.callBackUrl : undefined,
    body,
  }
}

function kindOf(model: string): FileKind {
  if (/image/.test(model) && !/to-video/.test(model)) return 'image'
  if (/text-to-speech|dialogue|sound-effect|audio|tts/.test(model)) return 'audio'
  return /video|seedance|kling|hailuo|wan\/|sora|minimax|infinitalk|happyhorse|v1-|pixverse/.test(model)
    ? 'video'
    : 'image'
}
