import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { parseEnv } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ConfigError, ROOT, readConfig } from './config.ts'

describe('the configuration', () => {
  test('every default of the documented file can be used as it is', () => {
    const config = readConfig({})
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8787,
      firstKey: undefined,
      databaseUrl: undefined,
    })
    expect(config.testCreditsNanoUsd).toBe(1_000_000_000_000n)
    expect(config.dataDir).toBe(join(ROOT, 'data'))
  })

  test('every documented setting is read by the code, and none is read that is not documented', () => {
    const documented = Object.keys(parseEnv(readFileSync(join(ROOT, 'config.default.env'), 'utf8')))
    const code = readFileSync(join(ROOT, 'src/app/config.ts'), 'utf8')
    const read = new Set(code.match(/'[A-Z][A-Z0-9_]{3,}'/g)?.map(name => name.slice(1, -1)))
    const credentials = documented.filter(
      name => /_(API_KEY|BASE_URL|CALLBACK_SECRET|MAX_TASKS)$/.test(name) && name !== 'TOLLGATE_API_KEY',
    )
    expect(documented.filter(name => !read.has(name)).sort()).toEqual(credentials.sort())
  })

  test.each([
    ['PORT', '70000'],
    ['PORT', 'http'],
    ['LOG_LEVEL', 'loud'],
    ['TIERS', 'starter:10:4000'],
    ['CREDIT_USD', '0'],
    ['TOLLGATE_CREDITS', '1e3'],
    ['PLAN_RATE_LIMITS', 'free:60'],
    ['TOLLGATE_CRASH_AT', 'somewhere'],
    ['DEARER_SUBSTITUTES', 'yes'],
    ['UPSTREAM_MAX_ATTEMPTS', '0'],
  ])('%s=%s ends the start with a sentence that names the setting', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(ConfigError)
    expect(() => readConfig({ [name]: value })).toThrow(name)
  })

  const S3 = { S3_BUCKET: 'b', S3_ACCESS_KEY_ID: 'k', S3_SECRET_ACCESS_KEY: 's' }
  test.each([
    [undefined, undefined],
    ['https://files.example.com/', 'https://files.example.com'],
    ['none', null],
  ])('clients reach a bucket at S3_PUBLIC_ENDPOINT=%s', (setting, presignEndpoint) => {
    expect(readConfig({ ...S3, S3_PUBLIC_ENDPOINT: setting }).s3).toMatchObject({ presignEndpoint })
    expect(() => readConfig({ ...S3, S3_ENDPOINT: 'minio:9000' })).toThrow('S3_ENDPOINT')
  })

  test('ffmpeg is the one that is named, or the first on the PATH, or none', () => {
    const path = `/nowhere:${dirname(process.execPath)}`
    expect(readConfig({ PATH: '/nowhere' }).ffmpeg).toBeUndefined()
    expect(readConfig({ FFMPEG: process.execPath }).ffmpeg).toBe(process.execPath)
    expect(readConfig({ PATH: path, FFMPEG: 'none' }).ffmpeg).toBeUndefined()
    for (const wrong of ['/nowhere/ffmpeg', 'ffmpeg', ROOT]) {
      expect(() => readConfig({ PATH: path, FFMPEG: wrong })).toThrow('FFMPEG')
    }
  })

  test('a provider is configured by its key, at its own address or another', () => {
    const { credentials } = readConfig({
      OPENAI_API_KEY: 'k',
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
      OPENROUTER_API_KEY: ' ',
    })
    expect([...credentials]).toEqual([['openai', { apiKey: 'k', baseUrl: 'http://127.0.0.1:9/v1' }]])
  })

  test('jobs at once are limited by provider, 0 takes the limit away, and nonsense is refused by name', () => {
    const { maxTasks } = readConfig({ FAL_MAX_TASKS: ' 5 ', KIE_MAX_TASKS: '0', REPLICATE_MAX_TASKS: '' })
    expect([...maxTasks]).toEqual([
      ['fal', 5],
      ['kie', 0],
    ])
    for (const value of ['-1', '2.5', 'many']) {
      expect(() => readConfig({ FAL_MAX_TASKS: value })).toThrow('FAL_MAX_TASKS')
    }
  })

  test('an address with a password or of another scheme is refused, and the value is not repeated', () => {
    const read = () => readConfig({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'https://user:hunter2@host/v1' })
    expect(read).toThrow('OPENAI_BASE_URL')
    expect(read).not.toThrow('hunter2')
    expect(() => readConfig({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'file:///etc/passwd' })).toThrow(
      'OPENAI_BASE_URL',
    )
  })
})
