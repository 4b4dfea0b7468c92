import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonLiteral, pythonLiteral } from './literal.ts'

const parsed = (text: string) => JSON.parse(text) as unknown

test('what is printed is the same JSON, however it is broken into lines', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(4), (value, depth) => {
      expect(parsed(jsonLiteral(value, depth))).toEqual(parsed(JSON.stringify(value)))
    }),
  )
})

test('short objects stay on a line, and the whole never does', () => {
  const body = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }], stream: true, stop: null }
  expect(jsonLiteral(body)).toBe(
    '{\n  "model": "gpt-4o",\n  "messages": [{"role": "user", "content": "Hi"}],\n  "stream": true,\n  "stop": null\n}',
  )
})

test('Python has its own names for true, false and null', () => {
  expect(pythonLiteral({ a: true, b: [false, null], c: {} })).toBe(
    '{\n    "a": True,\n    "b": [False, None],\n    "c": {},\n}',
  )
})
