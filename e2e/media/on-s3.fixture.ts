/** Two gateways on one database and one bucket, and what a client sees of the files in it. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import pg from 'pg'
import { expect } from 'vitest'
import { createS3Store } from '#platform/object-store/s3-store.ts'
import type { ObjectStore } from '#spec/object-store.ts'
import { type S3Server, startS3Server } from '../s3-server.ts'
import { type SharedDatabase, startServer, startSharedDatabase, type TollgateServer } from '../server.ts'
import { QUICK } from './media-server.ts'

export interface HouseOnS3 {
  readonly s3: S3Server
  /** The bucket, as its owner sees it. */
  readonly bucket: ObjectStore
  /** Had its first boot, so it has the test key. Files' addresses are its own. */
  readonly one: TollgateServer
  readonly other: TollgateServer
  /** One more on the same database and bucket. The caller stops it. */
  another(env: Readonly<Record<string, string>>): Promise<TollgateServer>
  query(text: string, values?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** All keys in the bucket. */
  keys(): Promise<readonly string[]>
  /** Of the shared database and bucket; the servers are stopped before. */
  close(): Promise<void>
}

/** `ownHosts`: addresses on this machine that the gateways may fetch from. */
export async function openHouseOnS3(ownHosts: readonly string[]): Promise<HouseOnS3> {
  const s3 = await startS3Server()
  const database = await startSharedDatabase()
  const port = await freePort()
  const env = environmentOf(s3, port, ownHosts)
  const boot = (more: Readonly<Record<string, string>>) =>
    startServer({ databaseUrl: database.url, env: { ...env, ...more } })
  const client = await connect(database)
  const bucket = createS3Store(s3.options)
  const close = async () => {
    bucket.close()
    await client.end()
    await database.stop()
    await s3.stop()
  }
  try {
    return {
      s3,
      bucket,
      one: await boot({ PORT: String(port) }),
      other: await boot({}),
      another: boot,
      query: async (text, values = []) => (await client.query(text, [...values])).rows,
      keys: () => keysIn(bucket),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function environmentOf({ options }: S3Server, port: number, ownHosts: readonly string[]) {
  return {
    ...QUICK,
    TASK_CONCURRENCY: '2',
    S3_BUCKET: options.bucket,
    S3_ENDPOINT: options.endpoint,
    S3_REGION: options.region,
    S3_ACCESS_KEY_ID: options.accessKeyId,
    S3_SECRET_ACCESS_KEY: options.secretAccessKey,
    S3_FORCE_PATH_STYLE: String(options.forcePathStyle),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    ALLOWED_PRIVATE_HOSTS: [`127.0.0.1:${port}`, new URL(options.endpoint).host, ...ownHosts].join(','),
  }
}

async function connect(database: SharedDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url })
  // Ended with its server, when the test is over.
  client.on('error', () => {})
  await client.connect()
  return client
}

async function keysIn(bucket: ObjectStore): Promise<readonly string[]> {
  const keys: string[] = []
  let after: string | undefined
  do {
    const page = await bucket.list('', after)
    keys.push(...page.objects.map(({ key }) => key))
    after = page.next
  } while (after !== undefined)
  return keys
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface Download {
  readonly bytes: Buffer
  readonly contentType: string
  readonly sha256: string
  /** The link into the bucket that our address led to. */
  readonly link: string
}

/** Fetches a file as a browser does: our address, then where that leads. Checks the heads of both. */
export async function download(url: string): Promise<Download> {
  const first = await fetch(url, { redirect: 'manual' })
  expect(first.status, url).toBe(302)
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'access-control-allow-origin': '*',
    'cache-control': 'private, max-age=600',
  })
  const link = first.headers.get('location') ?? ''
  const answer = await fetch(link)
  expect(answer.status, url).toBe(200)
  const name = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '')
  expect(answer.headers.get('content-disposition')).toBe(`inline; filename="${name}"`)
  const bytes = Buffer.from(await answer.arrayBuffer())
  await expectPart(url, bytes)
  await expectHead(url, bytes, answer.headers.get('content-type'))
  const contentType = answer.headers.get('content-type') ?? ''
  return { bytes, contentType, sha256: createHash('sha256').update(bytes).digest('hex'), link }
}

async function expectPart(url: string, whole: Buffer): Promise<void> {
  const [first, last] = [Math.floor(whole.length / 3), Math.floor(whole.length / 2)]
  const part = await fetch(url, { headers: { range: `bytes=${first}-${last}` } })
  expect(part.status).toBe(206)
  expect(part.headers.get('content-range')).toBe(`bytes ${first}-${last}/${whole.length}`)
  expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(first, last + 1))).toBe(true)
}

/** A signed link is for GET alone, and `curl -IL` must work all the same. */
async function expectHead(url: string, whole: Buffer, contentType: string | null): Promise<void> {
  const head = await fetch(url, { method: 'HEAD' })
  expect(head.status).toBe(200)
  expect(head.headers.get('content-length')).toBe(String(whole.length))
  expect(head.headers.get('content-type')).toBe(contentType)
}
