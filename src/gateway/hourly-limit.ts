/** The bucket of requests by the hour that some formats promise. */
import type { Call, HourlyLimit } from '#spec/gateway.ts'
import { principalOf } from './admission.ts'
import type { GatewayParts } from './parts.ts'

export async function hourlyLimit(parts: GatewayParts, call: Call): Promise<HourlyLimit> {
  const { keyId, plan } = principalOf(call)
  const limit = parts.media.settings.planHourlyLimits.get(plan) ?? Number.MAX_SAFE_INTEGER
  const { used, resetsAtUnixSeconds } = await parts.media.hourly.count(keyId)
  return { limit, remaining: Math.max(0, limit - used), resetsAtUnixSeconds, allowed: used <= limit }
}
