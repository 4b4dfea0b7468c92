/** A server whose sandbox is quick, and a plain caller that hands over exactly what it received. */
import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import { startServer, type TollgateServer } from '../server.ts'
import { generationShape } from './shapes.ts'

/** Tasks end as soon as their files are made, and no limit of speed is met by chance. */
export const QUICK: Readonly<Record<string, string>> = {
  SANDBOX_IMAGE_MS: '20',
  SANDBOX_VIDEO_MS: '60',
  SANDBOX_MUSIC_MS: '60',
  SANDBOX_SPEECH_MS: '20',
  SANDBOX_MESH_MS: '40',
  SANDBOX_WORKERS: '2',
  CREATION_RATE_LIMIT: '1000/10',
  PLAN_HOURLY_LIMITS: 'free:5000,pro:6000,enterprise:7000',
}

const PATIENCE_MS = 90_000
const POLL_MS = 60

export function startQuickServer(env: Readonly<Record<string, string>> = {}): Promise<TollgateServer> {
  return startServer({ env: { ...QUICK, ...env } })
}

export interface Received {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body, which has exactly this shape, or the test ends with what is wrong and what came. */
  as<Shape extends z.ZodType>(shape: Shape): z.infer<Shape>
}

export interface Caller {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Received>
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Received>
}

/** Speaks to a server with a key, or as a stranger. Paths are whole: `/api/v1/…`. */
export function callerOf(server: Pick<TollgateServer, 'url'>, key: string | undefined): Caller {
  const common = {
    'content-type': 'application/json',
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
  }
  const send = async (path: string, init: RequestInit, headers: Readonly<Record<string, string>> = {}) =>
    received(await fetch(`${server.url}${path}`, { ...init, headers: { ...common, ...headers } }))
  return {
    get: (path, headers) => send(path, {}, headers),
    post: (path, body, headers) => send(path, { method: 'POST', body: JSON.stringify(body) }, headers),
  }
}

async function received(answer: Response): Promise<Received> {
  const text = await answer.text()
  return receivedOf(answer.status, answer.headers, text)
}

export function receivedOf(status: number, headers: Headers, text: string): Received {
  return {
    status,
    headers,
    text,
    as(shape) {
      const parsed = shape.safeParse(parsedJson(text))
      if (parsed.success) return parsed.data
      throw new Error(`not the documented shape: ${parsed.error.message}\n${status} ${text}`)
    },
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Asks again and again, as the documents say, until it is done. */
export async function until<Value>(
  ask: () => Promise<Value>,
  isDone: (value: Value) => boolean,
): Promise<Value> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const value = await ask()
    if (isDone(value)) return value
    if (performance.now() > deadline) throw new Error(`not done in time: ${JSON.stringify(value)}`)
    await delay(POLL_MS)
  }
}

/** The generation once it has ended, by our own page about it. */
export function untilEnded(caller: Caller, id: string): Promise<z.infer<typeof generationShape>> {
  return until(
    async () => (await caller.get(`/v1/generations/${id}`)).as(generationShape),
    ({ state }) => state !== 'queued' && state !== 'running',
  )
}

/** A key of a workspace of its own, with so many test credits. */
export async function tenantKey(
  server: TollgateServer,
  name: string,
  credits: number,
  ...words: readonly string[]
): Promise<string> {
  await server.cliJson('workspace', 'create', '--name', name)
  if (credits > 0) {
    const amount = String(credits)
    await server.cliJson('grant', '--credits', amount, '--mode', 'test', '--workspace', name)
  }
  return await keyOf(server, '--workspace', name, ...words)
}

/** One more test key. */
export async function keyOf(server: TollgateServer, ...words: readonly string[]): Promise<string> {
  const made = await server.cliJson<{ secret: string }>(
    'key',
    'create',
    '--mode',
    'test',
    '--name',
    'e2e',
    ...words,
  )
  return made.secret
}
