/** One try: signed anew each time, with the same id. */
import { buffer } from 'node:stream/consumers'
import { renderId, renderTaskId } from '#spec/ids.ts'
import type { Clock, Logger } from '#spec/ports.ts'
import { type SafeFetch, SafeFetchError } from '#spec/safe-fetch.ts'
import type { LeasedDelivery } from './record.ts'
import { retryAfterMsOf, type TryResult } from './schedule.ts'
import { signatureHeaders } from './sign.ts'

/** Headers that receivers of the original API expect beside those of Standard Webhooks. `taskId` is as bodies spell it. */
export type LegacySigner = (callback: {
  readonly taskId: string
  readonly timestampSeconds: number
  /** The secret's text, `whsec_` and all. */
  readonly secret: string
}) => Readonly<Record<string, string>>

/** kie.ai's receivers have this long; Standard Webhooks says 15 to 30 s. */
export const TIMEOUT_MS = 15_000
/** Of the answer's body, which nobody reads: enough for most receivers to end their answer undisturbed. */
const ANSWER_BYTES = 256

export interface Sender {
  readonly safeFetch: SafeFetch
  /** By the id of the dialect that a body is written in. */
  readonly signers: ReadonlyMap<string, LegacySigner>
  readonly clock: Clock
  readonly logger: Logger
}

/** What came of it; `undefined` where the signal cut it off: then it says nothing of the receiver. */
export async function sendTry(
  sender: Sender,
  delivery: LeasedDelivery,
  signal: AbortSignal,
): Promise<TryResult | undefined> {
  const { clock, logger, safeFetch } = sender
  try {
    const answer = await safeFetch(delivery.url, {
      method: 'POST',
      headers: headersOf(sender, delivery),
      body: delivery.body,
      read: 'start',
      maxBytes: ANSWER_BYTES,
      timeoutMs: TIMEOUT_MS,
      signal,
    })
    await buffer(answer.body).catch(() => undefined)
    const retryAfterMs = retryAfterMsOf(answer.headers['retry-after'], clock.nowMs())
    return { status: answer.status, retryAfterMs, error: undefined }
  } catch (error) {
    if (signal.aborted) return undefined
    if (error instanceof SafeFetchError) return unanswered(error.message)
    logger.error({ deliveryId: delivery.id, error }, 'a callback could not be sent')
    return unanswered('It could not be sent.')
  }
}

function headersOf({ clock, signers }: Sender, delivery: LeasedDelivery): Record<string, string> {
  const [secret = ''] = delivery.secrets
  const timestampSeconds = Math.floor(clock.nowMs() / 1000)
  const id = renderId('message', delivery.id)
  const taskId = renderTaskId(delivery.taskId)
  return {
    ...signers.get(delivery.dialect)?.({ taskId, timestampSeconds, secret }),
    'content-type': 'application/json',
    ...signatureHeaders({ id, timestampSeconds, body: delivery.body }, delivery.secrets),
  }
}

function unanswered(error: string): TryResult {
  return { status: undefined, retryAfterMs: undefined, error }
}
