import process from 'node:process'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    environment: 'node',
    include: ['bench/**/*.test.ts', 'bin/**/*.test.ts', 'src/**/*.test.ts', 'scripts/**/*.test.ts'],
    globalSetup: ['src/testing/global-setup.ts'],
    // Another server than our own, for example one behind a pooler.
    provide: { testDatabaseUrl: process.env.TEST_DATABASE_URL ?? '' },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 10_000,
    hookTimeout: 30_000,
  },
})
