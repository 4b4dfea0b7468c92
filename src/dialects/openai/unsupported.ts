/** Endpoints of OpenAI that the product says it does not serve. They say what to use, with a key or without. */
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { errorSchema } from '#dialect-kit/error-object.ts'
import type { Endpoint } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'

const METHODS = ['GET', 'POST', 'DELETE'] as const

function notSupported(method: Endpoint['method'], path: string, sentence: string): Endpoint {
  return endpoint({
    method,
    path,
    access: 'public',
    reference: {
      summary: 'Not supported',
      description: sentence,
      tag: 'Not supported',
      answer: { schema: errorSchema, status: 404 },
      example: path.endsWith('*') ? { params: { '*': 'example' } } : {},
    },
    async handle() {
      throw new GatewayError('endpoint_not_supported', sentence)
    },
  })
}

const COMPLETIONS =
  'The legacy completions API is not supported. Use POST /chat/completions and send the prompt as a message: {"role":"user","content":"…"}.'
const ASSISTANTS =
  "The Assistants API (assistants, threads, runs) is not supported. Use POST /chat/completions: send the conversation in 'messages' and functions in 'tools'."

export const unsupported: readonly Endpoint[] = [
  notSupported('POST', '/completions', COMPLETIONS),
  ...['/assistants', '/assistants/*', '/threads', '/threads/*'].flatMap(path =>
    METHODS.map(method => notSupported(method, path, ASSISTANTS)),
  ),
]
