/**
 * What every provider must do, run by each provider's test against a simulator of its vendor. The list of cases
 * is the same for all: a case that cannot apply is named, with the reason, and shows as skipped.
 */
import { describe } from 'vitest'
import { type ConformanceOptions, openBench } from './conformance/bench.suite.ts'
import { describeStreams, describeWholeAnswers } from './conformance/chat-answers.suite.ts'
import { describeBrokenStreams, describeFailures } from './conformance/chat-failures.suite.ts'
import { describeEmbeddings } from './conformance/embeddings.suite.ts'

export type { ConformanceOptions, SimulatedVendor } from './conformance/bench.suite.ts'
export { CIRCUMSTANCES, type Circumstance } from './conformance/calls.ts'

/** Call it inside a `describe`. */
export function providerConformance(options: ConformanceOptions): void {
  const bench = openBench(options)
  const { notApplicable = {} } = options
  describe.skipIf(notApplicable.chat !== undefined)('chat', () => {
    describeWholeAnswers(bench)
    describeStreams(bench)
    describeFailures(bench)
    describeBrokenStreams(bench)
  })
  describe.skipIf(notApplicable.embed !== undefined)('embed', () => describeEmbeddings(bench))
}
