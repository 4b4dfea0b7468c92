/** What the rounds of one column came to: medians. */
import { type Measured, otherCores } from './measure.ts'
import type { Entrant, Scenario } from './plan.ts'
import { median } from './samples.ts'

export interface Summary {
  readonly entrant: Entrant
  readonly rounds: number
  readonly answered: number
  readonly errors: Readonly<Record<string, number>>
  readonly perSecond: number
  readonly eventsPerSecond: number
  readonly eventsPerRead: number
  readonly latencyP50Ms: number
  readonly latencyP99Ms: number
  readonly firstChunkP50Ms: number
  readonly firstChunkP99Ms: number
  readonly eventDelayP50Ms: number
  readonly eventDelayP99Ms: number
  /** CPU per answer that ended in the window. */
  readonly gatewayMsPerAnswer: number
  readonly databaseMsPerAnswer: number
  readonly gatewayUsPerEvent: number
  readonly databaseUsPerEvent: number
  /** Parts of a core: 1 is one core, busy. */
  readonly gatewayCores: number
  readonly databaseCores: number
  readonly generatorCores: number
  readonly upstreamCores: number
  readonly otherCores: number
  readonly gatewayMb: number
  readonly databaseMb: number
  readonly openStreams: number
  /** The least and the most requests/s of its rounds: how noisy the machine was. */
  readonly perSecondRange: readonly [number, number]
}

export interface ScenarioSummary {
  readonly scenario: Scenario
  readonly columns: readonly Summary[]
}

export function summarize(entrant: Entrant, rounds: readonly Measured[]): Summary {
  const of = (value: (one: Measured) => number) => median(rounds.map(value))
  const seconds = (one: Measured) => one.load.windowMs / 1000
  const cores = (value: (one: Measured) => number) => of(one => value(one) / one.load.windowMs)
  const rates = rounds.map(one => one.load.inWindow / seconds(one))
  return {
    entrant,
    rounds: rounds.length,
    answered: rounds.reduce((sum, one) => sum + one.load.answered, 0),
    errors: addUp(rounds.map(one => one.load.errors)),
    perSecond: median(rates),
    perSecondRange: [Math.min(...rates), Math.max(...rates)],
    eventsPerSecond: of(one => one.load.events / seconds(one)),
    eventsPerRead: of(one => ratio(one.load.events, one.load.reads)),
    latencyP50Ms: of(one => one.load.latency.p50),
    latencyP99Ms: of(one => one.load.latency.p99),
    firstChunkP50Ms: of(one => one.load.firstChunk.p50),
    firstChunkP99Ms: of(one => one.load.firstChunk.p99),
    eventDelayP50Ms: of(one => one.load.eventDelay.p50),
    eventDelayP99Ms: of(one => one.load.eventDelay.p99),
    gatewayMsPerAnswer: of(one => ratio(one.cpu.gatewayMs, one.load.inWindow)),
    databaseMsPerAnswer: of(one => ratio(one.cpu.databaseMs, one.load.inWindow)),
    gatewayUsPerEvent: of(one => ratio(one.cpu.gatewayMs * 1000, one.load.events)),
    databaseUsPerEvent: of(one => ratio(one.cpu.databaseMs * 1000, one.load.events)),
    gatewayCores: cores(one => one.cpu.gatewayMs),
    databaseCores: cores(one => one.cpu.databaseMs),
    generatorCores: cores(one => one.cpu.loadMs),
    upstreamCores: cores(one => one.cpu.upstreamMs),
    otherCores: of(otherCores),
    gatewayMb: of(one => one.memory.gatewayMb),
    databaseMb: of(one => one.memory.databaseMb),
    openStreams: of(one => one.openStreams),
  }
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

function addUp(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const one of all) {
    for (const [why, count] of Object.entries(one)) total[why] = (total[why] ?? 0) + count
  }
  return total
}
