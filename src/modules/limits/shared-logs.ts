/**
 * The same sliding logs for all nodes together, in Valkey: one list of times per subject, in microseconds of the
 * server's clock. Each script touches one key, whose name is its own hash tag, so it runs in a cluster too.
 */
import type { RateLimit } from '#spec/account.ts'
import type { Decision } from './sliding-log.ts'

/** Runs a Lua script on the server, in one step. Rejects where the server does not answer in time. */
export interface ScriptRunner {
  run(lua: string, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown>
}

/** A call that was counted can be uncounted by its stamp. */
export type SharedDecision = Decision & { readonly stamp: string }

/**
 * KEYS[1] the list, ARGV: window in ms, calls. Gives {1, remaining, stamp} or {0, wait in µs, ''}.
 * A server whose clock went back by more than a window starts the list anew, or it would refuse until then.
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window = ARGV[1] * 1000
local calls = tonumber(ARGV[2])
local newest = redis.call('LINDEX', KEYS[1], -1)
if newest and newest - now > window then
  redis.call('DEL', KEYS[1])
elseif newest and newest - now > 0 then
  now = tonumber(newest)
end
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and now - oldest >= window do
  redis.call('LPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], 0)
end
local count = redis.call('LLEN', KEYS[1])
if count >= calls then
  return {0, redis.call('LINDEX', KEYS[1], count - calls) + window - now, ''}
end
local stamp = string.format('%.0f', now)
redis.call('RPUSH', KEYS[1], stamp)
redis.call('PEXPIRE', KEYS[1], ARGV[1] + 1)
return {1, calls - count - 1, stamp}`

const GIVE_BACK = `return redis.call('LREM', KEYS[1], -1, ARGV[1])`

/** Counts a call of the subject, if it is allowed. Rejects where Valkey does not answer. */
export async function takeShared(
  valkey: ScriptRunner,
  subject: string,
  limit: RateLimit,
): Promise<SharedDecision> {
  const reply = await valkey.run(TAKE, [keyOf(subject)], [limit.windowMs, limit.calls])
  if (!Array.isArray(reply)) throw new TypeError('the rate limit script gave something else than a list')
  const [allowed, figure, stamp] = reply as unknown[]
  if (allowed === 1) return { allowed: true, remaining: Number(figure), stamp: String(stamp) }
  return { allowed: false, waitMs: Number(figure) / 1000, stamp: '' }
}

/** Uncounts the call of this stamp. */
export async function giveBackShared(valkey: ScriptRunner, subject: string, stamp: string): Promise<void> {
  await valkey.run(GIVE_BACK, [keyOf(subject)], [stamp])
}

function keyOf(subject: string): string {
  return `tollgate:calls:{${subject}}`
}
