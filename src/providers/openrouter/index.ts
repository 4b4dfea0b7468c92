/** OpenRouter: many vendors behind OpenAI's format. */
import { defineProvider } from '#provider-kit/define-provider.ts'
import { createOpenAiFormat, OPENAI_FORMAT } from '#provider-kit/openai-format/index.ts'

export default defineProvider({
  id: 'openrouter',
  title: 'OpenRouter',
  homepage: 'https://openrouter.ai/docs',
  format: OPENAI_FORMAT,
  access: { kind: 'configured', defaultBaseUrl: 'https://openrouter.ai/api/v1' },
  // It depends on the vendor it chose, which is known only afterwards.
  stopsBillingOnAbort: false,
  create: (settings, { exchange }) =>
    createOpenAiFormat({
      providerTitle: 'OpenRouter',
      settings,
      exchange,
      quirks: {
        outputLimitField: 'max_tokens',
        // Each could have the call served by a model or a host, or with an extra, that is dearer than what was held.
        withheldFields: {
          models: [],
          route: [],
          provider: [],
          plugins: [],
          preset: [],
          usage: [],
          service_tier: ['default'],
        },
      },
    }),
})
