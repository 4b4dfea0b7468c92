import { describe, expect, test } from 'vitest'
import { breaches } from './house.ts'

const check = (path: string, text: string) => breaches([{ path, text }])

describe('the rules of the house', () => {
  test('a module that imports its sibling is told so', () => {
    const found = check('src/modules/keys/index.ts', `import { x } from '#modules/ledger/index.ts'`)
    expect(found).toEqual([expect.stringContaining('siblings never import siblings')])
  })

  test('a relative path around the rule is no way around it', () => {
    expect(check('src/dialects/openai/index.ts', `import x from '../../gateway/index.ts'`)).toHaveLength(1)
    expect(check('src/providers/openai/index.ts', `export * from '../sandbox/index.ts'`)).toHaveLength(1)
    expect(check('src/gateway/x.ts', `const x = await import('../providers/openai/index.ts')`)).toHaveLength(
      1,
    )
  })

  test('a driver outside platform is refused', () => {
    expect(check('src/gateway/x.ts', `import pg from 'pg'`)).toEqual([expect.stringContaining('platform/')])
    expect(check('src/platform/postgres/x.ts', `import pg from 'pg'`)).toEqual([])
  })

  test("only a module's SQL reaches the database", () => {
    const line = `import { createPool } from '#platform/postgres/pool.ts'`
    expect(check('src/modules/keys/service.ts', line)).toHaveLength(1)
    expect(check('src/modules/keys/store.pg.ts', line)).toEqual([])
  })

  test('a module is entered by its door alone', () => {
    expect(check('src/gateway/x.ts', `import { y } from '#modules/keys/rules.ts'`)).toHaveLength(1)
    expect(check('src/gateway/x.ts', `import { y } from '#modules/keys/index.ts'`)).toEqual([])
  })

  test('spec imports lib and zod, and nothing else', () => {
    expect(check('src/spec/x.ts', `import { z } from 'zod'\nimport { a } from '#lib/decimal.ts'`)).toEqual([])
    expect(check('src/spec/x.ts', `import { a } from '#dialect-kit/json-body.ts'`)).toHaveLength(1)
  })

  test('the environment has one reader', () => {
    expect(check('src/http/x.ts', 'const port = process.env.PORT')).toHaveLength(1)
    expect(check('src/app/config.ts', 'const port = process.env.PORT')).toEqual([])
  })

  test('the gateway knows no vendor by name, and may mention one in a comment', () => {
    expect(check('src/gateway/x.ts', `if (provider === 'openai') return`)).toHaveLength(1)
    expect(check('src/gateway/x.ts', `// as 'openai' does`)).toEqual([])
  })

  test('a file must be named after a thing', () => {
    expect(check('src/lib/utils.ts', '')).toHaveLength(1)
  })

  test('tests may use what they need', () => {
    expect(check('src/modules/keys/keys.test.ts', `import { a } from '#platform/postgres/pool.ts'`)).toEqual(
      [],
    )
  })

  test('a ring that nobody has thought about is refused', () => {
    expect(check('src/magic/x.ts', `import a from './y.ts'`)).toEqual([expect.stringContaining('no ring')])
  })
})
