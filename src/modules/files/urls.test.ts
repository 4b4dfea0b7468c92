import { expect, test } from 'vitest'
import { safeFileName } from './urls.ts'

test.each([
  ['cat.png', 'cat.webp'],
  ['a\r\nSet-Cookie: x=1".html', 'a-Set-Cookie-x-1.webp'],
  ['../../etc/passwd', 'fallback.webp'],
  ['thumbnail.webp', 'fallback.webp'],
  ['…', 'fallback.webp'],
  [undefined, 'fallback.webp'],
])('a file named %j can be named so in an address, a header and on a disk: %s', (name, safe) => {
  expect(safeFileName(name, 'webp', 'fallback')).toBe(safe)
})

test('a name takes no longer to read for being long', () => {
  const startedMs = performance.now()
  const name = safeFileName(`a${'-'.repeat(2_000_000)}a.png`, 'webp', 'fallback')
  expect(name).toBe('a.webp')
  // Minutes, where each hyphen is looked at again from each.
  expect(performance.now() - startedMs).toBeLessThan(2_000)
})
