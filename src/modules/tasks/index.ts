/** Tasks: rows that are the truth and the queue. README.md has the words and the invariants. */
export type { Attempt, AttemptFault, AttemptState } from './attempts.ts'
export { advanced, isLaterStep, isOver, isSeated, summaryOf, withAttempt } from './attempts.ts'
export type {
  Lease,
  LeasedTask,
  NewTask,
  Seat,
  SeatWanted,
  StepChanges,
  StoredTask,
  TaskEnd,
  TaskWork,
} from './record.ts'
export type { FinishParts, SubmitParts } from './statements.pg.ts'
export type { TaskStore } from './store.pg.ts'
export { createTaskStore, LeaseLost } from './store.pg.ts'

/** For ids that do not exist, and for those of others. */
export const TASK_NOT_FOUND =
  'There is no such task in this workspace. Check its id, and that the key is of the same mode.'
