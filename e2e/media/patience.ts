/** Imported for its effect: a machine with other work takes its time, and a test waits for events and not for a clock. */
import { vi } from 'vitest'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 })
