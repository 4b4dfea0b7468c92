/** Limits: how often a subject may call. The only door of this module. */
export type { RateLimiter, RateLimiterOptions, Taken } from './rate-limiter.ts'
export { createRateLimiter } from './rate-limiter.ts'
export type { ScriptRunner } from './shared-logs.ts'
