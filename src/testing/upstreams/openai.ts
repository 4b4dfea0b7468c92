/**
 * A vendor of OpenAI's chat and embeddings format, simulated: its own process (`node src/testing/upstreams/openai.ts
 * --port 0` prints `{"port":…}`) or within a test. It answers deterministically, keeps its own billing meter
 * (`GET /__meter`, `POST /__reset`), remembers what it was sent (`GET /__requests`), and breaks on request:
 * see `openai/faults.ts`. Nothing it says was recorded from a vendor: shapes are written from OpenAI's published
 * OpenAPI document and OpenRouter's SDK.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { Directives, FaultProfile } from './openai/faults.ts'
import type { MeterPrices, MeterReading } from './openai/meter.ts'
import { type ReceivedRequest, SimulatedVendor, type VendorOptions } from './openai/vendor.ts'

export interface OpenAiUpstreamOptions extends VendorOptions {
  readonly port?: number | undefined
}

export interface OpenAiUpstream {
  readonly port: number
  /** With `/v1`, as a provider's base URL is written. */
  readonly baseUrl: string
  meter(): MeterReading
  requests(): readonly ReceivedRequest[]
  /** Forgets requests and calls. */
  reset(): void
  close(): Promise<void>
}

export async function startOpenAiUpstream(options: OpenAiUpstreamOptions = {}): Promise<OpenAiUpstream> {
  const vendor = new SimulatedVendor(options)
  const server = createServer((request, response) => vendor.serve(request, response))
  server.keepAliveTimeout = 60_000
  server.listen(options.port ?? 0, '127.0.0.1', 4096)
  await once(server, 'listening')
  const sockets = trackSockets(server)
  const { port } = server.address() as AddressInfo
  return {
    port,
    baseUrl: `http://127.0.0.1:${port}/v1`,
    meter: () => vendor.meter.read(),
    requests: () => vendor.requests,
    reset: () => vendor.reset(),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function trackSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  return sockets
}

async function runAsProcess(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      flavour: { type: 'string', default: 'openai' },
      prices: { type: 'string', default: '{}' },
      faults: { type: 'string', default: '{}' },
      defaults: { type: 'string', default: '{}' },
      seed: { type: 'string', default: '1' },
      'api-key': { type: 'string' },
      'keep-requests': { type: 'string' },
      'keep-calls': { type: 'string' },
    },
  })
  const upstream = await startOpenAiUpstream({
    port: Number(values.port),
    flavour: values.flavour === 'openrouter' ? 'openrouter' : 'openai',
    prices: JSON.parse(values.prices) as MeterPrices,
    faults: JSON.parse(values.faults) as FaultProfile,
    defaults: JSON.parse(values.defaults) as Partial<Directives>,
    seed: Number(values.seed),
    apiKey: values['api-key'],
    keepRequests: values['keep-requests'] === undefined ? undefined : Number(values['keep-requests']),
    keepCalls: values['keep-calls'] === undefined ? undefined : Number(values['keep-calls']),
  })
  process.stdout.write(`${JSON.stringify({ port: upstream.port })}\n`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void upstream.close().then(() => process.exit(0)))
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await runAsProcess()
