/**
 * What every provider of media tasks must do, run by each provider's test against a simulator of its vendor. The list of
 * cases is the same for all: what cannot apply is named, with the reason, and shows as skipped.
 */
import { describeAnyAnswer } from './task-conformance/any-answer.suite.ts'
import { openTaskBench, type TaskConformanceOptions } from './task-conformance/bench.suite.ts'
import { describeCallbacks } from './task-conformance/callbacks.suite.ts'
import { describeCreateCalls } from './task-conformance/create-calls.suite.ts'
import { describeLooks } from './task-conformance/looks.suite.ts'

export type { SimulatedTaskVendor, TaskConformanceOptions } from './task-conformance/bench.suite.ts'

/** Call it inside a `describe`. */
export function taskConformance(options: TaskConformanceOptions): void {
  const bench = openTaskBench(options)
  describeCreateCalls(bench, options)
  describeLooks(bench, options)
  describeCallbacks(bench, options)
  describeAnyAnswer(bench, options)
}
