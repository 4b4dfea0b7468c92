/** Every dialect and every provider there is: one line each. Adding a folder adds a line here and nothing else. */
import openaiDialect from '#dialects/openai/index.ts'
import openai from '#providers/openai/index.ts'
import openrouter from '#providers/openrouter/index.ts'
import { createSandbox, type ModelFacts, sandboxModelEntries } from '#providers/sandbox/index.ts'
import type { Dialect } from '#spec/dialect.ts'
import type { ModelEntry } from '#spec/offering.ts'
import type { ProviderDefinition } from '#spec/provider.ts'
import type { Config } from './config.ts'

/** Where every dialect is served. */
export const MOUNTS = ['/api/v1', '/v1'] as const

export const DIALECTS: readonly Dialect[] = [openaiDialect]

/** `factsOf` tells the sandbox what the catalogue knows of a model it answers for. */
export function providerDefinitions(
  config: Pick<Config, 'sandbox'>,
  factsOf: (model: string) => ModelFacts | undefined,
): readonly ProviderDefinition[] {
  return [createSandbox({ ...config.sandbox, factsOf }), openai, openrouter]
}

/** Models that exist for test keys only. */
export const TEST_MODELS: readonly ModelEntry[] = sandboxModelEntries
