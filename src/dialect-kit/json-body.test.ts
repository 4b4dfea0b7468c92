import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import { parseJsonBody } from './json-body.ts'
import { jsonErrorOffset } from './json-error.ts'

function refusal(body: string | Buffer | undefined): GatewayError {
  try {
    parseJsonBody(body === undefined ? undefined : Buffer.from(body))
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('the body was accepted')
}

const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`

describe('parseJsonBody', () => {
  it.each([
    [undefined, 'no body'],
    ['', 'no body'],
    ['[1]', 'must be a JSON object, not an array'],
    ['null', 'not null'],
    ['"text"', 'not a string'],
    ['7', 'not a number'],
    [Buffer.from([0x7b, 0xc3, 0x28, 0x7d]), 'UTF-8'],
    [nested(65), 'more than 64 levels'],
    ['{"a":1', 'cut off'],
    ['{"a":"long te', 'cut off'],
    ['   ', 'expected a value'],
    ['{"a":1}}', 'expected the end of the body, found "}"'],
    ['{"a":1,}', 'expected a field name in double quotes, found "}"'],
    ["{'a':1}", 'expected a field name in double quotes, found "\'"'],
    ['{"a" 1}', 'expected a colon, found "1"'],
    ['{"a":nul}', 'line 1, column 6: expected a value, found "n"'],
    ['{"a":NaN}', 'expected a value, found "N"'],
    ['{"a":Infinity}', 'expected a value, found "I"'],
    ['{"a":01}', 'expected a comma or "}", found "1"'],
    ['{\n  "a": 1\n  "b": 2}', 'line 3, column 3: expected a comma or "}"'],
    ['{"a":"\\x"}', 'expected a valid escape'],
    ['{"a":"x\0y"}', 'U+0000'],
    ['{"a":"x\ny"}', 'U+000A'],
    ['{"a":[1 2]}', 'expected a comma or "]", found "2"'],
  ])('%j is refused as invalid_json with a sentence that says why', (body, sentence) => {
    const error = refusal(body)
    expect(error.code).toBe('invalid_json')
    expect(error.message).toContain(sentence)
  })

  it.each([
    ['{"messages":[{"content":"a\\u0000b"}]}', 'messages[0].content'],
    ['{"a":{"x\\u0000":1}}', 'a["x\\\\0"]'],
    ['{"__proto__":{"admin":true}}', '__proto__'],
    ['{"a":[{"\\u005f_proto__":1}]}', 'a[0].__proto__'],
    ['{"a":{"constructor":{"prototype":{}}}}', 'a.constructor.prototype'],
    ['{"a":["cut \\ud83d"]}', 'a[0]'],
    ['{"a":"\\uDE00 only the end"}', 'a'],
    ['{"a":{"x\\uD83d":1}}', 'a["x\ufffd"]'],
    ['{"a":1e999}', 'a'],
    ['{"a":[1,-1E+400]}', 'a[1]'],
    [`{"a":{"b":${'9'.repeat(400)}}}`, 'a.b'],
  ])('%s is refused naming the field', (body, param) => {
    const error = refusal(body)
    expect(error.code).toBe('invalid_request')
    expect(error.param).toBe(param)
    expect(error.message).toContain(param)
  })

  it.each([
    ['{"a":"\\\\u0000"}', { a: '\\u0000' }],
    ['{"a":"[[[{{{\\"[[["}', { a: '[[[{{{"[[[' }],
    ['\uFEFF{"a":1}', { a: 1 }],
    ['{"constructor":1}', { constructor: 1 }],
    ['{"a":1,"a":2}', { a: 2 }],
    ['{"a":1e3,"b":"é\\u00e9"}', { a: 1000, b: 'éé' }],
    ['{"a":"\\ud83d\\uDE00","b":"\\\\ud83d"}', { a: '\u{1f600}', b: '\\ud83d' }],
  ])('%s is accepted', (body, value) => {
    expect({ ...parseJsonBody(Buffer.from(body)) }).toEqual(value)
  })

  it('accepts exactly 64 levels', () => {
    expect(parseJsonBody(Buffer.from(nested(64)))).toHaveProperty('a')
  })

  it('a body of more values than its bound is refused before it is parsed', () => {
    const body = Buffer.from(`{"a":[${'1,'.repeat(49_999)}1]}`)
    expect(parseJsonBody(body)).toHaveProperty('a')
    expect(refusal(Buffer.from(`{"a":[${'1,'.repeat(50_000)}1]}`)).code).toBe('payload_too_large')
    expect(() => parseJsonBody(body, { maxValues: 10 })).toThrow('more than 10 values')
    expect(parseJsonBody(Buffer.from(JSON.stringify({ a: ','.repeat(200_000) })))).toHaveProperty('a')
  })

  it.each([
    ['escapes', `{"a":"${'\\"'.repeat(2_000_000)}`],
    ['spaces', `{"a":${' '.repeat(4_000_000)}`],
    ['digits', `{"a":${'9'.repeat(4_000_000)}x`],
    ['backslashes', `{"a":"${'\\'.repeat(4_000_001)}"}`],
  ])('megabytes of %s are refused in words and not by running out of stack', (_, body) => {
    expect(refusal(body).code).toBe('invalid_json')
  })

  it('gives what JSON.parse gives for every object it accepts, and throws nothing but GatewayError', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), value => {
        const text = JSON.stringify(value)
        try {
          expect(parseJsonBody(Buffer.from(text))).toEqual(JSON.parse(text))
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error
          expect(text).toMatch(/\\u0000|__proto__|constructor|e\+?\d{3}/)
        }
      }),
    )
  })

  it('never throws anything but GatewayError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string()), bytes => {
        expect(refusalOrNothing(Buffer.from(bytes as string))).toBe(true)
      }),
    )
  })

  it('finds a break exactly where JSON.parse refuses', () => {
    const cut = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '}', ',', '"', 'x', '\\', '0', ' '))
      .map(
        ([text, at, insert]) =>
          text.slice(0, at % (text.length + 1)) + insert + text.slice((at + 3) % (text.length + 1)),
      )
    fc.assert(
      fc.property(fc.oneof(fc.json(), cut), text => {
        expect(jsonErrorOffset(text) === undefined).toBe(isJson(text))
      }),
      { numRuns: 500 },
    )
  })
})

function refusalOrNothing(body: Buffer): boolean {
  try {
    parseJsonBody(body)
    return true
  } catch (error) {
    return error instanceof GatewayError
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
