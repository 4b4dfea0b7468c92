import { describe, expect, it } from 'vitest'
import { callbackTable, isSound, type TasksReport, trafficTable } from './report.ts'
import type { Traffic } from './traffic.ts'

function traffic(fields: Partial<Traffic>): Traffic {
  return {
    kind: 'submit',
    finished: 10_000,
    perSecond: 1000,
    p50Ms: 4,
    p99Ms: 9,
    gatewayMsPerCall: 0.3,
    databaseMsPerCall: 0.5,
    answered: 5,
    otherCores: 0,
    errors: {},
    ...fields,
  }
}

function cells(markdown: string): string[][] {
  return markdown.split('\n').map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}

describe('the table of traffic', () => {
  it('compares each size with the first of its own kind', () => {
    const rows = cells(
      trafficTable([
        traffic({}),
        traffic({ finished: 1_000_000, perSecond: 500, p50Ms: 8, databaseMsPerCall: 0.9 }),
        traffic({ kind: 'poll', perSecond: 4000, p50Ms: 1 }),
        traffic({ kind: 'poll', finished: 1_000_000, perSecond: 3000, p50Ms: 1.5, gatewayMsPerCall: 0.5 }),
      ]),
    ).slice(2)
    expect(rows.map(row => [row[0], ...row.slice(-3)])).toEqual([
      ['submit, 10,000', '1.00', '1.00', '1.00'],
      ['submit, 1,000,000', '0.50', '2.00', '1.50'],
      ['poll, 10,000', '1.00', '1.00', '1.00'],
      ['poll, 1,000,000', '0.75', '1.50', '1.25'],
    ])
  })

  it('leaves out what was not measured', () => {
    expect(cells(trafficTable([]))).toHaveLength(2)
  })
})

describe('the table of callbacks', () => {
  it('counts from the start to the last that arrived, and compares with the first run', () => {
    const run = {
      callbacks: 1000,
      lanes: 10,
      dead: 0,
      tookMs: 2000,
      gatewayMs: 500,
      databaseMs: 250,
      repeated: 0,
    }
    const rows = cells(callbackTable([run, { ...run, dead: 100, tookMs: 4000, repeated: 3 }])).slice(2)
    expect(rows.map(row => row.slice(1))).toEqual([
      ['500', '2.00', '0.500', '0.250', '0', '1.00'],
      ['250', '4.00', '0.500', '0.250', '3', '0.50'],
    ])
    expect(rows[1]?.[0]).toContain('100 older ones')
  })
})

describe('a run', () => {
  const sound: TasksReport = {
    connections: 32,
    rounds: 1,
    fills: [],
    traffic: [traffic({})],
    otherCores: 0,
    written: [{ finished: 10_000, tasks: 5, holds: 5, answered: 5 }],
    idle: [],
    callbacks: [],
  }

  it('is sound where every answered submit is a task with its hold, and nothing failed', () => {
    expect(isSound(sound)).toBe(true)
  })

  it('is not where a call failed, or a task or a hold is missing', () => {
    expect(isSound({ ...sound, traffic: [traffic({ errors: { 'status 500': 1 } })] })).toBe(false)
    for (const missing of [{ tasks: 4 }, { holds: 4 }]) {
      const written = sound.written.map(one => ({ ...one, ...missing }))
      expect(isSound({ ...sound, written })).toBe(false)
    }
  })
})
