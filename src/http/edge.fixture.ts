/** A real edge on a real port for tests, with endpoints of the test's own and a gateway that only knows one key. */
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import { createMetrics } from '#platform/telemetry/metrics.ts'
import type { AccessEntry } from '#spec/access-entry.ts'
import type { Dialect, Endpoint, EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, Gateway } from '#spec/gateway.ts'
import type { Clock } from '#spec/ports.ts'
import { createHttpApp, type HttpApp } from './app.ts'
import type { HttpConfig } from './config.ts'
import type { ReferenceSettings } from './reference-pages.ts'
import type { MountedDialect } from './routes.ts'

export const KEY = 'Bearer sk-aig-test-0123456789abcdef'

const clock = createClock()
const ids = createIds(clock)

export interface TestEdge {
  readonly app: HttpApp
  readonly url: string
  readonly port: number
  readonly access: AccessEntry[]
  readonly logged: { level: string; fields: Readonly<Record<string, unknown>>; event: string }[]
  readonly readiness: { ready: boolean }
  metricsPage(): Promise<string>
}

/** Starts an edge that is closed when the test ends. Time-outs are short unless the test says otherwise. */
export async function startEdge(parts: {
  endpoints?: readonly Endpoint[]
  dialects?: readonly MountedDialect[]
  gateway?: Partial<Gateway>
  config?: Partial<HttpConfig>
  sleep?: Clock['sleep']
  reference?: ReferenceSettings
}): Promise<TestEdge> {
  const access: AccessEntry[] = []
  const logged: TestEdge['logged'] = []
  const log = (level: string) => (fields: Readonly<Record<string, unknown>>, event: string) =>
    void logged.push({ level, fields, event })
  const metrics = createMetrics()
  const readiness = { ready: true }
  const app = createHttpApp({
    dialects: parts.dialects ?? [
      { dialect: dialectOf('first', parts.endpoints ?? []), mounts: ['/api/v1', '/v1'] },
    ],
    gateway: fakeGateway(parts.gateway),
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    accessLog: entry => void access.push(entry),
    metrics,
    config: { port: 0, pulseMs: 10, connectionsCheckingIntervalMs: 20, ...parts.config },
    ids,
    clock: { ...clock, sleep: parts.sleep ?? clock.sleep },
    readiness,
    reference: parts.reference,
  })
  const { url, port } = await app.listen()
  onTestFinished(() => app.close())
  const metricsPage = async () => (await metrics.render()).body
  return { app, url, port, access, logged, readiness, metricsPage }
}

/** A gateway that knows one key. What a test's endpoints do not call is not there. */
export function fakeGateway(overrides: Partial<Gateway> = {}): Gateway {
  const absent = () => {
    throw new Error('not in this test')
  }
  return {
    credits: { nanoUsdPerCredit: 10_000_000n },
    async authenticate(call, authorization) {
      if (authorization === undefined) throw new GatewayError('missing_api_key', 'Send a key.')
      if (authorization !== KEY) throw new GatewayError('invalid_api_key', 'No such key.')
      call.principal = principalOf()
    },
    chat: absent,
    streamChat: absent,
    embed: absent,
    quote: absent,
    account: absent,
    balance: async () => undefined,
    receipt: absent,
    models: absent,
    model: absent,
    publicModels: absent,
    fixedPrice: absent,
    storeFile: absent,
    submit: absent,
    submitAndWait: absent,
    findTask: absent,
    listTasks: absent,
    cancelTask: absent,
    watchTask: absent,
    findArtifact: absent,
    openFile: absent,
    webhooks: absent,
    keyed: (_call, work) => work(() => undefined),
    hourlyLimit: absent,
    ...overrides,
  }
}

function principalOf(): NonNullable<Call['principal']> {
  return {
    workspaceId: ids.next(),
    mode: 'test',
    keyId: ids.next(),
    keyName: 'k',
    workspaceName: 'w',
    plan: 'free',
    tier: 'Starter',
    markupBasisPoints: 4_000,
    allowedModels: undefined,
    rateLimit: undefined,
    subjects: [],
  }
}

/** A dialect whose errors say whose they are. */
export function dialectOf(id: string, endpoints: readonly Endpoint[]): Dialect {
  return {
    id,
    endpoints,
    renderError: error => ({
      status: error.status,
      contentType: 'application/json',
      body: JSON.stringify({ dialect: id, code: error.code, message: error.message }),
    }),
  }
}

export function endpoint(
  route: string,
  handle: (exchange: EndpointExchange) => Promise<void> | void,
  options: { access?: Endpoint['access']; bodyLimitBytes?: number } = {},
): Endpoint {
  const [method, path] = route.split(' ')
  return {
    method: method as Endpoint['method'],
    path: path ?? '/',
    access: options.access ?? 'key',
    bodyLimitBytes: options.bodyLimitBytes ?? 1_000_000,
    handle: async exchange => handle(exchange),
  }
}

export function ok(body = 'ok') {
  return { status: 200, contentType: 'text/plain', body }
}

/** Something that happens once, to be awaited. */
export function moment<T = void>() {
  return Promise.withResolvers<T>()
}

/** A client that says exactly what the test says. */
export class RawClient {
  readonly socket: Socket
  readonly closed: Promise<void>
  received = ''
  #watchers: (() => void)[] = []

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => {
      this.received += text
      for (const check of [...this.#watchers]) check()
    })
    this.socket.on('error', () => undefined)
    this.closed = new Promise(resolve => this.socket.once('close', () => resolve()))
    onTestFinished(() => void this.socket.destroy())
  }

  send(text: string): void {
    this.socket.write(text)
  }

  /** Resolves once what was received matches, rejects where the connection closes before it does. */
  async until(pattern: RegExp): Promise<string> {
    const seen = new Promise<string>(resolve => {
      const check = () => {
        if (pattern.test(this.received)) resolve(this.received)
      }
      this.#watchers.push(check)
      check()
    })
    const gone = this.closed.then(() => {
      if (pattern.test(this.received)) return this.received
      throw new Error(`closed before ${pattern}, after: ${this.received}`)
    })
    return Promise.race([seen, gone])
  }
}

/** A request in full, for a raw client. */
export function rawRequest(
  route: string,
  options: { body?: string; headers?: Record<string, string> } = {},
): string {
  const all: Record<string, string> = { Host: 'test', Authorization: KEY, ...options.headers }
  if (options.body !== undefined) all['Content-Length'] ??= String(Buffer.byteLength(options.body))
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${route} HTTP/1.1\r\n${head.join('')}\r\n${options.body ?? ''}`
}
