/** Simulated vendors as processes of their own, and the catalogue that prices them for the gateway as for their meters. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { nanoUsdFromDollars } from '#spec/money.ts'
import type { MeterReading } from '#testing/upstreams/openai/meter.ts'
import type { ReceivedRequest } from '#testing/upstreams/openai/vendor.ts'

const SIMULATOR = resolve(import.meta.dirname, '../src/testing/upstreams/openai.ts')

/** Dollars per million tokens. */
export interface Rates {
  readonly input: string
  readonly output?: string
  readonly cached_input?: string
  readonly cache_write?: string
}

/** A model of the test's own catalogue. */
export interface TestModel {
  readonly id: string
  readonly operation: 'chat' | 'embed'
  readonly maxOutputTokens?: number
  /** In the order they are to be tried. A suffix of the upstream model is a directive for the simulator. */
  readonly offerings: readonly {
    readonly provider: 'openai' | 'openrouter'
    readonly upstreamModel: string
    readonly rates: Rates
  }[]
}

export interface TestCatalog {
  readonly models: readonly TestModel[]
  readonly env: Readonly<Record<string, string>>
  remove(): Promise<void>
}

export async function createCatalog(models: readonly TestModel[]): Promise<TestCatalog> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-e2e-catalog-'))
  await writeFile(join(folder, 'models.json'), JSON.stringify({ models: models.map(catalogEntry) }))
  return {
    models,
    env: { CATALOG_DIR: folder },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

function catalogEntry({ id, operation, maxOutputTokens, offerings }: TestModel): object {
  return {
    id,
    name: id,
    vendor: 'simulated',
    operation,
    context_tokens: 128_000,
    ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
    offerings: offerings.map(({ provider, upstreamModel, rates }) => ({
      provider,
      upstream_model: upstreamModel,
      price_usd_per_million_tokens: rates,
    })),
  }
}

export interface Vendor {
  /** Credential and address, for the gateway. */
  readonly env: Readonly<Record<string, string>>
  meter(): Promise<MeterReading>
  /** In the order of arrival, which is the order of the meter's numbered calls. */
  requests(): Promise<readonly ReceivedRequest[]>
  stop(): Promise<void>
}

/** Starts one whose meter bills by the same prices as the catalogue. */
export async function startVendor(
  { models }: TestCatalog,
  provider: 'openai' | 'openrouter' = 'openai',
): Promise<Vendor> {
  const prices = models
    .flatMap(({ offerings }) => offerings.filter(offering => offering.provider === provider))
    .map(({ upstreamModel, rates }) => [upstreamModel.split(':')[0], meterPrice(rates)])
  const kept = ['--keep-calls', '1000000', '--keep-requests', '1000000']
  const words = ['--flavour', provider, '--prices', JSON.stringify(Object.fromEntries(prices)), ...kept]
  const child = spawn(process.execPath, [SIMULATOR, '--port', '0', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const killWithUs = () => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const address = `http://127.0.0.1:${await portOf(child)}`
  const name = provider.toUpperCase()
  return {
    env: { [`${name}_API_KEY`]: 'sk-simulated', [`${name}_BASE_URL`]: `${address}/v1` },
    meter: async () => (await (await fetch(`${address}/__meter`)).json()) as MeterReading,
    requests: async () => (await (await fetch(`${address}/__requests`)).json()) as ReceivedRequest[],
    async stop() {
      process.off('exit', killWithUs)
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

function meterPrice({ input, output = '0', cached_input = input, cache_write = input }: Rates): object {
  const nano = (dollars: string) => nanoUsdFromDollars(dollars).toString()
  return {
    input: nano(input),
    output: nano(output),
    cached_input: nano(cached_input),
    cache_write: nano(cache_write),
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout !== null) {
    for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line).port
  }
  throw new Error('the simulated vendor ended before it said its port')
}
