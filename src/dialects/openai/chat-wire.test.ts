import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chatBodySchema, isChatBody } from './chat-wire.ts'

const content = fc.oneof(
  fc.string(),
  fc.constantFrom<unknown>(
    null,
    7,
    [],
    [{ type: 'text', text: 'a' }],
    [{ type: 'text' }],
    [{ type: 'video' }],
  ),
)
const message = fc.oneof(
  fc.record(
    { role: fc.constantFrom('system', 'user', 'assistant', 'tool', 'nobody'), content, name: fc.string() },
    { requiredKeys: [] },
  ),
  fc.constant(null),
)
const body = fc.record(
  {
    model: fc.constantFrom<unknown>('gpt-4o-mini', '', null, 4),
    messages: fc.oneof(fc.array(message, { maxLength: 3 }), fc.constantFrom<unknown>(null, 'hello', {})),
    temperature: fc.constantFrom<unknown>(0, 0.7, 2, 3, null, 'warm'),
    stream: fc.constantFrom<unknown>(true, false, null, 'yes'),
    stop: fc.constantFrom<unknown>('a', ['a', 'b'], ['a', 'b', 'c', 'd', 'e'], null, 1),
    tools: fc.constantFrom<unknown>(
      null,
      [],
      [{ type: 'function', function: { name: 'f' } }],
      [{ type: 'web' }],
    ),
    metadata: fc.constantFrom<unknown>({ a: 'b' }, { a: 1 }, null),
    of_a_vendor: fc.jsonValue(),
  },
  { requiredKeys: [] },
)

test('judging the fields that are there comes to what the whole schema says, which changes nothing', () => {
  let accepted = 0
  fc.assert(
    fc.property(body, given => {
      const judged = chatBodySchema.safeParse(given)
      expect(isChatBody(given)).toBe(judged.success)
      if (!judged.success) return
      accepted += 1
      expect(judged.data).toEqual(given)
    }),
    { numRuns: 2_000, examples: [[{ model: 'm', messages: [{ role: 'user', content: 'a' }] }]] },
  )
  expect(accepted).toBeGreaterThan(0)
})

test('a body with more wrong parts than zod has stack for is not accepted, and nothing is thrown', () => {
  const messages = Array.from({ length: 200_000 }, () => ({ role: 'nobody' }))
  expect(isChatBody({ model: 'm', messages })).toBe(false)
})
