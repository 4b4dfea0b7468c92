/** Accounts: who pays. The only door of this module. */
export type { CapChange, DecideTier, Plan, Tier, TierCase, TierChange, Workspace } from './account.ts'
export { MOST_KEEP_FILES_DAYS, PLANS } from './account.ts'
export type { Accounts } from './accounts.pg.ts'
export { createAccounts } from './accounts.pg.ts'
export type { Heartbeat } from './nodes.pg.ts'
export { HEARTBEAT_EVERY_MS, NODE_DEAD_AFTER_MS } from './nodes.pg.ts'
