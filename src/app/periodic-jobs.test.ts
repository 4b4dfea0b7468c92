import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { NODE_DEAD_AFTER_MS } from '#modules/accounts/index.ts'
import type { JobRun, PeriodicJob } from '#modules/periodic/index.ts'
import { createRecords } from '#testing/records.ts'
import { ROOT } from './config.ts'
import { periodicJobs, type Role } from './periodic-jobs.ts'
import type { Wired } from './wire.ts'

const NOW = new Date('2026-11-20T12:00:07Z')

function jobsOf(role: Role, parts: object = {}): readonly PeriodicJob[] {
  return periodicJobs({ config: { auditIntervalMs: 60_000 }, ...parts } as Wired, role)
}

function jobOf(name: string, parts: object = {}): PeriodicJob {
  const found = jobsOf('server', parts).find(job => job.name === name)
  if (found === undefined) throw new Error(`there is no job "${name}"`)
  return found
}

function runOf(fields: Partial<JobRun> = {}) {
  return { signal: new AbortController().signal, startedAt: NOW, mark: undefined, leave: vi.fn(), ...fields }
}

test('every job has a name of its own, which the page for operators explains', () => {
  const names = jobsOf('server').map(job => job.name)
  expect(new Set(names).size).toBe(names.length)
  const page = readFileSync(join(ROOT, 'docs/operate.md'), 'utf8')
  const section = /^## Periodic jobs$(.*?)^## /ms.exec(page)?.[1] ?? ''
  const explained = [...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name)
  expect(explained.toSorted()).toEqual(names.toSorted())
})

test('the sweep of a node that died while sweeping is under way again before that node counts as dead', () => {
  const { leaseMs, schedule } = jobOf('release-dead-holds')
  expect(schedule).toEqual({ everyMs: 5_000 })
  // The next look of another node comes at most 5.5 s after the lease has ended.
  expect(leaseMs + 5_500).toBeLessThan(NODE_DEAD_AFTER_MS)
})

test('the live audit runs where its findings are seen, and not where it is switched off', () => {
  const names = (jobs: readonly PeriodicJob[]) => jobs.map(job => job.name)
  expect(names(jobsOf('server'))).toContain('audit-ledger')
  expect(names(jobsOf('worker'))).toEqual(names(jobsOf('server')).filter(name => name !== 'audit-ledger'))
  expect(names(jobsOf('server', { config: { auditIntervalMs: 0 } }))).not.toContain('audit-ledger')
})

test('an audit goes on where the last one came to, and tells what it finds', async () => {
  const { logged, logger } = createRecords()
  const until = new Date('2026-11-20T12:00:08Z')
  const violation = { invariant: 'nothing-below-zero', subject: 'live', detail: 'balance -1' }
  const auditMoved = vi.fn(async () => ({ violations: [violation], until }))
  const ledgerViolation = vi.fn()
  const job = jobOf('audit-ledger', { ledger: { auditMoved }, logger, metrics: { ledgerViolation } })

  const first = runOf()
  await job.run(first)
  expect(auditMoved).toHaveBeenLastCalledWith(undefined, first.signal)
  expect(first.leave).toHaveBeenCalledExactlyOnceWith(until.toISOString())
  expect(ledgerViolation).toHaveBeenCalledExactlyOnceWith('nothing-below-zero')
  expect(logged).toMatchObject([{ level: 'error', event: 'the ledger is not whole' }])

  const lastRun = '2026-11-20T11:59:00.000Z'
  await job.run(runOf({ mark: lastRun }))
  expect(auditMoved).toHaveBeenLastCalledWith(new Date(lastRun), expect.anything())
  // Of long ago, when it was switched off, or since when it failed: a day of that, and it is said.
  await job.run(runOf({ mark: '2026-11-18T12:00:00.000Z' }))
  expect(auditMoved).toHaveBeenLastCalledWith(new Date('2026-11-19T12:00:07Z'), expect.anything())
  expect(logged).toContainEqual(
    expect.objectContaining({ level: 'warn', event: 'money that moved long ago was not audited' }),
  )
})

test('an audit that is made once in a day or two misses nothing of the time between', async () => {
  const auditMoved = vi.fn(async () => ({ violations: [], until: NOW }))
  const { logged, logger } = createRecords()
  const config = { auditIntervalMs: 2 * 24 * 3_600_000 }
  const last = '2026-11-18T12:00:00.000Z'
  await jobOf('audit-ledger', { config, ledger: { auditMoved }, logger }).run(runOf({ mark: last }))
  expect(auditMoved).toHaveBeenLastCalledWith(new Date(last), expect.anything())
  expect(logged).toEqual([])
})

test('tiers are recomputed at 00, 06, 12 and 18 o’clock, as of then where it is a little later', async () => {
  const recomputeTiers = vi.fn(async () => [])
  const job = jobOf('recompute-tiers', { accounts: { recomputeTiers } })
  expect('nextAt' in job.schedule && job.schedule.nextAt(NOW)).toEqual(new Date('2026-11-20T18:00:00Z'))
  await job.run(runOf())
  expect(recomputeTiers).toHaveBeenCalledWith(new Date('2026-11-20T12:00:00Z'), expect.any(Function))
})

test('what removes page by page stops between two pages when it has lost its lease', async () => {
  const lost = new AbortController()
  const forget = vi.fn(async () => {
    lost.abort()
    return 5_000
  })
  const job = jobOf('forget-deliveries', { media: { webhooks: { forget } } })
  await expect(job.run(runOf({ signal: lost.signal }))).rejects.toThrow()
  expect(forget).toHaveBeenCalledOnce()
})
