/** A vendor in front of the simulated one that fails the next so many calls and then lets them through. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type OpenAiUpstream, startOpenAiUpstream } from '#testing/upstreams/openai.ts'

export interface FlakyUpstream {
  /** With `/v1`. */
  readonly baseUrl: string
  readonly vendor: OpenAiUpstream
  /** How many calls came, failed ones included. */
  calls(): number
  /** The next so many calls are answered with this status, and with `retry-after` where one is given. */
  failNext(count: number, status: number, retryAfterSeconds?: number): void
  close(): Promise<void>
}

export async function startFlakyUpstream(apiKey: string): Promise<FlakyUpstream> {
  const vendor = await startOpenAiUpstream({ apiKey })
  let calls = 0
  let failure = { left: 0, status: 500, retryAfterSeconds: undefined as number | undefined }
  const server = createServer((incoming, response) => {
    calls += 1
    if (failure.left > 0) {
      failure.left -= 1
      incoming.resume()
      if (failure.retryAfterSeconds !== undefined)
        response.setHeader('retry-after', failure.retryAfterSeconds)
      response.writeHead(failure.status, { 'content-type': 'application/json' })
      response.end('{"error":{"message":"asked to fail","type":"server_error","param":null,"code":null}}')
    } else pass(incoming, response, vendor.port)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    vendor,
    calls: () => calls,
    failNext(count, status, retryAfterSeconds) {
      failure = { left: count, status, retryAfterSeconds }
    },
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await vendor.close()
    },
  }
}

function pass(incoming: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url, headers } = incoming
  const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, answer => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  incoming.pipe(onward)
}
