/** End to end: real processes over loopback. `npm run e2e` runs all; `npx vitest run --config e2e/vitest.config.ts chat` runs a part. */
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    environment: 'node',
    root: resolve(import.meta.dirname, '..'),
    include: ['e2e/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'e2e/.venv/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    // A server, its database and a few commands.
    hookTimeout: 90_000,
  },
})
