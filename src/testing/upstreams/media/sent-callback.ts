/** What a vendor tells whoever asked to be called back. */
import type { Job } from './job.ts'
import type { FormatContext, VendorFormat } from './vendor-format.ts'

export interface SentCallback {
  readonly jobId: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly genuine: boolean
  /** 0 where it could not be delivered. */
  readonly status: number
}

const PATIENCE_MS = 15_000

/** Sends it once, with a signature that is the vendor's or is not; `undefined` where nobody can be called back. */
export async function sendCallback(
  format: VendorFormat,
  job: Job,
  genuine: boolean,
  context: FormatContext,
): Promise<SentCallback | undefined> {
  const { callbackUrl } = job.asked
  // A reserved name: nobody can be called back there.
  if (callbackUrl === undefined || /\.invalid\//.test(callbackUrl)) return undefined
  const { headers, body } = format.callback(job, genuine, context)
  const status = await fetch(callbackUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).then(
    answer => answer.status,
    () => 0,
  )
  return { jobId: job.id, url: callbackUrl, headers, body, genuine, status }
}
