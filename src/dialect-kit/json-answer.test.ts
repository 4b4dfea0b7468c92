import fc from 'fast-check'
import { expect, it } from 'vitest'
import { scaledToDecimal } from '#lib/decimal.ts'
import { exactNumber, jsonAnswer } from './json-answer.ts'

it('a decimal is written digit for digit, beyond what a float holds', () => {
  const { body } = jsonAnswer(200, { credits: exactNumber('9007199254740993.0000001') })
  expect(body).toBe('{"credits":9007199254740993.0000001}')
})

it('every amount of money survives as it is', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }),
      fc.constantFrom(7, 9, 19),
      (scaled, decimals) => {
        const decimal = scaledToDecimal(scaled, decimals)
        expect(JSON.stringify(exactNumber(decimal))).toBe(decimal)
      },
    ),
  )
})

it.each(['', '1e5', '.5', '5.', '01', 'NaN', '+1', '1,5', '"1"'])(
  '%j is not a number and is refused',
  text => {
    expect(() => exactNumber(text)).toThrow(RangeError)
  },
)
