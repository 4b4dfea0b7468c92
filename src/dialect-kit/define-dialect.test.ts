import { expect, it } from 'vitest'
import { defineDialect, endpoint } from './define-dialect.ts'
import { jsonAnswer } from './json-answer.ts'

const nothing = async () => {}
const renderError = () => jsonAnswer(500, {})

it('an endpoint needs a key and takes one megabyte where nothing else is said', () => {
  expect(endpoint({ method: 'GET', path: '/a', handle: nothing })).toMatchObject({
    access: 'key',
    bodyLimitBytes: 1_000_000,
  })
})

it('two endpoints with one method and path are refused at boot', () => {
  const twice = endpoint({ method: 'GET', path: '/a/:id', handle: nothing })
  expect(() => defineDialect({ id: 'x', endpoints: [twice, twice], renderError })).toThrow('GET /a/:id')
})

it.each(['a', '/', '/a/', '/a/*/b', '/A', '/a?b=1', '/:id-x'])('the path %j is refused at boot', path => {
  const wrong = endpoint({ method: 'GET', path, handle: nothing })
  expect(() => defineDialect({ id: 'x', endpoints: [wrong], renderError })).toThrow('is not an endpoint path')
})
