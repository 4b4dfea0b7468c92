/** The aims, whether they were met, and what limits those that were not. */
import { isExact, type MoneyCheck } from './money-check.ts'
import { OPEN_INTERVAL_MS, OPEN_STREAMS, type ScenarioName } from './plan.ts'
import type { ScenarioSummary, Summary } from './summary.ts'
import type { TargetName } from './target.ts'

export interface Aim {
  readonly aim: string
  readonly measured: string
  readonly met: boolean
  /** What limits it, where it was not met. */
  readonly limit: string
}

const RATIO_TO_BARE = 0.5
const RATIO_TO_PORTKEY = 5
const ADDED_P50_MS = 1
/** Below this the medians of two runs of the same proxy differ. */
const ADDED_EVENT_DELAY_MS = 0.1
const OPEN_STREAMS_MB = 600

export function aims(
  summaries: readonly ScenarioSummary[],
  money: MoneyCheck | undefined,
  commitMs: number,
): readonly Aim[] {
  return [
    ...throughputAims(summaries),
    ...latencyAims(summaries, commitMs),
    ...eventAims(summaries),
    ...openAims(summaries),
    ...(money === undefined ? [] : [moneyAim(money)]),
  ]
}

/** The aims as a table, and under it a sentence for each that was missed. */
export function aimTable(all: readonly Aim[]): string {
  if (all.length === 0) return ''
  const rows = all.map(({ aim, measured, met }) => `| ${aim} | ${measured} | ${met ? 'met' : '**missed**'} |`)
  const missed = all.filter(({ met }) => !met).map(({ aim, limit }) => `- Missed, ${aim}: ${limit}`)
  const table = ['| aim | measured | |', '|---|---|---|', ...rows].join('\n')
  return missed.length === 0 ? table : `${table}\n\n${missed.join('\n')}`
}

function throughputAims(summaries: readonly ScenarioSummary[]): Aim[] {
  const bare = column(summaries, 'plain', 'bare')
  const portkey = column(summaries, 'plain', 'portkey')
  return (['all', 'one'] as const).flatMap(keys => {
    const tollgate = column(summaries, 'plain', 'tollgate', keys)
    if (!tollgate) return []
    const which = keys === 'all' ? '200 capped keys' : 'one hot key'
    return [
      ...rateAim(tollgate, bare, RATIO_TO_BARE, 'the bare proxy', which),
      ...rateAim(tollgate, portkey, RATIO_TO_PORTKEY, 'Portkey', which),
    ]
  })
}

function rateAim(
  tollgate: Summary,
  base: Summary | undefined,
  ratio: number,
  name: string,
  which: string,
): Aim[] {
  if (!base) return []
  const reached = tollgate.perSecond / base.perSecond
  return [
    {
      aim: `≥ ${ratio} × ${name} in requests/s, 64 connections, ${which}`,
      measured: `${reached.toFixed(2)} ×`,
      met: reached >= ratio,
      limit: throughputLimit(tollgate, base),
    },
  ]
}

/** A thread or a machine so far used has no more to give. */
const FULL = 0.85

function throughputLimit(tollgate: Summary, base: Summary): string {
  const { gatewayCores, databaseCores, generatorCores, upstreamCores, otherCores } = tollgate
  const used =
    `the gateway used ${gatewayCores.toFixed(2)} of a core, PostgreSQL ${databaseCores.toFixed(2)}, load generator and upstream ` +
    `${(generatorCores + upstreamCores).toFixed(2)}, others ${otherCores.toFixed(2)}`
  const perRequest =
    `a request costs ${tollgate.gatewayMsPerAnswer.toFixed(3)} ms of CPU in the gateway and ` +
    `${tollgate.databaseMsPerAnswer.toFixed(3)} ms in PostgreSQL, against ${base.gatewayMsPerAnswer.toFixed(3)} ms`
  if (gatewayCores >= FULL) return `the gateway's one thread is full; ${perRequest} (${used}).`
  if (databaseCores >= FULL)
    return `PostgreSQL's statements for money take a core of the two; ${perRequest} (${used}).`
  return `the cores are shared out, and between batches gateway and PostgreSQL wait for each other; ${perRequest} (${used}).`
}

function latencyAims(summaries: readonly ScenarioSummary[], commitMs: number): Aim[] {
  const direct = column(summaries, 'latency', 'direct')
  const tollgate = column(summaries, 'latency', 'tollgate')
  if (!direct || !tollgate) return []
  const addedMs = tollgate.latencyP50Ms - direct.latencyP50Ms
  const bare = column(summaries, 'latency', 'bare')
  const overBare = bare
    ? ` (${(tollgate.latencyP50Ms - bare.latencyP50Ms).toFixed(2)} ms over the bare proxy)`
    : ''
  return [
    {
      aim: `added p50 ≤ ${ADDED_P50_MS} ms at one connection`,
      measured: `${addedMs.toFixed(2)} ms${overBare}`,
      met: addedMs <= ADDED_P50_MS,
      limit:
        `two durable commits, one before the upstream is asked and one before the answer leaves: two writes to the disk at ${commitMs.toFixed(2)} ms, ` +
        'and two statements of PostgreSQL; ' +
        `a call costs ${tollgate.gatewayMsPerAnswer.toFixed(2)} ms of CPU in the gateway and ${tollgate.databaseMsPerAnswer.toFixed(2)} ms in PostgreSQL.`,
    },
  ]
}

function eventAims(summaries: readonly ScenarioSummary[]): Aim[] {
  const bare = column(summaries, 'paced', 'bare')
  const tollgate = column(summaries, 'paced', 'tollgate')
  if (!bare || !tollgate) return []
  const addedMs = tollgate.eventDelayP50Ms - bare.eventDelayP50Ms
  return [
    {
      aim: `no added delay per streamed event (p50 within ${ADDED_EVENT_DELAY_MS} ms of the bare proxy)`,
      measured: `${addedMs.toFixed(3)} ms`,
      met: addedMs <= ADDED_EVENT_DELAY_MS,
      limit: `an event costs ${tollgate.gatewayUsPerEvent.toFixed(0)} µs of CPU in the gateway, against ${bare.gatewayUsPerEvent.toFixed(0)} µs; no timer holds it back.`,
    },
  ]
}

function openAims(summaries: readonly ScenarioSummary[]): Aim[] {
  const tollgate = column(summaries, 'open', 'tollgate')
  if (!tollgate) return []
  const { openStreams, gatewayMb, databaseMb, eventsPerSecond } = tollgate
  return [
    {
      aim: `${OPEN_STREAMS} open streams within ${OPEN_STREAMS_MB} MB, an event each ${OPEN_INTERVAL_MS / 1000} s on each`,
      measured: `${openStreams} streams, ${Math.round(eventsPerSecond)} events/s: ${Math.round(gatewayMb)} MB, and ${Math.round(databaseMb)} MB of PostgreSQL`,
      met: openStreams >= OPEN_STREAMS && gatewayMb <= OPEN_STREAMS_MB,
      limit:
        openStreams < OPEN_STREAMS
          ? `only ${openStreams} streams were open when it was looked at.`
          : `${((gatewayMb * 1000) / openStreams).toFixed(0)} kB a stream, of two sockets with their parsers and buffers and the call itself.`,
    },
  ]
}

function moneyAim(money: MoneyCheck): Aim {
  return {
    aim: 'ledger sum = requests × price, to the last nano-dollar',
    measured: `${money.ledgerNanoUsd} of ${money.expectedNanoUsd}`,
    met: isExact(money),
    limit: 'a defect, not a limit: see The money.',
  }
}

function column(
  summaries: readonly ScenarioSummary[],
  scenario: ScenarioName,
  target: TargetName,
  keys: 'all' | 'one' = 'all',
): Summary | undefined {
  return summaries
    .find(summary => summary.scenario.name === scenario)
    ?.columns.find(({ entrant }) => entrant.target === target && entrant.keys === keys)
}
