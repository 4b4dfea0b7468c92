/** What is measured: something that answers OpenAI's chat on a port, and what it costs the machine. */
import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endChild, forkProgram, listeningPort, spawnServer } from './child.ts'
import { cpuMsOf, residentMbOf } from './process-usage.ts'

export const TARGET_NAMES = ['direct', 'bare', 'tollgate', 'portkey'] as const
export type TargetName = (typeof TARGET_NAMES)[number]

/** CPU time in milliseconds since the start: of the gateway's own process, and of its database's. */
export interface TargetCpu {
  readonly gatewayMs: number
  readonly databaseMs: number
}

export interface TargetMemory {
  readonly gatewayMb: number
  readonly databaseMb: number
}

export interface Target {
  readonly name: TargetName
  readonly port: number
  /** Header lines beyond those every request has. */
  readonly headers: readonly string[]
  cpu(): TargetCpu
  memory(): TargetMemory
  stop(): Promise<void>
}

/** The upstream itself: what the machine and the load generator can do at most. */
export function directTarget(upstreamPort: number): Target {
  return {
    name: 'direct',
    port: upstreamPort,
    headers: [],
    cpu: () => ({ gatewayMs: 0, databaseMs: 0 }),
    memory: () => ({ gatewayMb: 0, databaseMb: 0 }),
    stop: async () => {},
  }
}

export async function startBareProxy(upstreamPort: number): Promise<Target> {
  const child = forkProgram('bare-proxy.ts', [`http://127.0.0.1:${upstreamPort}`])
  return processTarget('bare', child, await listeningPort(child), [])
}

/** Where `npm ci` has put Portkey's gateway. */
export const PORTKEY_FOLDER = join(import.meta.dirname, 'portkey')
const PORTKEY_PROGRAM = join(PORTKEY_FOLDER, 'node_modules/@portkey-ai/gateway/build/start-server.js')

/** Portkey's gateway as its package starts it, told by headers where the upstream is. */
export async function startPortkey(upstreamPort: number): Promise<Target> {
  const port = await freePort()
  const words = [PORTKEY_PROGRAM, `--port=${port}`, '--headless']
  const child = spawnServer(words, { NODE_ENV: 'production' }, 'ignore')
  await answers(port, child)
  return processTarget('portkey', child, port, [
    'x-portkey-provider: openai',
    `x-portkey-custom-host: http://127.0.0.1:${upstreamPort}/v1`,
  ])
}

function processTarget(
  name: TargetName,
  child: ChildProcess,
  port: number,
  headers: readonly string[],
): Target {
  const pid = pidOf(child)
  return {
    name,
    port,
    headers,
    cpu: () => ({ gatewayMs: cpuMsOf(pid), databaseMs: 0 }),
    memory: () => ({ gatewayMb: residentMbOf(pid), databaseMb: 0 }),
    stop: () => endChild(child),
  }
}

export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} was not started`)
  return child.pid
}

async function freePort(): Promise<number> {
  const server = createServer()
  return await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('no port'))
      else server.close(() => resolve(address.port))
    })
  })
}

const START_MS = 15_000

async function answers(port: number, child: ChildProcess): Promise<void> {
  const giveUpAtMs = performance.now() + START_MS
  while (child.exitCode === null && performance.now() < giveUpAtMs) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer) return
    await delay(100)
  }
  await endChild(child)
  throw new Error(`${child.spawnargs.join(' ')} does not answer`)
}
