/** A gateway with a live key in front of simulated vendors of media, and one account of what became of each task. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { MeteredJob } from '#testing/upstreams/media/job-meter.ts'
import type { ReceivedCall } from '#testing/upstreams/media/task-vendor.ts'
import { type Books, openBooks, type Payer, type UsageRow } from './books.fixture.ts'
import {
  createMediaCatalog,
  type MediaVendor,
  startMediaVendor,
  VENDORS,
  type VendorId,
} from './media-vendors.fixture.ts'
import { databaseUrlOf, startServer, type TollgateServer } from './server.ts'

const LIVE_KEY = 'sk-e2e-provider-faults-live-key'
const CREDITS = 1_000_000n
const NANO_USD_PER_CREDIT = 10_000_000n
/** Hundreds of tasks are looked at at once: more often would measure this. */
const LOOK_EVERY_MS = 600

/** A task as `GET /generations/{id}` shows it. */
export interface Generation {
  readonly id: string
  readonly state: string
  readonly progress: number | null
  readonly provider: string | null
  readonly credits_held: number
  readonly credits_charged: number
  readonly artifacts: readonly { readonly url: string; readonly content_type: string }[]
  readonly error: { readonly code: string; readonly message: string } | null
}

export interface MediaHouse {
  readonly server: TollgateServer
  readonly vendors: Readonly<Record<VendorId, MediaVendor>>
  readonly books: Books
  readonly payer: Payer
  /** Gives the task's id, or throws what the gateway answered. */
  submit(model: string, prompt: string, count: number): Promise<string>
  look(id: string): Promise<Generation>
  cancel(id: string): Promise<Response>
  post(path: string, body: unknown): Promise<Response>
  stop(): Promise<void>
}

export async function openMediaHouse(
  vendors: Readonly<Record<VendorId, MediaVendor>>,
  briefSeconds: number,
  env: Readonly<Record<string, string>> = {},
): Promise<MediaHouse> {
  const catalog = await createMediaCatalog(briefSeconds)
  const port = await freePort()
  const all = VENDORS.map(id => vendors[id])
  const server = await startServer({
    env: {
      ...Object.assign({}, ...all.map(vendor => vendor.env)),
      TOLLGATE_API_KEY: LIVE_KEY,
      TOLLGATE_CREDITS: String(CREDITS),
      CATALOG_DIR: catalog.dir,
      PORT: String(port),
      // Checkably public as far as this machine goes, so that vendors are given an address to call back.
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      ALLOWED_PRIVATE_HOSTS: [`127.0.0.1:${port}`, ...all.map(({ origin }) => new URL(origin).host)].join(
        ',',
      ),
      CREATION_RATE_LIMIT: '10000/10',
      TASK_CONCURRENCY: '96',
      UPSTREAM_FIRST_BYTE_TIMEOUT_MS: '3000',
      LOG_LEVEL: 'warn',
      ...env,
    },
  })
  const books = await openBooks(await databaseUrlOf(server))
  const [workspace] = await server.cliJson<readonly { readonly id: string }[]>('workspace', 'list')
  const payer = {
    workspace: workspace?.id ?? '',
    key: LIVE_KEY,
    grantNanoUsd: CREDITS * NANO_USD_PER_CREDIT,
  }
  const headers = { authorization: `Bearer ${LIVE_KEY}`, 'content-type': 'application/json' }
  const post = (path: string, body: unknown) =>
    fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return {
    server,
    vendors,
    books,
    payer,
    post,
    async submit(model, prompt, count) {
      const answer = await post('/api/v1/jobs/createTask', { model, input: { prompt, num_images: count } })
      const text = await answer.text()
      const id = JSON.parse(text).data?.taskId
      if (typeof id !== 'string') throw new Error(`${model} was refused: ${text}`)
      return id
    },
    look: async id =>
      (await (await fetch(`${server.url}/v1/generations/${id}`, { headers })).json()) as Generation,
    cancel: id => post(`/v1/generations/${id}/cancel`, {}),
    async stop() {
      await books.close()
      await server.stop()
      await catalog.remove()
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export async function startMediaVendors(): Promise<Readonly<Record<VendorId, MediaVendor>>> {
  const [fal, replicate, kie] = await Promise.all([
    startMediaVendor('fal'),
    startMediaVendor('replicate'),
    startMediaVendor('kie'),
  ])
  return { fal, replicate, kie }
}

/** Looks at a task until it has ended. Throws where its state or its progress ever ran backwards. */
export async function untilEnded(house: MediaHouse, id: string, withinMs: number): Promise<Generation> {
  const until = performance.now() + withinMs
  let seen: Generation | undefined
  for (;;) {
    const now = await house.look(id)
    const isBack =
      seen !== undefined &&
      ((seen.state === 'running' && now.state === 'queued') || (now.progress ?? 0) < (seen.progress ?? 0))
    if (isBack) throw new Error(`${id} ran backwards: ${JSON.stringify([seen, now])}`)
    if (!/^(queued|running)$/.test(now.state)) return now
    if (performance.now() > until) throw new Error(`${id} has not ended: ${JSON.stringify(now)}`)
    seen = now
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

/** What a vendor knows of one task, found by the mark in its prompt. */
export interface VendorAccount {
  /** Create calls, refused ones too. */
  readonly creates: number
  readonly jobs: readonly MeteredJob[]
  /** Jobs that were taken, ended or not. */
  readonly taken: number
  readonly invoiceNanoUsd: bigint
}

/** Everything that is known of one task, at both ends. */
export interface Account {
  readonly task: Generation
  readonly row: UsageRow | undefined
  readonly vendors: Readonly<Record<VendorId, VendorAccount>>
}

/** Reads the books of everybody at once. `marks` are by task id. */
export async function accountsOf(
  house: MediaHouse,
  marks: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, Account>> {
  const rows = new Map((await house.books.usage(house.payer.workspace)).map(row => [row.requestId, row]))
  const readings = await Promise.all(
    VENDORS.map(async id => {
      const [calls, meter] = await Promise.all([house.vendors[id].calls(), house.vendors[id].meter()])
      return { id, calls, jobs: new Map(meter.jobs.map(job => [job.id, job])) }
    }),
  )
  const accounts = new Map<string, Account>()
  for (const [id, mark] of marks) {
    const vendors = readings.map(one => [one.id, vendorAccountOf(one.calls, one.jobs, mark)] as const)
    accounts.set(id, {
      task: await house.look(id),
      row: rows.get(`req_${id}`),
      vendors: Object.fromEntries(vendors) as Record<VendorId, VendorAccount>,
    })
  }
  return accounts
}

function vendorAccountOf(
  calls: readonly ReceivedCall[],
  meter: ReadonlyMap<string, MeteredJob>,
  mark: string,
): VendorAccount {
  const own = calls.filter(call => call.method === 'POST' && JSON.stringify(call.body).includes(mark))
  const taken = own.flatMap(call => call.jobId ?? [])
  const jobs = taken.flatMap(id => meter.get(id) ?? [])
  const invoiceNanoUsd = jobs.reduce((sum, job) => sum + BigInt(job.invoiceNanoUsd), 0n)
  return { creates: own.length, jobs, taken: taken.length, invoiceNanoUsd }
}
