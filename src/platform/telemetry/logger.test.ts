import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { AccessEntry } from '#spec/access-entry.ts'
import { accessLine } from './access-line.ts'
import { createLogger, type LogLevel } from './logger.ts'

function collect(level: LogLevel = 'debug') {
  const lines: Record<string, unknown>[] = []
  const log = createLogger({ level, destination: { write: line => void lines.push(JSON.parse(line)) } })
  onTestFinished(() => log.close())
  return { log, lines }
}

const entry: AccessEntry = {
  requestId: 'req_01',
  dialect: 'openai',
  route: 'POST /chat/completions',
  status: 200,
  ms: 12.34567,
  bytesOut: 10,
  workspaceId: undefined,
  keyId: undefined,
  model: 'gpt-4o',
  provider: 'openai',
  chargedNanoUsd: 12_345_678_901_234_567_890n,
}

test('a line is one JSON object with its level, time and event', () => {
  const { log, lines } = collect()
  log.warn({ node: 'n1' }, 'something happened')
  expect(lines).toEqual([
    { level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), node: 'n1', event: 'something happened' },
  ])
})

test('what is below the level is not written, the access log included', () => {
  const { log, lines } = collect('warn')
  log.info({}, 'no')
  log.access(entry)
  log.error({}, 'yes')
  expect(lines.map(line => line.event)).toEqual(['yes'])
})

test('keys, tokens and passwords are cut out wherever they stand', () => {
  const { log, lines } = collect()
  const secrets = [
    'sk-aig-test-0123456789abcdef',
    'sk_live_0123456789',
    'whsec_MfKQ9r8GKYqrTwjU',
    'r8_abcdefghijkl',
    'AIzaSyA-0123456789',
    'hunter2',
  ]
  const [key, stripe, hook, replicate, google] = secrets
  const err = new Error(`refused ${key}`, { cause: new Error(`postgres://me:hunter2@db:5432/x ${stripe}`) })
  log.error(
    { err, header: `Bearer ${hook}`, deep: [{ url: `https://x/y?a=1&key=${google}&b=2` }] },
    `saw ${replicate}`,
  )
  const text = JSON.stringify(lines)
  for (const secret of secrets) expect(text).not.toContain(secret)
  expect(text).toContain('&b=2')
  expect(text).toContain('@db:5432/x')
})

test('ids, routes and ordinary words are left alone', () => {
  const { log, lines } = collect()
  const fields = {
    requestId: 'req_0190b5a0c0007000800000000000aaaa',
    route: 'GET /keys/:id',
    note: 'task-risk-key',
  }
  log.info(fields, 'the key was found')
  expect(lines[0]).toMatchObject({ ...fields, event: 'the key was found' })
})

test('an error is described by name, code, message, frames and causes, and by nothing a driver hangs on it', () => {
  const { log, lines } = collect()
  const cause = Object.assign(new Error('relation does not exist'), {
    code: '42P01',
    parameters: ['a prompt'],
  })
  log.error({ err: new Error('query failed', { cause }) }, 'x')
  expect(lines[0]?.err).toMatchObject({
    name: 'Error',
    message: 'query failed',
    stack: expect.stringContaining('    at '),
    cause: { message: 'relation does not exist', code: '42P01' },
  })
  expect(JSON.stringify(lines)).not.toContain('a prompt')
})

test('a parser’s complaint, which quotes what it parsed, is withheld', () => {
  const { log, lines } = collect()
  try {
    JSON.parse('"my secret diary')
  } catch (err) {
    log.error({ err }, 'x')
  }
  log.error({ err: 'a thrown diary' }, 'x')
  expect(JSON.stringify(lines)).not.toMatch(/diary/)
  expect(lines[0]?.err).toMatchObject({ name: 'SyntaxError', message: '(withheld)' })
})

test('an access line is what a serializer would have written', () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 })
  const maybe = fc.option(fc.uuid(), { nil: undefined })
  fc.assert(
    fc.property(
      text,
      text,
      maybe,
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      (model, route, keyId, ms) => {
        const line = accessLine({ ...entry, model, route, keyId, ms }, '2026-01-01T00:00:00.000Z')
        expect(line.endsWith('\n')).toBe(true)
        expect(line.indexOf('\n')).toBe(line.length - 1)
        expect(JSON.parse(line)).toMatchObject({
          level: 'info',
          route,
          status: 200,
          ms: Math.round(ms * 1_000) / 1_000,
          chargedNanoUsd: '12345678901234567890',
          event: 'request',
          ...(keyId === undefined ? {} : { keyId }),
        })
      },
    ),
  )
})

test('lines reach the file when the log is flushed, and all of them when it is closed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'log-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'sub', 'server.log')
  const log = createLogger({ level: 'info', destination: path })
  log.access(entry)
  log.flush()
  await expect.poll(() => readFile(path, 'utf8').catch(() => '')).toContain('req_01')
  for (let i = 0; i < 500; i += 1) log.info({ i }, 'counted')
  log.close()
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
  // What was being written when the log was closed may come behind what was written at its close: lines have their time.
  const counted = lines.flatMap(line => JSON.parse(line).i ?? []).sort((one, other) => one - other)
  expect(counted).toEqual(Array.from({ length: 500 }, (_, i) => i))
  expect(lines).toHaveLength(501)
})
