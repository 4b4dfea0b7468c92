/** What is run, for how long. The default takes six to eight minutes, the quick one little more than one. */
import type { Pace } from './messages.ts'
import type { TargetName } from './target.ts'

export const SCENARIO_NAMES = ['plain', 'latency', 'streams', 'paced', 'open'] as const
export type ScenarioName = (typeof SCENARIO_NAMES)[number]

/** One column of a scenario: a target and the keys its calls carry. */
export interface Entrant {
  readonly target: TargetName
  readonly keys: 'all' | 'one'
}

export interface Scenario {
  readonly name: ScenarioName
  readonly streamed: boolean
  readonly connections: number
  readonly pace: Pace
  readonly entrants: readonly Entrant[]
  readonly rounds: number
  /** Whether what is measured waits until every connection has received something. */
  readonly awaitAll: boolean
  readonly rampMs: number
  readonly warmUpMs: number
  readonly measureMs: number
}

const ALL: readonly Entrant[] = [
  { target: 'direct', keys: 'all' },
  { target: 'bare', keys: 'all' },
  { target: 'tollgate', keys: 'all' },
  { target: 'portkey', keys: 'all' },
]
const WITH_HOT_KEY: readonly Entrant[] = [
  ...ALL.slice(0, 3),
  { target: 'tollgate', keys: 'one' },
  ...ALL.slice(3),
]
const PROXY_AND_TOLLGATE: readonly Entrant[] = ALL.slice(1, 3)

/** Events of one stream in the scenarios where streams end by themselves. */
export const STREAM_EVENTS = 40
export const PACED_INTERVAL_MS = 10
/** Each open stream gets an event this often. */
export const OPEN_INTERVAL_MS = 1_000
export const OPEN_STREAMS = 5_000

const NO_STREAM: Pace = { events: 0, intervalMs: 0 }

/** Before the first round each column runs for so long, and is not counted: compilers and caches are cold at first. */
export function coldRunOf(scenario: Scenario): Scenario {
  return { ...scenario, warmUpMs: 0, measureMs: scenario.measureMs / 2 }
}

export function plannedScenarios(quick: boolean): readonly Scenario[] {
  const rounds = (full: number) => (quick ? 1 : full)
  const closed = { awaitAll: false, rampMs: 0, warmUpMs: quick ? 300 : 600, measureMs: quick ? 1_200 : 3_000 }
  return [
    {
      ...closed,
      name: 'plain',
      streamed: false,
      connections: 64,
      pace: NO_STREAM,
      entrants: WITH_HOT_KEY,
      rounds: rounds(5),
    },
    {
      ...closed,
      name: 'latency',
      streamed: false,
      connections: 1,
      pace: NO_STREAM,
      entrants: ALL,
      rounds: rounds(4),
      measureMs: quick ? 1_200 : 2_000,
    },
    {
      ...closed,
      name: 'streams',
      streamed: true,
      connections: 64,
      pace: { events: STREAM_EVENTS, intervalMs: 1 },
      entrants: ALL,
      rounds: rounds(3),
    },
    {
      ...closed,
      name: 'paced',
      streamed: true,
      connections: 32,
      pace: { events: STREAM_EVENTS, intervalMs: PACED_INTERVAL_MS },
      entrants: ALL,
      rounds: rounds(3),
    },
    {
      awaitAll: true,
      name: 'open',
      streamed: true,
      connections: OPEN_STREAMS,
      pace: { events: 'until-asked', intervalMs: OPEN_INTERVAL_MS },
      entrants: PROXY_AND_TOLLGATE,
      rounds: 1,
      rampMs: quick ? 3_000 : 6_000,
      warmUpMs: quick ? 1_000 : 2_000,
      measureMs: quick ? 2_000 : 8_000,
    },
  ]
}
