/** A simulated vendor on a socket: within a test, or as a process of its own. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { parseArgs } from 'node:util'
import type { JobMeterReading, JobPrices } from './job-meter.ts'
import type { SentCallback } from './sent-callback.ts'
import { type ReceivedCall, TaskVendor, type TaskVendorOptions } from './task-vendor.ts'
import type { VendorFormat } from './vendor-format.ts'

export interface TaskUpstreamOptions extends TaskVendorOptions {
  readonly port?: number | undefined
}

export interface TaskUpstream {
  readonly port: number
  readonly origin: string
  meter(): JobMeterReading
  calls(): readonly ReceivedCall[]
  callbacks(): readonly SentCallback[]
  /** The next create calls meet these, one each. */
  faultNext(...texts: readonly string[]): void
  /** Forgets jobs, calls, callbacks and what was billed. */
  reset(): void
  close(): Promise<void>
}

export async function startTaskUpstream(
  format: VendorFormat,
  options: TaskUpstreamOptions = {},
): Promise<TaskUpstream> {
  const vendor = new TaskVendor(format, options)
  const server = createServer((request, response) => vendor.serve(request, response))
  server.listen(options.port ?? 0, '127.0.0.1', 4096)
  await once(server, 'listening')
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  vendor.listensAt(origin)
  return {
    port,
    origin,
    meter: () => vendor.meter(),
    calls: () => vendor.calls(),
    callbacks: () => vendor.callbacks(),
    faultNext: (...texts) => vendor.faultNext(texts),
    reset: () => vendor.reset(),
    close: async () => {
      vendor.reset()
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** Reads the command line, prints `{"port":…}`, and serves until it is told to stop. */
export async function runTaskUpstream(
  start: (options: TaskUpstreamOptions & { readonly secret?: string | undefined }) => Promise<TaskUpstream>,
): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      prices: { type: 'string', default: '{}' },
      defaults: { type: 'string', default: '' },
      'api-key': { type: 'string' },
      secret: { type: 'string' },
    },
  })
  const upstream = await start({
    port: Number(values.port),
    prices: JSON.parse(values.prices) as JobPrices,
    defaults: values.defaults,
    apiKey: values['api-key'],
    secret: values.secret,
  })
  process.stdout.write(`${JSON.stringify({ port: upstream.port })}\n`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void upstream.close().then(() => process.exit(0)))
  }
}
