/** Limits: how often a subject may call. The only door of this module. */
export type { HourlyBuckets, HourlyCount } from './hourly-buckets.ts'
export { createHourlyBuckets } from './hourly-buckets.ts'
export type { RateLimiter, RateLimiterOptions, Taken } from './rate-limiter.ts'
export { createRateLimiter } from './rate-limiter.ts'
export type { ScriptRunner } from './shared-logs.ts'
