/** Periodic work: jobs that the fleet does now and then, each on one node at a time. README.md has the words and the invariants. */
export type { JobRun, PeriodicJob, Schedule, StoredJob } from './record.ts'
export type { PeriodicRunnerOptions, RunOutcome } from './runner.ts'
export { startPeriodicRunner } from './runner.ts'
export type { PeriodicStore } from './store.pg.ts'
export { createPeriodicStore } from './store.pg.ts'
