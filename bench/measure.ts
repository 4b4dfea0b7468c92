/** Puts one load on one target and reads, at the edges of the window, what it cost. */
import type { ChildProcess } from 'node:child_process'
import { isMessage, nextMessage } from './child.ts'
import type {
  Load,
  LoadReply,
  LoadResult,
  UpstreamCounts,
  UpstreamReply,
  UpstreamRequest,
} from './messages.ts'
import type { Scenario } from './plan.ts'
import { cpuMsOf, machineCpuMs } from './process-usage.ts'
import { pidOf, type Target, type TargetCpu, type TargetMemory } from './target.ts'

/** CPU time spent in the window, in milliseconds. */
export interface WindowCpu extends TargetCpu {
  readonly upstreamMs: number
  readonly loadMs: number
  /** Of the whole machine, these and all others. */
  readonly machineMs: number
}

export interface Measured {
  readonly load: LoadResult
  readonly cpu: WindowCpu
  /** At the end of the window. */
  readonly memory: TargetMemory
  /** Streams open at the upstream at the end of the window. */
  readonly openStreams: number
}

/** Cores that everything but the benchmark's own processes used in the window. */
export function otherCores({ cpu, load }: Measured): number {
  const ownMs = cpu.gatewayMs + cpu.databaseMs + cpu.loadMs + cpu.upstreamMs
  return Math.max(0, cpu.machineMs - ownMs) / load.windowMs
}

export interface Rig {
  readonly upstream: ChildProcess
  readonly load: ChildProcess
}

export async function measure(
  rig: Rig,
  target: Target,
  scenario: Scenario,
  keys: readonly string[],
): Promise<Measured> {
  await askUpstream(rig.upstream, { kind: 'pace', pace: scenario.pace })
  const { connections, streamed, awaitAll, rampMs, warmUpMs, measureMs } = scenario
  const requests = keys.map(key => requestOf(target, key, streamed))
  const load: Load = {
    port: target.port,
    requests,
    streamed,
    connections,
    awaitAll,
    rampMs,
    warmUpMs,
    measureMs,
  }
  const atEnd = async () => {
    const memory = target.memory()
    const { openStreams } = await askUpstream(rig.upstream, { kind: 'count' })
    if (scenario.pace.events === 'until-asked') await askUpstream(rig.upstream, { kind: 'finish' })
    return { memory, openStreams }
  }
  const { result, before, after, ended } = await putLoad(rig.load, load, () => readCpu(rig, target), atEnd)
  return { load: result, cpu: difference(before, after), ...ended }
}

/** Puts a load on whatever listens on its port; reads a value at both edges of its window, and another after its end. */
export async function putLoad<Reading, Ended>(
  generator: ChildProcess,
  load: Load,
  read: () => Reading,
  atEnd: () => Promise<Ended>,
): Promise<{
  readonly result: LoadResult
  readonly before: Reading
  readonly after: Reading
  readonly ended: Ended
}> {
  // Listened for from before it starts: two messages may arrive in one read. The first that fails ends the run.
  const begin = nextMessage(generator, isWindow('begin'))
  const end = nextMessage(generator, isWindow('end'))
  const done = nextMessage(generator, isDone)
  for (const message of [begin, end, done]) message.catch(() => {})
  generator.send({ kind: 'run', load })
  await begin
  const before = read()
  await end
  const after = read()
  const ended = await atEnd()
  return { result: (await done).result, before, after, ended }
}

export async function askUpstream(upstream: ChildProcess, request: UpstreamRequest): Promise<UpstreamCounts> {
  const answer = nextMessage(upstream, isCounts)
  upstream.send(request)
  return (await answer).counts
}

const BODY_BYTES = 2_048

/** One request as it goes on the wire: what an OpenAI SDK sends without further settings, its body 2 kB. */
function requestOf(target: Target, key: string, streamed: boolean): string {
  const body = bodyOf(streamed)
  return [
    'POST /v1/chat/completions HTTP/1.1',
    `Host: 127.0.0.1:${target.port}`,
    'Accept: application/json',
    'Content-Type: application/json',
    'User-Agent: bench',
    `Authorization: Bearer ${key}`,
    ...target.headers,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

const SENTENCE = 'A gate stands at the end of the road, and everyone who comes to it has a question to ask. '

function bodyOf(streamed: boolean): string {
  const withText = (text: string) =>
    JSON.stringify({
      model: 'gpt-4o-mini',
      messages: [
        { role: 'system', content: 'You are a helpful assistant. Answer in one sentence.' },
        { role: 'user', content: text },
      ],
      temperature: 0.7,
      ...(streamed ? { stream: true } : {}),
    })
  const room = BODY_BYTES - withText('').length
  return withText(SENTENCE.repeat(Math.ceil(room / SENTENCE.length)).slice(0, room))
}

interface CpuReading extends TargetCpu {
  readonly upstreamMs: number
  readonly loadMs: number
  readonly machineMs: number
}

function readCpu(rig: Rig, target: Target): CpuReading {
  return {
    ...target.cpu(),
    upstreamMs: cpuMsOf(pidOf(rig.upstream)),
    loadMs: cpuMsOf(pidOf(rig.load)),
    machineMs: machineCpuMs(),
  }
}

function difference(before: CpuReading, after: CpuReading): WindowCpu {
  return {
    gatewayMs: after.gatewayMs - before.gatewayMs,
    databaseMs: after.databaseMs - before.databaseMs,
    upstreamMs: after.upstreamMs - before.upstreamMs,
    loadMs: after.loadMs - before.loadMs,
    machineMs: after.machineMs - before.machineMs,
  }
}

function isWindow(edge: 'begin' | 'end') {
  return (message: unknown): message is LoadReply =>
    isMessage(message) && message.kind === 'window' && 'edge' in message && message.edge === edge
}

function isDone(message: unknown): message is Extract<LoadReply, { kind: 'done' }> {
  return isMessage(message) && message.kind === 'done'
}

function isCounts(message: unknown): message is Extract<UpstreamReply, { kind: 'counts' }> {
  return isMessage(message) && message.kind === 'counts'
}
