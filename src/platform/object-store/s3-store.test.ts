import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ObjectStore, ObjectStoreFailure } from '#spec/object-store.ts'
import { objectStoreConformance } from './conformance.suite.ts'
import { BUCKET, type Fate, S3Fixture, type S3Operation } from './s3-server.fixture.ts'
import { createS3Store } from './s3-store.ts'

const KEY = 'artifacts/2026/abcdef.png'
const PART_BYTES = 100_000
const SECRET = 'a-very-secret-access-key'
const PNG = { contentType: 'image/png', maxBytes: 1_000_000_000 }
const NOT_SERVED: Fate = { status: 500, code: 'InternalError' }

function storeAt(endpoint: string, answerMs = 5_000): ObjectStore {
  return createS3Store({
    endpoint,
    region: 'auto',
    bucket: BUCKET,
    accessKeyId: 'access',
    secretAccessKey: SECRET,
    forcePathStyle: true,
    partBytes: PART_BYTES,
    mostParts: 4,
    timeouts: { connectMs: 1_000, answerMs, betweenReadsMs: 100, afterAbortMs: 200 },
  })
}

describe('a bucket', () => {
  objectStoreConformance({
    async open() {
      const server = new S3Fixture()
      const store = storeAt(await server.start())
      return {
        store,
        async close() {
          store.close()
          await server.stop()
        },
      }
    },
    largeBytes: 3 * PART_BYTES,
    runs: 15,
  })
})

describe('a bucket that fails', () => {
  let server: S3Fixture
  let store: ObjectStore
  let endpoint: string
  beforeEach(async () => {
    server = new S3Fixture()
    endpoint = await server.start()
    store = storeAt(endpoint)
  })
  afterEach(async () => {
    store.close()
    await server.stop()
  })

  /** The first so many requests of these operations meet this fate. */
  function failing(operations: readonly S3Operation[], fate: Fate, times = Number.POSITIVE_INFINITY): void {
    server.fate = (operation, nth) => (operations.includes(operation) && nth <= times ? fate : 'serve')
  }

  async function failureOf(call: Promise<unknown>): Promise<ObjectStoreFailure> {
    const error: unknown = await call.then(
      () => 'no failure',
      reason => reason,
    )
    if (error instanceof ObjectStoreFailure) return error
    throw new Error(`expected an ObjectStoreFailure, got ${String(error)}`)
  }

  const large = randomBytes(5 * PART_BYTES + 7)

  test.each<[S3Operation, Buffer]>([
    ['put', Buffer.from('small')],
    ['begin', large],
    ['part', large],
    ['complete', large],
  ])('twice at a "%s" is tried again, and the object is whole', async (operation, bytes) => {
    failing([operation], NOT_SERVED, 2)
    await store.put(KEY, bytes, PNG)
    expect(server.objects.get(KEY)?.bytes.equals(bytes)).toBe(true)
    expect(server.uploads.size).toBe(0)
  })

  test.each<[S3Operation, Buffer, number]>([
    ['put', Buffer.from('small'), 3],
    ['begin', large, 3],
    ['complete', large, 3],
  ])('for good at a "%s" keeps nothing after three tries', async (operation, bytes, tries) => {
    failing([operation], NOT_SERVED)
    const failure = await failureOf(store.put(KEY, bytes, PNG))
    expect(failure).toMatchObject({
      reason: 'unavailable',
      message: 'object store: unavailable (InternalError 500)',
    })
    expect(server.count(operation)).toBe(tries)
    expect(server.objects.size).toBe(0)
    expect(server.uploads.size).toBe(0)
  })

  test('for good at a part stops the other parts and takes everything back', async () => {
    failing(['part'], { status: 403, code: 'AccessDenied' })
    let pulled = 0
    const source = async function* () {
      for (; pulled < 100; pulled++) yield randomBytes(PART_BYTES)
    }
    const failure = await failureOf(store.put(KEY, source(), PNG))
    expect(failure.message).toBe('object store: unavailable (AccessDenied 403)')
    expect(pulled).toBeLessThan(10)
    expect(server.uploads.size).toBe(0)
  })

  test('to end an upload while a part of it is still written is told to once more', async () => {
    server.fate = (operation, nth) => {
      if (operation === 'part') return { status: 403, code: 'AccessDenied' }
      return operation === 'abort' && nth === 1 ? 'pretend' : 'serve'
    }
    await failureOf(store.put(KEY, large, PNG))
    expect(server.uploads.size).toBe(0)
    // The third finds nothing, and is the last.
    expect(server.count('abort')).toBe(3)
  })

  test('to answer a completion that it did leaves an object, and the put has worked', async () => {
    failing(['complete'], 'serve-and-drop', 1)
    const stored = await store.put(KEY, large, PNG)
    expect(stored.sizeBytes).toBe(large.length)
    expect(server.objects.get(KEY)?.bytes.equals(large)).toBe(true)
    expect(server.count('complete')).toBeGreaterThan(1)
  })

  test('at a completion is not taken for a success because an older object is there', async () => {
    await store.put(KEY, large, PNG)
    failing(['complete'], NOT_SERVED)
    const failure = await failureOf(store.put(KEY, randomBytes(3 * PART_BYTES), PNG))
    expect(failure.reason).toBe('unavailable')
    expect(server.objects.get(KEY)?.bytes.equals(large)).toBe(true)
  })

  test('to take back an upload leaves it to the sweep, which minds its age', async () => {
    failing(['part', 'abort'], { status: 403, code: 'AccessDenied' })
    expect((await failureOf(store.put(KEY, large, PNG))).message).toContain('AccessDenied')
    expect(server.uploads.size).toBe(1)
    server.fate = () => 'serve'
    expect(await store.sweepLeftovers(60_000)).toBe(0)
    for (const upload of server.uploads.values()) upload.at = new Date(Date.now() - 61_000)
    expect(await store.sweepLeftovers(60_000)).toBe(1)
    expect(server.uploads.size).toBe(0)
  })

  test('to answer is given up after the time-out of each try', async () => {
    store.close()
    store = storeAt(endpoint, 50)
    failing(['get', 'put'], 'hang')
    expect((await failureOf(store.get(KEY))).reason).toBe('unavailable')
    expect((await failureOf(store.put(KEY, Buffer.from('x'), PNG))).reason).toBe('unavailable')
    expect([server.count('get'), server.count('put')]).toEqual([3, 3])
  })

  test('in the middle of a read breaks the stream, and is no short object', async () => {
    await store.put(KEY, large, PNG)
    failing(['get'], 'stall')
    const stalled = await store.get(KEY)
    const reading = stalled === null ? undefined : buffer(stalled.stream)
    await expect(reading).rejects.toThrow('object store: unavailable (Stalled)')
    server.fate = () => 'stall'
    const cut = await store.get(KEY)
    const cutReading = cut === null ? undefined : buffer(cut.stream)
    cutReading?.catch(() => {})
    await server.stop()
    await expect(cutReading).rejects.toThrow()
    server = new S3Fixture()
    await server.start()
  })

  test('is told from a reader that takes its time', async () => {
    const bytes = randomBytes(3_000_000)
    await store.put(KEY, bytes, PNG)
    await store.put('artifacts/2026/small.png', Buffer.from('small'), PNG)
    const [slow, small] = await Promise.all([store.get(KEY), store.get('artifacts/2026/small.png')])
    // Several periods of the watch, which lasts 100 ms here.
    await new Promise(resolve => setTimeout(resolve, 450))
    const read = slow === null ? undefined : await buffer(slow.stream)
    expect(read?.equals(bytes)).toBe(true)
    expect(small && (await buffer(small.stream)).toString()).toBe('small')
  })

  test('to know its bucket is not taken for a missing object', async () => {
    failing(['get', 'delete', 'list'], { status: 404, code: 'NoSuchBucket' })
    for (const call of [() => store.get(KEY), () => store.delete(KEY), () => store.list('')]) {
      expect((await failureOf(call())).message).toBe('object store: unavailable (NoSuchBucket 404)')
    }
  })

  test('to be there is said without its address, its key or its secret', async () => {
    await server.stop()
    const failure = await failureOf(store.get(KEY))
    expect(failure.message).toBe('object store: unavailable (ECONNREFUSED)')
    const everything = `${JSON.stringify(failure)} ${failure.stack} ${String(failure.cause)}`
    expect(everything).not.toMatch(/127\.0\.0\.1|access|abcdef/)
    server = new S3Fixture()
    await server.start()
  })

  test.each<[S3Operation, S3Operation[], Buffer]>([
    ['put', ['put'], Buffer.from('small')],
    ['complete', ['complete', 'head', 'abort'], large],
  ])(
    'to answer a %s lets go of it soon after an abort, and does not say that nothing is there',
    async (operation, silent, body) => {
      failing(silent, 'hang')
      const abort = new AbortController()
      const put = failureOf(store.put(KEY, body, { ...PNG, signal: abort.signal }))
      await vi.waitUntil(() => server.count(operation) === 1)
      const abortedAt = performance.now()
      abort.abort()
      expect((await put).reason).toBe('unavailable')
      // A try alone has five seconds, and there are three.
      expect(performance.now() - abortedAt).toBeLessThan(4_000)
    },
  )

  test('to answer at once is waited for after an abort, and what is there then is there', async () => {
    const held = Promise.withResolvers<void>()
    const began = Promise.withResolvers<void>()
    server.fate = async (operation): Promise<Fate> => {
      if (operation === 'put') {
        began.resolve()
        await held.promise
      }
      return 'serve'
    }
    const abort = new AbortController()
    const put = store.put(KEY, Buffer.from('small'), { ...PNG, signal: abort.signal })
    await began.promise
    abort.abort()
    held.resolve()
    expect(await put).toMatchObject({ sizeBytes: 5 })
    expect((await store.stat(KEY))?.sizeBytes).toBe(5)
  })

  test('to take parts as fast as they come has two of one object on their way, and one that fills', async () => {
    failing(['part'], 'hang')
    const abort = new AbortController()
    let pulled = 0
    const source = async function* () {
      for (; pulled < 1_000; pulled++) yield Buffer.alloc(PART_BYTES)
    }
    const put = failureOf(store.put(KEY, source(), { ...PNG, signal: abort.signal }))
    await vi.waitUntil(() => pulled >= 3 && server.count('part') >= 2)
    await new Promise(resolve => setTimeout(resolve, 50))
    expect([pulled, server.count('part')]).toEqual([3, 2])
    abort.abort()
    expect((await put).reason).toBe('aborted')
  })

  test('to take parts as fast as they come holds all sources back', async () => {
    failing(['part'], 'hang')
    const abort = new AbortController()
    let pulled = 0
    const source = async function* () {
      for (let sent = 0; sent < 1_000; sent++) {
        pulled += 10_000
        yield Buffer.alloc(10_000)
      }
    }
    const keys = Array.from({ length: 6 }, (_, index) => `artifacts/2026/put${index}.png`)
    const puts = keys.map(key => failureOf(store.put(key, source(), { ...PNG, signal: abort.signal })))
    await vi.waitUntil(() => server.count('part') === 4)
    const settled = pulled
    // Four parts are in memory, and each put holds the chunk that did not fit.
    expect(settled).toBeLessThanOrEqual(4 * PART_BYTES + 6 * 10_000)
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(pulled).toBe(settled)
    abort.abort()
    for (const failure of await Promise.all(puts)) expect(failure.reason).toBe('aborted')
    expect(server.uploads.size).toBe(0)
  })
})

describe('what the bucket is told', () => {
  test('is the content type, in one request for a small object and in parts for a large one', async () => {
    const server = new S3Fixture()
    const store = storeAt(await server.start())
    await store.put(KEY, Buffer.alloc(PART_BYTES), { contentType: 'image/webp', maxBytes: PART_BYTES })
    expect(server.asked).toEqual(['put'])
    await store.put('artifacts/2026/large.mp4', Buffer.alloc(PART_BYTES + 1), {
      ...PNG,
      contentType: 'video/mp4',
    })
    expect(server.asked).toEqual(['put', 'begin', 'part', 'part', 'complete'])
    const types = [...server.objects.values()].map(object => object.metadata['content-type'])
    expect(types).toEqual(['image/webp', 'video/mp4'])
    store.close()
    await server.stop()
  })
})
