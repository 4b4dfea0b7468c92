/** `POST /embeddings`. */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { parseJsonBody } from '#dialect-kit/json-body.ts'
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import type { EmbedRequest, EmbedResult } from '#spec/embed.ts'
import { GatewayError } from '#spec/errors.ts'
import type { WireAnswer } from '#spec/gateway.ts'
import { WIRE_FORMAT } from './chat-request.ts'
import { refuseUnsafeFields } from './refused-fields.ts'
import { chatUsage } from './usage.ts'
import { base64OfVector, vectorOfBase64 } from './vectors.ts'

const MAX_INPUTS = 2048
const MAX_TOKEN_ID = 2 ** 31 - 1

const text = z.string().min(1)
const texts = z.array(text).min(1).max(MAX_INPUTS)
const tokenId = z.int().min(0).max(MAX_TOKEN_ID)
const tokens = z.array(tokenId).min(1)
const tokenLists = z.array(tokens).min(1).max(MAX_INPUTS)

export const embeddingsBodySchema = z.looseObject({
  model: z.string().min(1).max(200).describe('An id or an alias of `GET /models`'),
  input: z
    .union([text, tokens, tokenLists, texts])
    .describe('A text, its tokens, or a list of either; each gets a vector'),
  dimensions: z.int().min(1).max(65_536).nullish().describe('Shorter vectors, of models that make them'),
  encoding_format: z.enum(['float', 'base64']).nullish().describe('Default float'),
  user: z.string().nullish().describe('Your name for the end user'),
})

const embeddingsAnswerSchema = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      object: z.literal('embedding'),
      index: z.int().describe('Which input it is of'),
      embedding: z.union([z.array(z.number()), z.string()]).describe('As `encoding_format` asks'),
    }),
  ),
  model: z.string().describe('As it was asked for'),
  usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }).optional(),
})

const EMBEDDINGS_FIELDS: ReadonlySet<string> = new Set(Object.keys(embeddingsBodySchema.shape))

/** Validates a parsed body and says it in our words. Throws `invalid_request` with `param`. */
export function embedRequest(body: Readonly<Record<string, unknown>>): EmbedRequest {
  refuseUnsafeFields(body, EMBEDDINGS_FIELDS)
  if (Array.isArray(body.input)) refuseBadList(body.input)
  const wire = checkSchema(embeddingsBodySchema, body)
  return {
    operation: 'embed',
    model: wire.model,
    inputs: inputsOf(wire.input),
    dimensions: wire.dimensions ?? undefined,
    encoding: wire.encoding_format ?? 'float',
    wire: { format: WIRE_FORMAT, body },
  }
}

/**
 * Lists may hold hundreds of thousands of tokens, and a union of schemas would collect a complaint about each of
 * them from every schema that does not fit; this stops at the first.
 */
function refuseBadList(input: readonly unknown[]): void {
  if (typeof input[0] === 'number') {
    refuseBadTokens(input, 'input')
    return
  }
  if (input.length > MAX_INPUTS) throw invalidInput('input', `at most ${MAX_INPUTS} items`)
  for (const [index, item] of input.entries()) {
    if (Array.isArray(item)) refuseBadTokens(item, `input[${index}]`)
  }
}

function refuseBadTokens(list: readonly unknown[], path: string): void {
  const bad = list.findIndex(item => !tokenId.safeParse(item).success)
  if (bad !== -1)
    throw invalidInput(`${path}[${bad}]`, `a token id, a whole number from 0 to ${MAX_TOKEN_ID}`)
}

function invalidInput(param: string, expected: string): GatewayError {
  return new GatewayError('invalid_request', `Invalid '${param}': expected ${expected}.`, { param })
}

type Input = z.infer<typeof embeddingsBodySchema>['input']

function inputsOf(input: Input): EmbedRequest['inputs'] {
  if (typeof input === 'string') return [input]
  return isTokens(input) ? [input] : input
}

function isTokens(input: Exclude<Input, string>): input is number[] {
  return typeof input[0] === 'number'
}

/** The answer in OpenAI's shape, each vector written as the client asked, however the provider wrote it. */
export function embeddingsAnswer(request: EmbedRequest, result: EmbedResult): WireAnswer {
  const write = request.encoding === 'base64' ? base64OfVector : vectorOfBase64
  const usage = result.usage && chatUsage(result.usage)
  return jsonAnswer(200, {
    object: 'list',
    data: result.vectors.map((vector, index) => ({ object: 'embedding', index, embedding: write(vector) })),
    model: request.model,
    ...(usage && { usage: { prompt_tokens: usage.prompt_tokens, total_tokens: usage.prompt_tokens } }),
  })
}

/** 2,048 inputs of 300,000 tokens in all, OpenAI's own bound, are more than one megabyte of text. */
const BODY_LIMIT_BYTES = 8_000_000

/** Room for those tokens as numbers. */
export const EMBEDDINGS_MAX_VALUES = 400_000

export const embeddings = endpoint({
  method: 'POST',
  path: '/embeddings',
  bodyLimitBytes: BODY_LIMIT_BYTES,
  reference: {
    summary: 'Turn texts into vectors',
    tag: 'Embeddings',
    body: { schema: embeddingsBodySchema },
    answer: { schema: embeddingsAnswerSchema },
    example: { body: { model: 'text-embedding-3-large', input: 'The food was delicious.' } },
  },
  async handle({ request, call, gateway, reply }) {
    const embed = embedRequest(parseJsonBody(request.body, { maxValues: EMBEDDINGS_MAX_VALUES }))
    reply.send(await gateway.embed(call, embed, result => embeddingsAnswer(embed, result)))
  },
})
