import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './config.ts'
import { errorPage } from './error-page.ts'

test('the documentation of errors is what the table of errors says', () => {
  expect(readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')).toBe(errorPage())
})
