import fc from 'fast-check'
import { expect, test } from 'vitest'
import { presentableMessage } from './vendor-message.ts'

test.each([
  ['Incorrect key: sk-proj-abc1****wxyz.', /sk-|wxyz/],
  ['Use Bearer abc.def.ghi please', /abc\.def/],
  ['See https://platform.example.com/docs?key=1 for more', /example|docs/],
  ['Upstream api.internal.example.com:8443/v1 said no', /example|8443|\/v1/],
  ['Connect to 10.0.0.7:8080 failed', /10\.0/],
  ['Connect to [fe80::1]:80 failed', /fe80/],
  ['Connect to localhost:11434/api failed', /localhost|11434/],
  ['Limit reached in organization org-a1B2c3D4 on tokens', /a1B2/],
  ['Token eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9 expired', /eyJ/],
])('%s is shown without what it must not tell', (message, secret) => {
  expect(presentableMessage(message)).not.toMatch(secret)
})

test.each([
  ["Invalid value: 'loud'. Supported values are: 'low' and 'high'."],
  ["This model's maximum context length is 128000 tokens. Your messages resulted in 130001 tokens."],
  ['messages[0].content[1].image_url is not a user-defined field of gpt-4.1-mini'],
  ['The model meta-llama/llama-3.1-405b-instruct does not exist'],
])('%s is shown as it is', message => {
  expect(presentableMessage(message)).toBe(message)
})

test('a message is one line of at most 300 characters, whatever it was', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 800, unit: 'binary' }), message => {
      const shown = presentableMessage(message)
      expect(shown ?? 'x').not.toMatch(/\p{Cc}/u)
      expect((shown ?? '').length).toBeLessThanOrEqual(300)
    }),
  )
  const hostile = [
    'a.'.repeat(1_000_000),
    '[:'.repeat(1_000_000),
    `${'1'.repeat(1_000_000)}`,
    'sk-'.repeat(1_000_000),
  ]
  for (const message of hostile) expect(presentableMessage(message)?.length).toBeLessThanOrEqual(300)
})

test.each([[undefined], [42], [''], [' \n ']])('nothing is made of %j', message => {
  expect(presentableMessage(message)).toBeUndefined()
})
