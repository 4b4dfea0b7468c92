import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import type { OpenFile } from '#spec/gateway.ts'
import { ObjectStoreFailure } from '#spec/object-store.ts'
import { startEdge } from './edge.fixture.ts'
import { rangeOf } from './files.ts'

const BYTES = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251))

function fileOf(fields: Partial<OpenFile> = {}): OpenFile {
  return {
    contentType: 'video/mp4',
    fileName: 'video-1.mp4',
    sizeBytes: BYTES.length,
    etag: '"abc"',
    redirectTo: undefined,
    async *read(range) {
      const part = range ? BYTES.subarray(range.start, range.end + 1) : BYTES
      for (let at = 0; at < part.length; at += 7_000) yield part.subarray(at, at + 7_000)
    },
    ...fields,
  }
}

async function serve(file: OpenFile | undefined) {
  const asked: string[] = []
  const edge = await startEdge({
    gateway: {
      openFile: async path => {
        asked.push(path)
        return file
      },
    },
  })
  const get = (headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${edge.url}/files/token/video-1.mp4`, { headers, method, redirect: 'manual' })
  return { ...edge, asked, get }
}

async function bytesOf(answer: Response): Promise<Buffer> {
  return Buffer.from(await answer.arrayBuffer())
}

describe('a file', () => {
  it('comes whole, as what it is, and can never run as a page', async () => {
    const { get, asked } = await serve(fileOf())
    const answer = await get()
    expect(answer.status).toBe(200)
    expect(asked).toEqual(['/files/token/video-1.mp4'])
    expect(await bytesOf(answer)).toEqual(BYTES)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': String(BYTES.length),
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'accept-ranges': 'bytes',
      'referrer-policy': 'no-referrer',
      'cache-control': 'public, max-age=31536000, immutable',
    })
  })

  it.each([
    ['bytes=0-9', 0, 9],
    ['bytes=99990-', 99_990, 99_999],
    ['bytes=-10', 99_990, 99_999],
    ['bytes=50-200000', 50, 99_999],
  ])('comes in part for %s', async (range, start, end) => {
    const { get } = await serve(fileOf())
    const answer = await get({ range })
    expect(answer.status).toBe(206)
    expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end}/100000`)
    expect(await bytesOf(answer)).toEqual(BYTES.subarray(start, end + 1))
  })

  it('has no part beyond its end', async () => {
    const { get } = await serve(fileOf())
    const answer = await get({ range: 'bytes=100000-' })
    expect(answer.status).toBe(416)
    expect(answer.headers.get('content-range')).toBe('bytes */100000')
  })

  it('is not sent again to who has it', async () => {
    const { get } = await serve(fileOf())
    for (const has of ['"abc"', 'W/"abc"', '"x", W/"abc"', '*']) {
      expect((await get({ 'if-none-match': has })).status).toBe(304)
    }
    expect((await get({ 'if-none-match': '"ab", "abcd"' })).status).toBe(200)
  })

  it('has no part of its head', async () => {
    const { get } = await serve(fileOf())
    for (const range of ['bytes=0-9', 'bytes=100000-']) {
      const answer = await get({ range }, 'HEAD')
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-length')).toBe('100000')
    }
  })

  it('sends its head alone to who asks for it alone', async () => {
    const { get } = await serve(fileOf())
    const answer = await get({}, 'HEAD')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-length')).toBe('100000')
    expect(await bytesOf(answer)).toHaveLength(0)
  })

  it('in a bucket is fetched there, behind our address', async () => {
    const { get } = await serve(fileOf({ redirectTo: 'https://bucket.example.com/x?signed' }))
    const answer = await get()
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toBe('https://bucket.example.com/x?signed')
    // A page may follow it: a redirect that does not say so ends a fetch of another origin.
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('in a bucket has its head here: a signed link is for GET alone', async () => {
    const { get } = await serve(fileOf({ redirectTo: 'https://bucket.example.com/x?signed' }))
    const answer = await get({}, 'HEAD')
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-length': '100000',
      'content-type': 'video/mp4',
      etag: '"abc"',
    })
    expect((await get({ 'if-none-match': '"abc"' })).status).toBe(304)
  })

  it('whose storage is away, or that has just gone, answers so, and not with a broken body', async () => {
    for (const [error, status, code] of [
      [new ObjectStoreFailure('unavailable', 'ECONNREFUSED'), 503, 'storage_unavailable'],
      [new GatewayError('file_not_found', 'Gone.'), 404, 'file_not_found'],
    ] as const) {
      // biome-ignore lint/correctness/useYield: it fails before its first byte
      const read = async function* () {
        throw error
      }
      const { get } = await serve(fileOf({ read }))
      const answer = await get()
      expect(answer.status).toBe(status)
      expect(await answer.text()).toContain(code)
    }
  })

  it('is closed when its client leaves before its end', async () => {
    let closed = 0
    const read = async function* () {
      try {
        for (;;) yield BYTES
      } finally {
        closed += 1
      }
    }
    const { url } = await serve(fileOf({ read, sizeBytes: 10_000_000_000 }))
    const leaving = new AbortController()
    const answer = await fetch(`${url}/files/token/video-1.mp4`, { signal: leaving.signal })
    await answer.body?.getReader().read()
    leaving.abort()
    await expect.poll(() => closed, { timeout: 20_000 }).toBe(1)
  })

  it('that is not there answers 404', async () => {
    const { get } = await serve(undefined)
    expect((await get()).status).toBe(404)
  })

  it('that breaks off in the middle is seen to be not whole', async () => {
    const { get, access } = await serve(
      fileOf({
        async *read() {
          yield BYTES.subarray(0, 10)
          throw new Error('the disk is gone')
        },
      }),
    )
    await expect(get().then(bytesOf)).rejects.toThrow()
    expect(access).toEqual([])
  })
})

test('whatever range is asked for, what comes lies within the file', () => {
  const file = { sizeBytes: 1_000, etag: '"x"' }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,5}-\d{0,5}$/)), text => {
      const range = rangeOf(text, undefined, file)
      if (range === undefined || range === 'unsatisfiable') return
      expect(range.start).toBeGreaterThanOrEqual(0)
      expect(range.end).toBeLessThan(file.sizeBytes)
      expect(range.start).toBeLessThanOrEqual(range.end)
    }),
  )
})
