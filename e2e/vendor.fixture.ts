/** The simulated vendor as a process of its own, with the catalogue that prices it for the gateway as for its own meter. */
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

/** A model of the test's own catalogue, which the vendor's meter bills by the same prices. */
export interface TestModel {
  readonly id: string
  readonly operation: 'chat' | 'embed'
  readonly rates: Rates
  readonly maxOutputTokens?: number
}

export interface Vendor {
  /** What a gateway needs to reach it: credential, address and catalogue. */
  readonly env: Readonly<Record<string, string>>
  meter(): Promise<MeterReading>
  /** In the order of arrival, which is the order of the meter's numbered calls. */
  requests(): Promise<readonly ReceivedRequest[]>
  stop(): Promise<void>
}

/** Starts it. `defaults` are directives for every call (`src/testing/upstreams/openai/faults.ts`). */
export async function startVendor(
  models: readonly TestModel[],
  defaults: Readonly<Record<string, number>> = {},
): Promise<Vendor> {
  const catalogDir = await mkdtemp(join(tmpdir(), 'tollgate-e2e-catalog-'))
  await writeFile(join(catalogDir, 'models.json'), JSON.stringify({ models: models.map(catalogEntry) }))
  const prices = Object.fromEntries(models.map(({ id, rates }) => [id, meterPrice(rates)]))
  const kept = ['--keep-calls', '1000000', '--keep-requests', '1000000']
  const words = ['--prices', JSON.stringify(prices), '--defaults', JSON.stringify(defaults), ...kept]
  const child = spawn(process.execPath, [SIMULATOR, '--port', '0', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const killWithUs = () => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const address = `http://127.0.0.1:${await portOf(child)}`
  return {
    env: { OPENAI_API_KEY: 'sk-simulated', OPENAI_BASE_URL: `${address}/v1`, CATALOG_DIR: catalogDir },
    meter: async () => (await (await fetch(`${address}/__meter`)).json()) as MeterReading,
    requests: async () => (await (await fetch(`${address}/__requests`)).json()) as ReceivedRequest[],
    async stop() {
      process.off('exit', killWithUs)
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      await rm(catalogDir, { recursive: true, force: true })
    },
  }
}

function catalogEntry({ id, operation, rates, maxOutputTokens }: TestModel): object {
  return {
    id,
    name: id,
    vendor: 'simulated',
    operation,
    context_tokens: 128_000,
    ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
    offerings: [{ provider: 'openai', upstream_model: id, price_usd_per_million_tokens: rates }],
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
