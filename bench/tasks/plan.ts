/** How many of what, for how long. On a quiet machine the default takes some five minutes, the quick one less than one. */

export interface TasksPlan {
  /** Finished tasks in the two databases that are compared. */
  readonly finished: readonly [small: number, large: number]
  readonly rounds: number
  readonly warmUpMs: number
  readonly measureMs: number
  readonly connections: number
  /** How long servers with nothing to do are watched, and the tasks that wait for later in one of them. */
  readonly idleMs: number
  readonly waitingTasks: number
  /** Callbacks that are due when the server starts, the places they go to, and those that a dead place has besides. */
  readonly callbacks: number
  readonly lanes: number
  readonly deadCallbacks: number
}

export function tasksPlan(quick: boolean): TasksPlan {
  return quick
    ? {
        finished: [10_000, 100_000],
        rounds: 1,
        warmUpMs: 200,
        measureMs: 800,
        connections: 32,
        idleMs: 4_000,
        waitingTasks: 10_000,
        callbacks: 1_000,
        lanes: 100,
        deadCallbacks: 1_000,
      }
    : {
        finished: [10_000, 1_000_000],
        rounds: 4,
        warmUpMs: 600,
        measureMs: 2_500,
        connections: 32,
        idleMs: 20_000,
        waitingTasks: 10_000,
        callbacks: 5_000,
        lanes: 200,
        deadCallbacks: 1_000,
      }
}
