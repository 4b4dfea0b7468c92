/** End to end: real processes over loopback sockets. Run by `npm run e2e`; one file: `vitest run --config e2e/vitest.config.ts e2e/openai-js/chat`. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    environment: 'node',
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    // A server, its database and a few commands.
    hookTimeout: 90_000,
  },
})
