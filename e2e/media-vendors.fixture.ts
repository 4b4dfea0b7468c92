/** Simulated vendors of media as processes of their own, and the models that the gateway sells from them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { JobMeterReading } from '#testing/upstreams/media/job-meter.ts'
import type { SentCallback } from '#testing/upstreams/media/sent-callback.ts'
import type { ReceivedCall } from '#testing/upstreams/media/task-vendor.ts'

export const VENDORS = ['fal', 'replicate', 'kie'] as const
export type VendorId = (typeof VENDORS)[number]

/** For one file: what the catalogue says, and what the vendor's own meter takes. */
export const FILE_NANO_USD: Readonly<Record<VendorId, bigint>> = {
  fal: 40_000_000n,
  replicate: 50_000_000n,
  kie: 30_000_000n,
}

/** What the vendors are told to do first where a prompt does not say otherwise. */
const DEFAULTS = 'done-after-ms=200 retry-after=1'
const API_KEY = 'sk-simulated-vendor-key'
export const KIE_CALLBACK_SECRET = 'a-secret-of-the-account-at-kie'

export interface MediaVendor {
  readonly id: VendorId
  readonly origin: string
  /** Credential and address, for the gateway. */
  readonly env: Readonly<Record<string, string>>
  meter(): Promise<JobMeterReading>
  calls(): Promise<readonly ReceivedCall[]>
  callbacks(): Promise<readonly SentCallback[]>
  /** The next create calls meet these, one each. */
  faultNext(...texts: readonly string[]): Promise<void>
  stop(): Promise<void>
}

export async function startMediaVendor(id: VendorId): Promise<MediaVendor> {
  const program = resolve(import.meta.dirname, `../src/testing/upstreams/${id}/program.ts`)
  const prices = JSON.stringify({ '*': { perFile: String(FILE_NANO_USD[id]) } })
  const words = ['--port', '0', '--prices', prices, '--defaults', DEFAULTS, '--api-key', API_KEY]
  const signed = id === 'kie' ? ['--secret', KIE_CALLBACK_SECRET] : []
  const child = spawn(process.execPath, [program, ...words, ...signed], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const killWithUs = () => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const origin = `http://127.0.0.1:${await portOf(child.stdout)}`
  const name = id.toUpperCase()
  const read = async (path: string) => (await fetch(`${origin}${path}`)).json()
  return {
    id,
    origin,
    env: {
      [`${name}_API_KEY`]: API_KEY,
      [`${name}_BASE_URL`]: id === 'replicate' ? `${origin}/v1` : origin,
      ...(id === 'kie' && { KIE_CALLBACK_SECRET }),
    },
    meter: async () => (await read('/__meter')) as JobMeterReading,
    calls: async () => (await read('/__requests')) as ReceivedCall[],
    callbacks: async () => (await read('/__callbacks')) as SentCallback[],
    async faultNext(...texts) {
      const body = JSON.stringify({ next: texts })
      const { status } = await fetch(`${origin}/__faults`, { method: 'POST', body })
      if (status !== 200) throw new Error(`the simulator knows none of ${texts.join(', ')}`)
    },
    async stop() {
      process.off('exit', killWithUs)
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

async function portOf(stdout: NodeJS.ReadableStream): Promise<number> {
  for await (const line of createInterface({ input: stdout })) return JSON.parse(line).port
  throw new Error('the simulated vendor ended before it said its port')
}

/** By endpoint at the vendor: one that makes four files in a call, and at kie.ai one that makes one. */
const ENDPOINTS: Readonly<Record<VendorId, string>> = {
  fal: 'fal-ai/flux/schnell',
  replicate: 'black-forest-labs/flux-schnell',
  kie: 'google/nano-banana',
}

/**
 * `e2e-<vendor>` is sold from one vendor, `e2e-4o` too, by another family of kie.ai's; `e2e-chain` from all three in order,
 * and `e2e-chain-busy` by endpoints of its own, so that a vendor which asks for a pause there is asked here.
 * Each has a twin `…-brief` whose deadline passes within the test, after so many seconds.
 */
export async function createMediaCatalog(
  briefSeconds: number,
): Promise<{ readonly dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'tollgate-e2e-media-'))
  const sold: readonly (readonly [string, readonly object[]])[] = [
    ...VENDORS.map(vendor => [`e2e-${vendor}`, [offering(vendor)]] as const),
    ['e2e-4o', [offering('kie', 'gpt4o-image')]],
    ['e2e-chain', VENDORS.map(vendor => offering(vendor))],
    ['e2e-chain-busy', [offering('fal', 'fal-ai/flux/dev'), offering('replicate')]],
  ]
  const models = sold.flatMap(([id, offerings]) => [
    entry(id, offerings, 120),
    entry(`${id}-brief`, offerings, briefSeconds),
  ])
  await writeFile(join(dir, 'models.json'), JSON.stringify({ models }))
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) }
}

function offering(provider: VendorId, endpoint = ENDPOINTS[provider]): object {
  const usd = `0.0${FILE_NANO_USD[provider] / 10_000_000n}`
  return { provider, upstream_model: endpoint, price: { unit: 'image', usd } }
}

function entry(id: string, offerings: readonly object[], deadlineSeconds: number): object {
  return {
    id,
    name: id,
    vendor: 'simulated',
    operation: 'image',
    media: { actions: ['text2img'], deadline_seconds: deadlineSeconds },
    offerings,
  }
}
