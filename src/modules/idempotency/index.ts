/** Idempotency: one key, one call, one charge. The only door of this module. */
export type { Idempotency, IdempotencyOptions } from './idempotency.ts'
export { createIdempotency } from './idempotency.ts'
export type { Begun, Joined, KeyedCall, StoredAnswer } from './record.ts'
export { MAX_STORED_BYTES } from './record.ts'
export { createIdempotencyStore } from './store.pg.ts'
