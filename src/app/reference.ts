/** What the API reference is made of: every dialect, with a word on each. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withQuotes } from '#dialect-kit/quoting.ts'
import { learnCallbacks, type Models } from '#dialect-kit/reference/callbacks.ts'
import type { ReferenceOptions, ReferenceSource } from '#dialect-kit/reference/operation.ts'
import { quoteWords } from '#dialects/openai/quote.ts'
import type { Dialect } from '#spec/dialect.ts'
import { COLLISIONS } from './collisions.ts'
import { ROOT } from './config.ts'
import { ERROR_MEANINGS } from './error-page.ts'
import { DIALECTS, DIALECTS_ELSEWHERE, MOUNTS } from './registry.ts'

interface Introduction {
  readonly title: string
  readonly summary: string
}

/** By dialect. One without a word here is shown under its id. */
export const INTRODUCTIONS: Readonly<Record<string, Introduction>> = {
  openai: {
    title: 'OpenAI',
    summary:
      'Chat completions, embeddings and models as OpenAI’s own SDKs call them; quotes, receipts and your account beside them.',
  },
  kie: {
    title: 'kie.ai',
    summary:
      'Images, videos, songs and speech at kie.ai’s paths: a call answers a `taskId`, its record-info or a callback tells the end. Answers come as `{"code", "msg", "data"}`.',
  },
  'kie-uploads': {
    title: 'kie.ai uploads',
    summary: 'Files of yours, stored so that a request can name them.',
  },
  'kie-chat': {
    title: 'kie.ai chat',
    summary:
      'Chat completions at a path for each model, in OpenAI’s format, with `credits_consumed` in the answer.',
  },
  studio: {
    title: 'Studio',
    summary:
      'Images, videos and 3D models at once: the call waits for the result. Answers come as `{"success": true, "data"}`; requests are counted by the hour.',
  },
  tasks: {
    title: 'Tasks',
    summary: 'The smallest of them: create a task, ask for it until its status is 3 or 4.',
  },
  imgeo: {
    title: 'Simple images',
    summary: 'Images at a fixed price each, answered at once, with a public list of models and prices.',
  },
  webhooks: {
    title: 'Webhooks',
    summary:
      'Where the workspace is told of its tasks: addresses, the secret that signs, what was delivered, and sending it again.',
  },
  native: {
    title: 'Generations',
    summary: 'Every task of the workspace, whichever API it came by: look, list, follow, cancel.',
  },
}

/** Examples use `/v1`, the shorter of the two mounts. */
const EXAMPLE_MOUNTS = [...MOUNTS].sort((one, other) => one.length - other.length)

export function referenceOptions(): ReferenceOptions {
  return {
    version: versionOf(readFileSync(join(ROOT, 'package.json'), 'utf8')),
    sources: [
      ...withQuotes(DIALECTS, 'openai', quoteWords).map(dialect => sourceOf(dialect, EXAMPLE_MOUNTS)),
      ...DIALECTS_ELSEWHERE.map(({ dialect, mounts }) => sourceOf(dialect, mounts)),
    ],
    collisions: COLLISIONS,
    meanings: ERROR_MEANINGS,
  }
}

/** With what callbacks look like, which only a catalogue of models can tell. */
export async function wholeReference(models: Models): Promise<ReferenceOptions> {
  const options = referenceOptions()
  const dialects = options.sources.map(({ dialect }) => dialect)
  return { ...options, callbacks: await learnCallbacks(dialects, models) }
}

function sourceOf(dialect: Dialect, mounts: readonly string[]): ReferenceSource {
  const [first = '', ...others] = mounts
  const { title, summary } = INTRODUCTIONS[dialect.id] ?? { title: dialect.id, summary: '' }
  return { dialect, mounts: [first, ...others], title, summary }
}

function versionOf(packageJson: string): string {
  const { version } = JSON.parse(packageJson) as { version: string }
  return version
}
