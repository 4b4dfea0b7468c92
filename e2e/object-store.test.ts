/** The object store against a real S3 server. */
import { randomBytes } from 'node:crypto'
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { objectStoreConformance } from '#platform/object-store/conformance.suite.ts'
import { probeObjectStore } from '#platform/object-store/probe.ts'
import { createS3Store } from '#platform/object-store/s3-store.ts'
import type { ObjectStore } from '#spec/object-store.ts'
import { type S3Server, startS3Server } from './s3-server.ts'

/** The smallest that S3 takes as a part which is not the last. */
const PART_BYTES = 5 * 1024 ** 2
const KEY = 'artifacts/2026/abcdef.png'
const PNG = { contentType: 'image/png', maxBytes: 100_000_000 }

let server: S3Server
let store: ObjectStore
beforeAll(async () => {
  server = await startS3Server()
  store = createS3Store({ ...server.options, partBytes: PART_BYTES })
})
afterAll(async () => {
  store?.close()
  await server?.stop()
})

describe('a real S3 server', () => {
  objectStoreConformance({
    open: async () => ({ store, close: async () => {} }),
    largeBytes: 2 * PART_BYTES,
    runs: 8,
  })
})

describe('a presigned link', () => {
  const bytes = randomBytes(10_000)
  beforeAll(() => store.put(KEY, bytes, PNG))

  async function link(expiresInSeconds = 60): Promise<string> {
    const presigned = await store.presign(KEY, {
      expiresInSeconds,
      responseContentType: 'application/octet-stream',
      responseContentDisposition: `attachment; filename="a (1)'s *picture*.png"`,
    })
    return presigned ?? ''
  }

  test('gives the object, as it says', async () => {
    const answer = await fetch(await link())
    expect(answer.status).toBe(200)
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true)
    expect(answer.headers.get('content-type')).toBe('application/octet-stream')
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="a (1)'s *picture*.png"`)
  })

  test('without wishes gives the content type it was put with', async () => {
    const plain = await store.presign(KEY, { expiresInSeconds: 60 })
    const answer = await fetch(plain ?? '', { headers: { range: 'bytes=0-9' } })
    expect(answer.status).toBe(206)
    expect(answer.headers.get('content-type')).toBe('image/png')
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(0, 10))).toBe(true)
  })

  test('gives nothing once anything in it was changed, or its time is over, or without a signature', async context => {
    if (server.kind === 'moto') context.skip('moto takes any signature')
    const good = await link()
    const changed = [
      good.replace('abcdef.png', 'abcdeg.png'),
      good.replace('X-Amz-Expires=60', 'X-Amz-Expires=61'),
      good.replace('octet-stream', 'pdf'),
      good.replace(/.$/, last => (last === '0' ? '1' : '0')),
      good.split('?')[0] ?? '',
    ]
    for (const url of changed) expect((await fetch(url)).status, url.split('?')[0]).toBe(403)
    const short = await link(1)
    await expect.poll(async () => (await fetch(short)).status, { timeout: 10_000, interval: 200 }).toBe(403)
  })
})

describe('the bucket', () => {
  test('passes the check at the start, and leaves nothing of it', async () => {
    await probeObjectStore(store)
    expect(await store.list('probe/')).toEqual({ objects: [], next: undefined })
  })

  test('that is not there fails the check, and says so', async () => {
    const missing = createS3Store({ ...server.options, bucket: 'tollgate-nowhere' })
    await expect(probeObjectStore(missing)).rejects.toThrow('object store: unavailable (NoSuchBucket 404)')
    missing.close()
  })

  test('that does not know the key fails the check, and says so without the secret', async context => {
    if (server.kind === 'moto') context.skip('moto takes any signature')
    const stranger = createS3Store({ ...server.options, secretAccessKey: 'another-secret' })
    const failure = probeObjectStore(stranger)
    await expect(failure).rejects.toThrow(/^object store: unavailable \(SignatureDoesNotMatch 403\)$/)
    stranger.close()
  })

  test('loses the parts of an upload whose process died', async () => {
    const { endpoint, region, forcePathStyle, bucket, accessKeyId, secretAccessKey } = server.options
    const credentials = { accessKeyId, secretAccessKey }
    const client = new S3Client({ endpoint, region, forcePathStyle, credentials })
    const begin = new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'artifacts/2026/left.png' })
    const { UploadId } = await client.send(begin)
    const part = { Bucket: bucket, Key: 'artifacts/2026/left.png', UploadId, PartNumber: 1 }
    await client.send(new UploadPartCommand({ ...part, Body: randomBytes(1_000) }))
    // Moto says of every upload that it was begun in 2010.
    if (server.kind === 'versitygw') expect(await store.sweepLeftovers(3_600_000)).toBe(0)
    expect(await store.sweepLeftovers(-60_000)).toBe(1)
    const left = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    expect(left.Uploads ?? []).toEqual([])
    client.destroy()
  })
})
