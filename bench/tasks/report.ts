/** The page about tasks, callbacks and idle servers. */
import { commitText, type Machine, machineText } from '../machine.ts'
import { ms, table, times, whole } from '../markdown.ts'
import type { CallbackRun } from './callbacks.ts'
import type { IdleRun } from './idle.ts'
import { TRAFFIC_KINDS, type Traffic, type TrafficKind } from './traffic.ts'

export interface TasksReport {
  readonly connections: number
  readonly rounds: number
  readonly fills: readonly {
    readonly finished: number
    readonly fillMs: number
    readonly fillCpuMs: number
  }[]
  readonly traffic: readonly Traffic[]
  /** Cores that others used during the calls: a median. */
  readonly otherCores: number
  /** Tasks in the databases after the submits, and holds that stand for them, against those that were answered. */
  readonly written: readonly {
    readonly finished: number
    readonly tasks: number
    readonly holds: number
    readonly answered: number
  }[]
  readonly idle: readonly IdleRun[]
  readonly callbacks: readonly CallbackRun[]
}

/** Whether every call was answered, and every submit that was answered is a task with its hold. */
export function isSound({ traffic, written }: TasksReport): boolean {
  return (
    traffic.every(one => Object.keys(one.errors).length === 0) &&
    written.every(one => one.tasks === one.answered && one.holds === one.answered)
  )
}

export function renderTasks(machine: Machine, report: TasksReport): string {
  return [
    preamble(machine, report),
    `### Tasks, with ${report.fills.map(({ finished }) => whole(finished)).join(' and with ')} finished ones in the table`,
    introduction(report),
    trafficTable(report.traffic),
    writtenText(report),
    '### Callbacks',
    callbackTable(report.callbacks),
    '### Nothing to do',
    idleTable(report.idle),
  ].join('\n\n')
}

function preamble(machine: Machine, { otherCores }: TasksReport): string {
  return (
    `Run on ${machineText(machine)}, Node ${machine.node}. ${commitText(machine)} Servers and load generator share the cores; everything ` +
    `else on the machine used ${otherCores.toFixed(2)} of a core meanwhile (median).`
  )
}

function introduction({ fills, connections, rounds }: TasksReport): string {
  const filled = fills.map(
    ({ finished, fillMs, fillCpuMs }) =>
      `${whole(finished)} in ${(fillMs / 1000).toFixed(1)} s with ${(fillCpuMs / 1000).toFixed(1)} s of CPU`,
  )
  return (
    `Two servers with a database each; all finished tasks, and their files, belong to one workspace (filled: ${filled.join(', ')}). ` +
    `Submits (\`/v1/jobs/createTask\`, keys of all workspaces) and polls (\`/v1/jobs/recordInfo\`, tasks of any age) over ${connections} ` +
    'connections; pages of 20 of `/v1/projects`, the newest or the largest first and the exact total of all, over one. No worker runs meanwhile. Medians of ' +
    `${rounds} rounds, which took the servers in turn.`
  )
}

const TITLES: Readonly<Record<TrafficKind, string>> = {
  submit: 'submit',
  poll: 'poll',
  newest: '`/projects`, newest',
  largest: '`/projects`, largest',
}

/** A row for each kind and size; the ratio is of CPU per call, which a busy machine changes least. */
export function trafficTable(traffic: readonly Traffic[]): string {
  const rows = TRAFFIC_KINDS.flatMap(kind => {
    const [base, ...others] = traffic.filter(one => one.kind === kind)
    if (!base) return []
    return [base, ...others].map(one => [
      `${TITLES[kind]}, ${whole(one.finished)}`,
      whole(one.perSecond),
      ms(one.p50Ms),
      ms(one.p99Ms),
      one.gatewayMsPerCall.toFixed(3),
      one.databaseMsPerCall.toFixed(3),
      times(one.perSecond, base.perSecond),
      times(one.p50Ms, base.p50Ms),
      times(cpuOf(one), cpuOf(base)),
    ])
  })
  const heads = [
    '',
    'calls/s',
    'p50 ms',
    'p99 ms',
    'CPU ms/call: gateway',
    'PostgreSQL',
    '× calls/s',
    '× p50',
    '× CPU',
  ]
  return table(heads, rows)
}

function cpuOf({ gatewayMsPerCall, databaseMsPerCall }: Traffic): number {
  return gatewayMsPerCall + databaseMsPerCall
}

function writtenText(report: TasksReport): string {
  const lines = report.written.map(
    ({ finished, tasks, holds, answered }) =>
      `- ${whole(finished)}: ${whole(answered)} submits were answered; ${whole(tasks)} tasks and ${whole(holds)} holds stand for them.`,
  )
  const failed = report.traffic.flatMap(({ kind, finished, errors }) =>
    Object.entries(errors).map(
      ([why, count]) => `- Failed: ${TITLES[kind]}, ${whole(finished)}: ${count} × ${why}`,
    ),
  )
  return [...lines, ...failed].join('\n')
}

export function callbackTable(runs: readonly CallbackRun[]): string {
  const base = runs[0]
  const rate = ({ callbacks, tookMs }: CallbackRun) => (callbacks / tookMs) * 1000
  return table(
    ['', 'callbacks/s', 'seconds', 'CPU ms/callback: gateway', 'PostgreSQL', 'sent twice', '× callbacks/s'],
    runs.map(run => [
      `${whole(run.callbacks)} callbacks to ${run.lanes} places${run.dead === 0 ? '' : `, and ${whole(run.dead)} older ones to one that never answers`}`,
      whole(rate(run)),
      (run.tookMs / 1000).toFixed(2),
      (run.gatewayMs / run.callbacks).toFixed(3),
      (run.databaseMs / run.callbacks).toFixed(3),
      whole(run.repeated),
      times(rate(run), base && rate(base)),
    ]),
  )
}

export function idleTable(runs: readonly IdleRun[]): string {
  return table(
    ['', 'CPU ms/s: gateway', 'PostgreSQL', 'RSS MB: gateway', 'PostgreSQL'],
    runs.map(run => [
      `${whole(run.finished)} finished, ${whole(run.waiting)} waiting for later`,
      run.cpu.gatewayMs.toFixed(1),
      run.cpu.databaseMs.toFixed(1),
      whole(run.memory.gatewayMb),
      whole(run.memory.databaseMb),
    ]),
  )
}
