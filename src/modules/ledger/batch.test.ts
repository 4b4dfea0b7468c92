import { expect, test } from 'vitest'
import type { Mode } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import { toParameters } from './batch.ts'
import type { HoldRequest } from './operations.ts'

const idOf = (n: number) => `0190f000-0000-7000-8000-${String(n).padStart(12, '0')}` as Uuid

function hold(workspace: number, key: number, mode: Mode = 'live') {
  const request: HoldRequest = {
    id: idOf(100 + key),
    account: { workspaceId: idOf(workspace), mode },
    keyId: idOf(key),
    subjects: [
      { scope: 'key', id: idOf(key) },
      { scope: 'workspace', id: idOf(workspace) },
    ],
    amountsNanoUsd: [9n, 4n],
    headroom: 32,
    owner: idOf(99),
    lifetimeMs: 1000,
    terms: {
      operation: 'chat',
      dialect: 'openai',
      requestedModel: 'a "quoted", {braced} \\ NULL',
      model: 'm',
      tier: 'starter',
      markupBasisPoints: 0,
      streamed: false,
    },
  }
  return { kind: 'hold' as const, request }
}

/** What PostgreSQL makes of a literal of ours, in rows of so many fields. */
function rowsOf(literal: string | null | undefined, fields: number): (string | null)[][] {
  const elements = [...(literal ?? '').slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g)].map(
    ([, text, word]) =>
      word === undefined ? (text ?? '').replaceAll(/\\(.)/g, '$1') : word === 'NULL' ? null : word,
  )
  return Array.from({ length: elements.length / fields }, (_, n) =>
    elements.slice(n * fields, (n + 1) * fields),
  )
}

test('accounts are listed once and ascending, whoever asked first: that is the lock order', () => {
  const [accounts, ends] = toParameters([], [hold(3, 30), hold(2, 20, 'test'), hold(2, 21), hold(3, 31)])
  expect(rowsOf(accounts, 2)).toEqual([
    [idOf(2), 'live'],
    [idOf(2), 'test'],
    [idOf(3), 'live'],
  ])
  expect(ends).toBeNull()
})

test('a hold names its own account, key and workspace, whoever shares its statement', () => {
  const [, , subjects, holds] = toParameters([], [hold(3, 30), hold(2, 20), hold(2, 21)])
  expect(rowsOf(subjects, 4)).toEqual([
    ['2', 'key', idOf(30), null],
    ['2', 'workspace', idOf(3), null],
    ['1', 'key', idOf(20), null],
    ['1', 'workspace', idOf(2), null],
    ['1', 'key', idOf(21), null],
  ])
  expect(rowsOf(holds, 18).map(row => row.slice(0, 7))).toEqual([
    ['2', idOf(130), idOf(30), '1', '2', null, '{9,4}'],
    ['1', idOf(120), idOf(20), '3', '4', null, '{9,4}'],
    ['1', idOf(121), idOf(21), '5', '4', null, '{9,4}'],
  ])
  expect(rowsOf(holds, 18)[0]?.[13]).toBe('a "quoted", {braced} \\ NULL')
})
