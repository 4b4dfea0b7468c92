/** The page of a run: aims first, then a table per scenario. */
import { aims, aimTable } from './aims.ts'
import { commitText, type Machine, machineText } from './machine.ts'
import { ms, table, times, whole } from './markdown.ts'
import { isExact, type MoneyCheck } from './money-check.ts'
import { OPEN_INTERVAL_MS, PACED_INTERVAL_MS, type ScenarioName, STREAM_EVENTS } from './plan.ts'
import { median } from './samples.ts'
import type { ScenarioSummary, Summary } from './summary.ts'
import { KEYS_PER_WORKSPACE, WORKSPACES } from './tollgate-target.ts'

export function render(
  machine: Machine,
  summaries: readonly ScenarioSummary[],
  money: MoneyCheck | undefined,
): string {
  const sections = [
    preamble(machine, summaries, money),
    aimTable(aims(summaries, money, machine.commitMs)),
    ...summaries.map(
      summary => `### ${HEADINGS[summary.scenario.name]}\n\n${TABLES[summary.scenario.name](summary)}`,
    ),
    errorsOf(summaries),
    money === undefined ? '' : `### The money\n\n${moneyText(money)}`,
  ]
  return sections.filter(section => section !== '').join('\n\n')
}

function preamble(
  machine: Machine,
  summaries: readonly ScenarioSummary[],
  money: MoneyCheck | undefined,
): string {
  const others = median(summaries.flatMap(({ columns }) => columns.map(column => column.otherCores)))
  const postgres = money === undefined ? '' : `, PostgreSQL ${money.postgresVersion}`
  return (
    `Run on ${machineText(machine)}, Node ${machine.node}${postgres}. ` +
    `${commitText(machine)} Gateway, PostgreSQL, upstream and load generator share ` +
    `the cores; everything else on the machine used ${others.toFixed(2)} of a core meanwhile (median). Figures are medians over the ` +
    'rounds, which took the columns in turn.'
  )
}

const HEADINGS: Readonly<Record<ScenarioName, string>> = {
  plain: '2 kB chats, 64 connections',
  latency: '2 kB chats, one connection',
  streams: `Streams of ${STREAM_EVENTS} events, 64 connections, an event each millisecond`,
  paced: `Streams of ${STREAM_EVENTS} events, 32 connections, an event each ${PACED_INTERVAL_MS} ms: below saturation`,
  open: `Open streams, an event each ${OPEN_INTERVAL_MS / 1000} s on each`,
}

const TABLES: Readonly<Record<ScenarioName, (summary: ScenarioSummary) => string>> = {
  plain: ({ columns }) => {
    const bare = rateOf(columns, 'bare')
    const portkey = rateOf(columns, 'portkey')
    return table(
      [
        '',
        'requests/s',
        'least–most of the rounds',
        'p50 ms',
        'p99 ms',
        'CPU ms/request: gateway',
        'PostgreSQL',
        'RSS MB: gateway',
        'PostgreSQL',
        '× bare',
        '× Portkey',
      ],
      columns.map(column => [
        titleOf(column),
        whole(column.perSecond),
        column.perSecondRange.map(whole).join('–'),
        ms(column.latencyP50Ms),
        ms(column.latencyP99Ms),
        ...costs(column, column.gatewayMsPerAnswer, column.databaseMsPerAnswer),
        ...memory(column),
        times(column.perSecond, bare),
        times(column.perSecond, portkey),
      ]),
    )
  },
  latency: ({ columns }) => {
    const p50 = (name: string) => columns.find(one => one.entrant.target === name)?.latencyP50Ms
    return table(
      [
        '',
        'p50 ms',
        'p99 ms',
        'added p50 over direct',
        'over bare',
        'requests/s',
        'CPU ms/request: gateway',
        'PostgreSQL',
      ],
      columns.map(column => [
        titleOf(column),
        ms(column.latencyP50Ms),
        ms(column.latencyP99Ms),
        added(column.latencyP50Ms, p50('direct')),
        added(column.latencyP50Ms, p50('bare')),
        whole(column.perSecond),
        ...costs(column, column.gatewayMsPerAnswer, column.databaseMsPerAnswer),
      ]),
    )
  },
  streams: ({ columns }) =>
    table(
      [
        '',
        'streams/s',
        'events/s',
        'events per read',
        'first chunk p50 ms',
        'p99 ms',
        'CPU ms/stream: gateway',
        'PostgreSQL',
        'streams/s per core (both)',
        '× bare',
        '× Portkey',
      ],
      columns.map(column => [
        titleOf(column),
        whole(column.perSecond),
        whole(column.eventsPerSecond),
        column.eventsPerRead.toFixed(1),
        ms(column.firstChunkP50Ms),
        ms(column.firstChunkP99Ms),
        ...costs(column, column.gatewayMsPerAnswer, column.databaseMsPerAnswer),
        column.gatewayMsPerAnswer === 0
          ? '–'
          : whole(1000 / (column.gatewayMsPerAnswer + column.databaseMsPerAnswer)),
        times(column.perSecond, rateOf(columns, 'bare')),
        times(column.perSecond, rateOf(columns, 'portkey')),
      ]),
    ),
  paced: ({ columns }) => {
    const bare = columns.find(one => one.entrant.target === 'bare')
    return table(
      [
        '',
        'first chunk p50 ms',
        'p99 ms',
        'event delay p50 ms',
        'p99 ms',
        'added over bare p50',
        'events/s',
        'CPU µs/event: gateway',
        'PostgreSQL',
      ],
      columns.map(column => [
        titleOf(column),
        ms(column.firstChunkP50Ms),
        ms(column.firstChunkP99Ms),
        ms(column.eventDelayP50Ms),
        ms(column.eventDelayP99Ms),
        added(column.eventDelayP50Ms, bare?.eventDelayP50Ms),
        whole(column.eventsPerSecond),
        ...microCosts(column),
      ]),
    )
  },
  open: ({ columns }) =>
    table(
      [
        '',
        'open streams',
        'events/s',
        'RSS MB: gateway',
        'PostgreSQL',
        'event delay p50 ms',
        'p99 ms',
        'CPU µs/event: gateway',
        'PostgreSQL',
      ],
      columns.map(column => [
        titleOf(column),
        whole(column.openStreams),
        whole(column.eventsPerSecond),
        ...memory(column),
        ms(column.eventDelayP50Ms),
        ms(column.eventDelayP99Ms),
        ...microCosts(column),
      ]),
    ),
}

const SHOWN_VIOLATIONS = 5

function moneyText(money: MoneyCheck): string {
  const { plain, streams } = money.answered
  const verdict = isExact(money) ? 'Exact' : '**Not exact**'
  return (
    `${verdict}: ${whole(plain)} chats and ${whole(streams)} streams were answered in this run. Their price is ${money.expectedNanoUsd} ` +
    `nano-dollars; the ledger says ${money.ledgerNanoUsd}. ${money.usageRows} usage rows, ${money.openHolds} open holds; \`tollgate audit\` ` +
    `checks ${money.invariants} invariants and finds ${money.violations.length} broken${money.violations
      .slice(0, SHOWN_VIOLATIONS)
      .map(one => `; ${typeof one === 'string' ? one : JSON.stringify(one)}`)
      .join('')}.`
  )
}

function errorsOf(summaries: readonly ScenarioSummary[]): string {
  const lines = summaries.flatMap(({ scenario, columns }) =>
    columns.flatMap(column =>
      Object.entries(column.errors).map(
        ([why, count]) => `- ${scenario.name}, ${titleOf(column)}: ${count} × ${why}`,
      ),
    ),
  )
  return lines.length === 0 ? '' : `### Failed calls\n\n${lines.join('\n')}`
}

export function titleOf({ entrant }: Summary): string {
  switch (entrant.target) {
    case 'direct':
      return 'upstream direct'
    case 'bare':
      return 'bare Fastify + undici proxy'
    case 'portkey':
      return 'Portkey 1.15.2'
    case 'tollgate':
      return entrant.keys === 'one'
        ? '**Tollgate**, one hot key'
        : `**Tollgate**, ${WORKSPACES} workspaces × ${KEYS_PER_WORKSPACE} keys`
  }
}

/** CPU of the gateway and of PostgreSQL in milliseconds, where there is either. */
function costs(column: Summary, gatewayMs: number, databaseMs: number): string[] {
  if (column.entrant.target === 'direct') return ['–', '–']
  return [gatewayMs.toFixed(3), column.entrant.target === 'tollgate' ? databaseMs.toFixed(3) : '–']
}

function microCosts(column: Summary): string[] {
  if (column.entrant.target === 'direct') return ['–', '–']
  const database = column.entrant.target === 'tollgate' ? column.databaseUsPerEvent.toFixed(1) : '–'
  return [column.gatewayUsPerEvent.toFixed(1), database]
}

function memory(column: Summary): string[] {
  if (column.entrant.target === 'direct') return ['–', '–']
  return [whole(column.gatewayMb), column.entrant.target === 'tollgate' ? whole(column.databaseMb) : '–']
}

function rateOf(columns: readonly Summary[], name: string): number | undefined {
  return columns.find(one => one.entrant.target === name)?.perSecond
}

function added(value: number, base: number | undefined): string {
  return base === undefined ? '–' : ms(value - base)
}
