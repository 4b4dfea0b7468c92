/**
 * npm run bench -- [--quick] [--only plain,streams,tasks] [--targets direct,bare,tollgate] [--write] [--profile DIR]
 *
 * Puts the same load on the upstream itself, a bare proxy, Tollgate and Portkey's gateway, round after round in turn,
 * then measures what tasks cost Tollgate, and prints tables; `--write` puts them into docs/benchmark.md. README.md says what is measured and how.
 */
import type { ChildProcess } from 'node:child_process'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { Calm, REPEAT_BUDGET_MS } from './calm.ts'
import { endChild, forkProgram, listeningPort } from './child.ts'
import { type Part, writeDocument } from './document.ts'
import { commitCostMs, describeMachine, type Machine } from './machine.ts'
import { type Measured, measure, otherCores, type Rig } from './measure.ts'
import { type Answered, checkMoney, isExact, type MoneyCheck } from './money-check.ts'
import { coldRunOf, type Entrant, plannedScenarios, SCENARIO_NAMES, type Scenario } from './plan.ts'
import { render } from './report.ts'
import { type ScenarioSummary, summarize } from './summary.ts'
import {
  directTarget,
  PORTKEY_FOLDER,
  startBareProxy,
  startPortkey,
  TARGET_NAMES,
  type Target,
  type TargetName,
} from './target.ts'
import { isSound, renderTasks, type TasksReport } from './tasks/report.ts'
import { TasksBench } from './tasks/run.ts'
import { startTollgate, type TollgateTarget } from './tollgate-target.ts'

interface Options {
  readonly quick: boolean
  readonly write: boolean
  readonly scenarios: readonly Scenario[]
  readonly tasks: boolean
  readonly targets: ReadonlySet<TargetName>
  readonly profileDir: string | undefined
}

const PARTS = [...SCENARIO_NAMES, 'tasks'] as const
const DATA_DIR = join(import.meta.dirname, `../data/bench-${process.pid}`)

process.exitCode = await main()
process.exit()

async function main(): Promise<number> {
  const options = readOptions()
  const chats = options.scenarios.length > 0
  if (chats && options.targets.has('portkey')) installPortkey()
  const rig: Rig = { upstream: forkProgram('upstream.ts'), load: forkProgram('load.ts') }
  const targets: Target[] = []
  const bench = new TasksBench(`${DATA_DIR}-tasks`, say)
  const stop = async () => {
    await bench.stop()
    await stopAll(targets, [rig.load, rig.upstream])
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stop().then(() => process.exit(130)))
  try {
    const upstreamPort = await listeningPort(rig.upstream)
    const tollgate = chats ? await startTargets(options, upstreamPort, targets) : undefined
    const machine = { ...describeMachine(), commitMs: await commitCostMs(join(DATA_DIR, '..')) }
    const outcome = await runScenarios(options, rig, targets, tollgate)
    const money = tollgate && (await checkMoney(tollgate, outcome.answered))
    await Promise.all(targets.splice(0).map(target => target.stop()))
    const tasks = options.tasks ? await bench.run(rig.load, options.quick) : undefined
    return conclude(options, machine, { summaries: outcome.summaries, money, tasks })
  } finally {
    await stop()
  }
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      only: { type: 'string', default: PARTS.join(',') },
      targets: { type: 'string', default: TARGET_NAMES.join(',') },
      profile: { type: 'string' },
    },
  })
  const only = namesIn<(typeof PARTS)[number]>(values.only, PARTS)
  return {
    quick: values.quick,
    write: values.write,
    scenarios: plannedScenarios(values.quick).filter(scenario => only.has(scenario.name)),
    tasks: only.has('tasks') && values.targets.includes('tollgate'),
    targets: namesIn(values.targets, TARGET_NAMES),
    profileDir: values.profile,
  }
}

function namesIn<Name extends string>(text: string, known: readonly Name[]): Set<Name> {
  return new Set(
    text.split(',').map(word => {
      const name = known.find(one => one === word.trim())
      if (name === undefined) throw new Error(`"${word}" is none of ${known.join(', ')}`)
      return name
    }),
  )
}

/** On demand: nothing of Tollgate needs it. */
function installPortkey(): void {
  if (existsSync(join(PORTKEY_FOLDER, 'node_modules/@portkey-ai/gateway'))) return
  say('installing the pinned Portkey gateway into bench/portkey …')
  const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', words, { cwd: PORTKEY_FOLDER, stdio: 'inherit' })
}

async function startTargets(
  options: Options,
  upstreamPort: number,
  targets: Target[],
): Promise<TollgateTarget | undefined> {
  let tollgate: TollgateTarget | undefined
  if (options.targets.has('direct')) targets.push(directTarget(upstreamPort))
  if (options.targets.has('bare')) targets.push(await startBareProxy(upstreamPort))
  if (options.targets.has('tollgate')) {
    const { profileDir } = options
    tollgate = await startTollgate({ upstreamPort, dataDir: DATA_DIR, profileDir })
    targets.push(tollgate)
  }
  if (options.targets.has('portkey')) targets.push(await startPortkey(upstreamPort))
  return tollgate
}

interface RunOutcome {
  readonly summaries: readonly ScenarioSummary[]
  readonly answered: Answered
}

async function runScenarios(
  options: Options,
  rig: Rig,
  targets: readonly Target[],
  tollgate: TollgateTarget | undefined,
): Promise<RunOutcome> {
  const keys = tollgate?.keys ?? ['sk-nobody-looks-at-this']
  const answered = { plain: 0, streams: 0 }
  const run = async (scenario: Scenario, { target: name, keys: which }: Entrant) => {
    const target = targets.find(one => one.name === name)
    if (!target) throw new Error(`${name} was not started`)
    const measured = await measure(rig, target, scenario, which === 'one' ? keys.slice(0, 1) : keys)
    if (name === 'tollgate') answered[scenario.streamed ? 'streams' : 'plain'] += measured.load.answered
    return measured
  }
  const calm = new Calm(options.quick ? 0 : REPEAT_BUDGET_MS)
  const summaries: ScenarioSummary[] = []
  for (const scenario of options.scenarios) {
    const entrants = scenario.entrants.filter(entrant => options.targets.has(entrant.target))
    const rounds = new Map<Entrant, Measured[]>(entrants.map(entrant => [entrant, []]))
    if (!scenario.awaitAll) for (const entrant of entrants) await run(coldRunOf(scenario), entrant)
    for (let round = 1; round <= scenario.rounds; round++) {
      for (const entrant of entrants) {
        const measured = await calm.measure(() => run(scenario, entrant))
        rounds.get(entrant)?.push(measured)
        const rate = Math.round((measured.load.inWindow / measured.load.windowMs) * 1000)
        say(
          `${scenario.name} ${round}/${scenario.rounds} ${entrant.target} ${entrant.keys}: ${rate}/s, others ${otherCores(measured).toFixed(2)}`,
        )
      }
    }
    const columns = entrants.map(entrant => summarize(entrant, rounds.get(entrant) ?? []))
    summaries.push({ scenario, columns })
  }
  return { summaries, answered }
}

interface Findings {
  readonly summaries: readonly ScenarioSummary[]
  readonly money: MoneyCheck | undefined
  readonly tasks: TasksReport | undefined
}

function conclude(options: Options, machine: Machine, { summaries, money, tasks }: Findings): number {
  const pages: [Part, string][] = []
  if (summaries.length > 0) pages.push(['bench', render(machine, summaries, money)])
  if (tasks) pages.push(['bench-tasks', renderTasks(machine, tasks)])
  for (const [part, page] of pages) {
    process.stdout.write(`${page}\n\n`)
    if (options.write) writeDocument(part, page)
  }
  const failed = summaries.flatMap(({ columns }) => columns).some(one => Object.keys(one.errors).length > 0)
  return failed || (money && !isExact(money)) || (tasks && !isSound(tasks)) ? 1 : 0
}

async function stopAll(targets: readonly Target[], children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(targets.map(target => target.stop()))
  await Promise.all(children.map(child => endChild(child)))
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
