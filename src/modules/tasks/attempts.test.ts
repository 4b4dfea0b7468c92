/** Which states an attempt can go to, and from where no step leads. */
import { expect, test } from 'vitest'
import type { Uuid } from '#spec/ids.ts'
import { type Attempt, type AttemptState, advanced } from './attempts.ts'

const attempt = (state: AttemptState, more: Partial<Attempt> = {}): Attempt => ({
  reference: '0190aaaa-0000-7000-8000-0000000000ff' as Uuid,
  callbackToken: 'token',
  offering: 0,
  count: 1,
  firstIndex: 0,
  state,
  ...more,
})

test('a later step is dispatched from where the step before is known, and its handle stays', () => {
  const sent = advanced(attempt('accepted', { handle: { job: 1 } }), 'dispatched')
  expect(sent).toMatchObject({ state: 'dispatched', handle: { job: 1 } })
  expect(advanced(sent, 'accepted', { handle: { job: 2 } })).toMatchObject({ handle: { job: 2 } })
  expect(advanced(advanced(sent, 'unknown'), 'accepted')).toMatchObject({ handle: { job: 1 } })
})

test.each(['dispatched', 'unknown'] as const)(
  'a later step that is %s never leads back to a first call',
  state => {
    expect(() => advanced(attempt(state, { handle: { job: 1 } }), 'planned')).toThrow('cannot go')
    expect(advanced(attempt(state), 'planned').state).toBe('planned')
  },
)
