/** The load generator, in a process of its own: closed-loop connections over bare sockets, times kept in memory. */
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { LoadConnection } from './load-connection.ts'
import { Measures } from './load-measures.ts'
import type { Load, LoadReply, LoadRequest } from './messages.ts'

/** An answer that takes longer to end than this after its load was over never will. */
const TAIL_MS = 20_000

process.on('message', (request: LoadRequest) => {
  run(request.load).catch(error => {
    process.stderr.write(`load: ${error instanceof Error ? error.stack : String(error)}\n`)
    process.exit(1)
  })
})
// Its parent is all it lives for.
process.on('disconnect', () => process.exit(0))
reply({ kind: 'ready' })

async function run(load: Load): Promise<void> {
  const measures = new Measures()
  const requests = load.requests.map(request => Buffer.from(request))
  const connections: LoadConnection[] = []
  for (let number = 0; number < load.connections; number++) {
    const dueMs = (number * load.rampMs) / load.connections
    const aheadMs = dueMs - measures.elapsedMs()
    if (aheadMs > 1) await delay(aheadMs)
    // Each starts elsewhere in the list, so that few use the same key at a time.
    const first = Math.floor((number * requests.length) / load.connections)
    connections.push(new LoadConnection(load.port, requests, first, load.streamed, measures))
  }
  if (load.awaitAll) await allBegun(connections)
  await delay(load.warmUpMs)
  reply({ kind: 'window', edge: 'begin' })
  measures.beginWindow()
  await delay(load.measureMs)
  measures.endWindow()
  reply({ kind: 'window', edge: 'end' })
  const late = delay(TAIL_MS, undefined, { ref: false }).then(() => {
    for (const connection of connections) connection.giveUp()
  })
  await Promise.race([late, Promise.all(connections.map(connection => connection.finish()))])
  reply({ kind: 'done', result: measures.result() })
}

const BEGIN_MS = 20_000
const LOOK_EVERY_MS = 50

/** Waits for the slowest, within reason: the result says how many had begun. */
async function allBegun(connections: readonly LoadConnection[]): Promise<void> {
  const giveUpAtMs = performance.now() + BEGIN_MS
  while (performance.now() < giveUpAtMs && connections.some(connection => !connection.begun)) {
    await delay(LOOK_EVERY_MS)
  }
}

function reply(message: LoadReply): void {
  process.send?.(message)
}
