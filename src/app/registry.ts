/** Every dialect and every provider there is: one line each. Adding a folder adds a line here and nothing else. */
import imgeo from '#dialects/imgeo/index.ts'
import kieDialect, { kieUploads } from '#dialects/kie/index.ts'
import native from '#dialects/native/index.ts'
import openaiDialect, { kieChat } from '#dialects/openai/index.ts'
import studio from '#dialects/studio/index.ts'
import tasks from '#dialects/tasks/index.ts'
import webhooks from '#dialects/webhooks/index.ts'
import fal from '#providers/fal/index.ts'
import kie from '#providers/kie/index.ts'
import openai from '#providers/openai/index.ts'
import openrouter from '#providers/openrouter/index.ts'
import replicate from '#providers/replicate/index.ts'
import { createSandbox, type ModelFacts, sandboxModelEntries } from '#providers/sandbox/index.ts'
import type { Dialect } from '#spec/dialect.ts'
import type { ModelEntry } from '#spec/offering.ts'
import type { ProviderDefinition } from '#spec/provider.ts'
import type { Config } from './config.ts'

/** Where every dialect is served. */
export const MOUNTS = ['/api/v1', '/v1'] as const

export const DIALECTS: readonly Dialect[] = [
  openaiDialect,
  kieDialect,
  studio,
  tasks,
  imgeo,
  native,
  webhooks,
]

/** Served under prefixes of their own, because the API they are of is. */
export const DIALECTS_ELSEWHERE: readonly {
  readonly dialect: Dialect
  readonly mounts: readonly string[]
}[] = [
  { dialect: kieUploads, mounts: ['/api'] },
  { dialect: kieChat, mounts: [''] },
]

/** Those of them whose calls have quotes: what is left are uploads, which cost nothing. */
export const QUOTED_ELSEWHERE: readonly Dialect[] = [kieChat]

/** `factsOf` tells the sandbox what the catalogue knows of a model it answers for. */
export function providerDefinitions(
  config: Pick<Config, 'sandbox'>,
  factsOf: (model: string) => ModelFacts | undefined,
): readonly ProviderDefinition[] {
  return [createSandbox({ ...config.sandbox, factsOf }), openai, openrouter, fal, replicate, kie]
}

/** Models that exist for test keys only. */
export const TEST_MODELS: readonly ModelEntry[] = sandboxModelEntries
