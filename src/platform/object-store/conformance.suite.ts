/**
 * What every object store must do. Run by each store's test, and end to end against a real S3 server. A bench gives a
 * store whose parts, where it has parts, are 5 MiB or smaller.
 */
import { createHash, randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type ByteRange,
  isObjectKey,
  type ObjectStore,
  ObjectStoreFailure,
  type ObjectStoreFailureReason,
  objectReader,
} from '#spec/object-store.ts'

export interface StoreBench {
  readonly store: ObjectStore
  close(): Promise<void>
}

export interface ConformanceOptions {
  open(): Promise<StoreBench>
  /** More than one part of the store, where it has parts. */
  readonly largeBytes: number
  /** How often a property is tried: a real server is slower. */
  readonly runs: number
}

const PNG = 'image/png'
const BOUND = { contentType: PNG, maxBytes: 64 * 1024 ** 2 }
const MISSING = 'conformance/missing/nothing.png'

/** Call it inside a `describe`. */
export function objectStoreConformance(options: ConformanceOptions): void {
  let bench: StoreBench
  let store: ObjectStore
  beforeAll(async () => {
    bench = await options.open()
    store = bench.store
  })
  afterAll(async () => {
    for (const key of await keysOf(store, '')) await store.delete(key)
    await bench.close()
  })
  const ask = () => store
  describe('what is put', () => describePuts(ask, options))
  describe('a put that fails', () => describeFailedPuts(ask, options))
  describe('what is read', () => describeReads(ask, options))
  describe('what is listed', () => describeLists(ask, options))
}

type Ask = () => ObjectStore

let lastKey = 0
function newKey(folder = 'conformance/keys'): string {
  lastKey += 1
  return `${folder}/${randomBytes(8).toString('hex')}${lastKey}.png`
}

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function read(store: ObjectStore, key: string, range?: ByteRange): Promise<Buffer | null> {
  const found = await store.get(key, { range })
  return found === null ? null : await buffer(found.stream)
}

/** The bytes in pieces of these sizes, over and over, all in the same memory. */
async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(Math.max(...sizes))
  let at = 0
  for (let index = 0; at < bytes.length; index++) {
    const size = Math.min(sizes[index % sizes.length] ?? 1, bytes.length - at)
    bytes.copy(piece, 0, at, at + size)
    at += size
    yield piece.subarray(0, size)
  }
}

async function reasonOf(call: Promise<unknown>): Promise<ObjectStoreFailureReason> {
  const error: unknown = await call.then(
    () => 'no failure',
    reason => reason,
  )
  if (error instanceof ObjectStoreFailure) return error.reason
  throw new Error(`expected an ObjectStoreFailure, got ${String(error)}`)
}

async function keysOf(store: ObjectStore, prefix: string, limit = 1_000): Promise<string[]> {
  const keys: string[] = []
  let after: string | undefined = ''
  while (after !== undefined) {
    const page = await store.list(prefix, after, limit)
    keys.push(...page.objects.map(object => object.key))
    after = page.next
  }
  return keys
}

function describePuts(ask: Ask, { largeBytes, runs }: ConformanceOptions): void {
  test('comes back byte for byte, with its size and its digest, however it was cut into pieces', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100_000 }), sizes, async (content, pieces) => {
        const [key, bytes] = [newKey(), Buffer.from(content)]
        const stored = await ask().put(key, inPieces(bytes, pieces), BOUND)
        expect(stored).toEqual({ sizeBytes: bytes.length, sha256: digestOf(bytes) })
        expect(bytes.equals((await read(ask(), key)) ?? Buffer.from('nothing'))).toBe(true)
        expect((await ask().stat(key))?.sizeBytes).toBe(bytes.length)
      }),
      { numRuns: runs },
    )
  })

  test.each([0, 1, 2])(
    'comes back when it is large, also at the edge of its parts (%i bytes over)',
    async over => {
      const [key, bytes] = [newKey(), randomBytes(largeBytes + over)]
      const stored = await ask().put(key, inPieces(bytes, [65_536, 1, 30_000]), BOUND)
      expect(stored).toEqual({ sizeBytes: bytes.length, sha256: digestOf(bytes) })
      expect(bytes.equals((await read(ask(), key)) ?? Buffer.from('nothing'))).toBe(true)
    },
  )

  test('may be nothing at all', async () => {
    const key = newKey()
    const stored = await ask().put(key, inPieces(Buffer.alloc(0), [1]), BOUND)
    expect(stored).toEqual({ sizeBytes: 0, sha256: digestOf(Buffer.alloc(0)) })
    expect(await read(ask(), key)).toEqual(Buffer.alloc(0))
  })

  test('takes the place of what was there', async () => {
    const key = newKey()
    await ask().put(key, randomBytes(largeBytes), BOUND)
    await ask().put(key, Buffer.from('second'), BOUND)
    expect(await read(ask(), key)).toEqual(Buffer.from('second'))
  })

  test('is one of the two, and whole, when two are put at once', async () => {
    const key = newKey()
    const both = [randomBytes(largeBytes), randomBytes(largeBytes + 1)]
    await Promise.all(both.map(bytes => ask().put(key, inPieces(bytes, [40_000]), BOUND)))
    const found = digestOf((await read(ask(), key)) ?? Buffer.alloc(0))
    expect(both.map(digestOf)).toContain(found)
  })

  test('is gone after a delete, and a second delete is no error', async () => {
    const key = newKey()
    await ask().put(key, Buffer.from('soon gone'), BOUND)
    await ask().delete(key)
    await ask().delete(key)
    expect(await read(ask(), key)).toBeNull()
    expect(await ask().stat(key)).toBeNull()
  })

  test('was modified about now', async () => {
    const key = newKey()
    await ask().put(key, Buffer.from('now'), BOUND)
    const modifiedMs = (await ask().stat(key))?.modifiedAt.getTime() ?? 0
    expect(Math.abs(Date.now() - modifiedMs)).toBeLessThan(60_000)
  })

  test('never has a key of another shape', async () => {
    const tricky = [
      '',
      '/',
      '..',
      'a/../bb.png',
      '../bb.png',
      'a//bb.png',
      '/a/bb.png',
      'a/bb',
      'a/bb.png/',
      'bb.png',
    ]
    const more = [
      'a/.bb.png',
      'a/bb.tar.gz',
      'A/bb.png',
      'a/b\u0000.png',
      'a/bb.png\n',
      'a\\bb.png',
      'é/bb.png',
    ]
    const long = `a/${'b'.repeat(600)}.png`
    for (const key of [...tricky, ...more, long]) {
      expect(isObjectKey(key), key).toBe(false)
      expect(await reasonOf(ask().put(key, Buffer.from('x'), BOUND))).toBe('invalid-key')
      expect(await reasonOf(ask().get(key))).toBe('invalid-key')
      expect(await reasonOf(ask().stat(key))).toBe('invalid-key')
      expect(await reasonOf(ask().delete(key))).toBe('invalid-key')
    }
  })
}

function describeFailedPuts(ask: Ask, { largeBytes }: ConformanceOptions): void {
  /** Endless, and tells when it was left. */
  function endless(onLeft: () => void): AsyncIterable<Uint8Array> {
    return (async function* () {
      try {
        while (true) yield Buffer.alloc(30_000)
      } finally {
        onLeft()
      }
    })()
  }

  test.each([100, largeBytes])(
    'keeps nothing of what is larger than allowed, and what was there (%i)',
    async bound => {
      const key = newKey()
      await ask().put(key, Buffer.from('before'), BOUND)
      let isLeft = false
      const onLeft = () => {
        isLeft = true
      }
      const put = ask().put(key, endless(onLeft), { contentType: PNG, maxBytes: bound })
      expect(await reasonOf(put)).toBe('too-large')
      expect(isLeft).toBe(true)
      expect(await read(ask(), key)).toEqual(Buffer.from('before'))
      expect(await ask().sweepLeftovers(0)).toBe(0)
    },
  )

  test('takes exactly as much as is allowed, and not one byte more', async () => {
    const key = newKey()
    const limit = { contentType: PNG, maxBytes: 1_000 }
    expect(await reasonOf(ask().put(key, Buffer.alloc(1_001), limit))).toBe('too-large')
    expect(await ask().stat(key)).toBeNull()
    expect((await ask().put(key, Buffer.alloc(1_000), limit)).sizeBytes).toBe(1_000)
  })

  test.each([10, largeBytes])(
    'lets the error of the source through and keeps nothing (%i bytes)',
    async length => {
      const key = newKey()
      const broken = new Error('the vendor hung up')
      const source = async function* () {
        yield randomBytes(length)
        yield randomBytes(length)
        throw broken
      }
      await expect(ask().put(key, source(), BOUND)).rejects.toBe(broken)
      expect(await ask().stat(key)).toBeNull()
      expect(await ask().sweepLeftovers(0)).toBe(0)
    },
  )

  test.each([10, largeBytes])(
    'ends at once with its signal, even while nothing comes (%i bytes)',
    async length => {
      const key = newKey()
      const abort = new AbortController()
      const source = async function* () {
        yield randomBytes(length)
        yield randomBytes(length)
        setTimeout(() => abort.abort(), 10)
        await new Promise(() => {})
      }
      const put = ask().put(key, source(), { ...BOUND, signal: abort.signal })
      expect(await reasonOf(put)).toBe('aborted')
      expect(await ask().stat(key)).toBeNull()
      expect(await ask().sweepLeftovers(0)).toBe(0)
    },
  )

  test('takes nothing under a signal that was aborted before', async () => {
    const key = newKey()
    const put = ask().put(key, Buffer.from('late'), { ...BOUND, signal: AbortSignal.abort() })
    expect(await reasonOf(put)).toBe('aborted')
    expect(await ask().stat(key)).toBeNull()
  })

  test('refuses a content type that is none', async () => {
    for (const contentType of ['', 'png', 'image/png; a=b', 'image/png\r\nx: y', 'IMAGE/PNG']) {
      const put = ask().put(newKey(), Buffer.from('x'), { contentType, maxBytes: 10 })
      await expect(put).rejects.toThrow(TypeError)
    }
  })
}

function describeReads(ask: Ask, { largeBytes, runs }: ConformanceOptions): void {
  const key = newKey()
  const bytes = randomBytes(largeBytes)
  beforeAll(() => ask().put(key, bytes, BOUND))

  test('is nothing where there is nothing', async () => {
    expect(await ask().get(MISSING)).toBeNull()
    expect(await ask().get(MISSING, { range: { first: 0 } })).toBeNull()
    expect(await ask().stat(MISSING)).toBeNull()
  })

  test('of a range is exactly that part, cut to the end', async () => {
    const first = fc.integer({ min: 0, max: largeBytes - 1 })
    const length = fc.option(fc.integer({ min: 1, max: largeBytes }), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(first, length, async (start, count) => {
        const last = count === undefined ? undefined : start + count - 1
        const found = await ask().get(key, { range: { first: start, last } })
        const expected = bytes.subarray(start, last === undefined ? undefined : last + 1)
        expect(found?.sizeBytes).toBe(bytes.length)
        expect(found?.range).toEqual({ first: start, last: start + expected.length - 1 })
        const got = found === null ? Buffer.alloc(0) : await buffer(found.stream)
        expect(expected.equals(got)).toBe(true)
      }),
      {
        numRuns: runs,
        examples: [
          [0, 1],
          [largeBytes - 1, undefined],
          [0, largeBytes],
        ],
      },
    )
  })

  test('says so where a range holds nothing', async () => {
    const empty = newKey()
    await ask().put(empty, Buffer.alloc(0), BOUND)
    expect(await reasonOf(ask().get(empty, { range: { first: 0 } }))).toBe('range-not-satisfiable')
    const none: ByteRange[] = [{ first: bytes.length }, { first: -1 }, { first: 2, last: 1 }, { first: 0.5 }]
    for (const range of none) {
      expect(await reasonOf(ask().get(key, { range }))).toBe('range-not-satisfiable')
    }
  })

  test('may be left at any moment', async () => {
    const found = await ask().get(key)
    await expect(
      (async () => {
        for await (const _ of found?.stream ?? []) break
      })(),
    ).resolves.toBeUndefined()
    await vi.waitUntil(() => found?.stream.closed === true)
    expect(bytes.equals((await read(ask(), key)) ?? Buffer.alloc(0))).toBe(true)
  })

  test('ends with its signal', async () => {
    const abort = new AbortController()
    const found = await ask().get(key, { signal: abort.signal })
    abort.abort()
    await expect(found === null ? undefined : buffer(found.stream)).rejects.toThrow()
    expect(await reasonOf(ask().get(key, { signal: AbortSignal.abort() }))).toBe('aborted')
  })

  test('is one object, whole, when it is replaced meanwhile', async () => {
    const moving = newKey()
    await ask().put(moving, bytes, BOUND)
    const found = await ask().get(moving)
    await ask().put(moving, randomBytes(largeBytes), BOUND)
    expect(found === null ? '' : digestOf(await buffer(found.stream))).toBe(digestOf(bytes))
  })

  test('can be read here and there', async () => {
    const reader = objectReader(ask(), key, bytes.length)
    expect(await reader.read(0, 8)).toEqual(new Uint8Array(bytes.subarray(0, 8)))
    expect(await reader.read(bytes.length - 4, 100)).toEqual(new Uint8Array(bytes.subarray(-4)))
    expect(await reader.read(65_530, 20)).toEqual(new Uint8Array(bytes.subarray(65_530, 65_550)))
  })
}

function describeLists(ask: Ask, { runs }: ConformanceOptions): void {
  const segment = fc.stringMatching(/^[ab][ab_-]{0,2}$/)
  const name = fc.stringMatching(/^[ab][ab_-]{1,3}\.(?:png|glb)$/)
  const keys = fc
    .tuple(fc.array(segment, { maxLength: 3 }), name)
    .map(([folders, last]) => [...folders, last].join('/'))

  test('is what is there, in the order of keys, by prefix, in pages of any size', async () => {
    let round = 0
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(keys, { maxLength: 12 }),
        fc.nat(12),
        fc.nat(6),
        fc.integer({ min: 1, max: 5 }),
        async (some, which, prefixLength, limit) => {
          round += 1
          const base = `conformance/list-${round}-${lastKey}/`
          const all = some.map(key => base + key).sort()
          await Promise.all(all.map(key => ask().put(key, Buffer.from(key), BOUND)))
          const prefix = base + (some[which % Math.max(1, some.length)] ?? '').slice(0, prefixLength)
          const expected = all.filter(key => key.startsWith(prefix))
          expect(await keysOf(ask(), prefix, limit)).toEqual(expected)
          const after = all[which % Math.max(1, all.length)] ?? base
          const rest = await ask().list(base, after)
          expect(rest.objects.map(object => object.key)).toEqual(all.filter(key => key > after))
          for (const { key, sizeBytes } of rest.objects) expect(sizeBytes).toBe(key.length)
        },
      ),
      { numRuns: runs },
    )
  })

  test('is nothing under a prefix that nothing has, and without what was deleted', async () => {
    expect(await ask().list('conformance/nobody/')).toEqual({ objects: [], next: undefined })
    expect(await ask().list('../')).toEqual({ objects: [], next: undefined })
    const key = newKey('conformance/deleted')
    await ask().put(key, Buffer.from('x'), BOUND)
    await ask().delete(key)
    expect(await ask().list('conformance/deleted/')).toEqual({ objects: [], next: undefined })
  })
}
