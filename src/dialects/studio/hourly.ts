/**
 * The bucket of the hour: each request of a key takes one, whatever becomes of it, and each answer tells what is left. Hours
 * are those of UTC.
 */
import type { ErrorCode } from '#spec/errors.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, Gateway, HourlyLimit, WireAnswer } from '#spec/gateway.ts'
import { timeOfId } from '#spec/ids.ts'

const SECONDS_PER_HOUR = 3_600

/** Where each request that is being answered stands. A request takes one however often it is asked about. */
const standings = new WeakMap<Call, HourlyLimit>()

/** Takes one from the key's bucket. Throws `rate_limited` where it was empty. */
export async function enterHour(call: Call, gateway: Pick<Gateway, 'hourlyLimit'>): Promise<void> {
  if (standings.has(call)) return
  const standing = await gateway.hourlyLimit(call)
  standings.set(call, standing)
  if (standing.allowed) return
  throw new GatewayError(
    'rate_limited',
    `Your plan allows ${standing.limit} requests an hour. The next hour begins at ${new Date(standing.resetsAtUnixSeconds * 1000).toISOString()}.`,
    { retryAfterSeconds: Math.max(1, standing.resetsAtUnixSeconds - nowSeconds(call)) },
  )
}

/** The time at which the request came, which its id carries. */
function nowSeconds({ requestId }: Call): number {
  return Math.floor(timeOfId(requestId) / 1000)
}

/** The answer with the headers of the bucket, where the key was good. */
export function withHourlyHeaders(call: Call, answer: WireAnswer): WireAnswer {
  const standing = standings.get(call)
  if (standing === undefined) return answer
  return { ...answer, headers: { ...answer.headers, ...headersOf(standing) } }
}

const STRANGERS: ReadonlySet<ErrorCode> = new Set(['missing_api_key', 'invalid_api_key', 'expired_api_key'])

/** For an error: without a good key nothing may be asked in any hour. */
export function withHourlyHeadersOfError(call: Call, code: ErrorCode, answer: WireAnswer): WireAnswer {
  if (!STRANGERS.has(code)) return withHourlyHeaders(call, answer)
  const resetsAtUnixSeconds = (Math.floor(nowSeconds(call) / SECONDS_PER_HOUR) + 1) * SECONDS_PER_HOUR
  return {
    ...answer,
    headers: { ...answer.headers, ...headersOf({ limit: 0, remaining: 0, resetsAtUnixSeconds }) },
  }
}

function headersOf({
  limit,
  remaining,
  resetsAtUnixSeconds,
}: Omit<HourlyLimit, 'allowed'>): Readonly<Record<string, string>> {
  return {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': String(resetsAtUnixSeconds),
  }
}
