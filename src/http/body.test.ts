import { EventEmitter } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { readBody } from './body.ts'
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** A request whose body comes when the test says so. */
function arriving() {
  const request = Object.assign(new EventEmitter(), { complete: false, headers: {} })
  const edge = { intake: { enter: () => () => {} }, pulse: { add: () => {}, delete: () => {} } }
  const exchange = { request, response: {}, fail: expect.unreachable }
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  readBody(edge as unknown as Edge, exchange as unknown as Exchange, 10_000_000, resolve)
  return { request, body: promise }
}

test('a body in pieces of a byte takes little more room than its bytes', async () => {
  const { request, body } = arriving()
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let at = 0; at < 500_000; at++) request.emit('data', Buffer.from([at % 251]))
  collectGarbage()
  // A hundred megabytes, where each piece is kept.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000)
  request.emit('end')
  expect(await body).toEqual(Buffer.from(Array.from({ length: 500_000 }, (_, at) => at % 251)))
})

test.each([0, 1, 1_023, 1_024, 1_025, 2_048])('a body of %i pieces is whole', async pieces => {
  const { request, body } = arriving()
  for (let at = 0; at < pieces; at++) request.emit('data', Buffer.from(`${at},`))
  request.emit('end')
  expect((await body).toString()).toBe(Array.from({ length: pieces }, (_, at) => `${at},`).join(''))
})
