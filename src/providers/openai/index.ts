/** OpenAI: the vendor whose format this is. */
import { defineProvider } from '#provider-kit/define-provider.ts'
import { createOpenAiFormat, OPENAI_FORMAT } from '#provider-kit/openai-format/index.ts'

export default defineProvider({
  id: 'openai',
  title: 'OpenAI',
  homepage: 'https://platform.openai.com/docs/api-reference',
  format: OPENAI_FORMAT,
  access: { kind: 'configured', defaultBaseUrl: 'https://api.openai.com/v1' },
  stopsBillingOnAbort: true,
  create: (settings, { exchange }) =>
    createOpenAiFormat({
      providerTitle: 'OpenAI',
      settings,
      exchange,
      quirks: {
        // `max_tokens` is deprecated there and refused by the reasoning models; this one is read by all.
        outputLimitField: 'max_completion_tokens',
        // The other tiers are billed at other rates than the catalogue's.
        withheldFields: { service_tier: ['default'] },
      },
    }),
})
