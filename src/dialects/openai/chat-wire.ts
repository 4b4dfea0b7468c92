/**
 * The body of `POST /chat/completions` as OpenAI writes it: the one source for validation and for OpenAPI.
 * Strict about the types of the fields it knows, open to fields it does not (they pass on the lossless lane).
 * `null` means "not set" wherever OpenAI's own SDKs may send it. No transforms: what was validated is what is sent.
 */
import { z } from 'zod'

const INT32_MAX = 2 ** 31 - 1

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() })

const imagePart = z.looseObject({
  type: z.literal('image_url'),
  image_url: z.looseObject({
    url: z.string().regex(/^(https?:\/\/[^\s/]|data:image\/)/i, 'an https, http or data:image URL'),
    detail: z.enum(['auto', 'low', 'high']).nullish(),
  }),
})

const audioPart = z.looseObject({
  type: z.literal('input_audio'),
  input_audio: z.looseObject({ data: z.string().min(1), format: z.enum(['wav', 'mp3']) }),
})

/** A file by `file_id` would name a file in the operator's own account, which any client could guess at. */
const filePart = z.looseObject({
  type: z.literal('file'),
  file: z.looseObject({
    filename: z.string().max(255).nullish(),
    file_data: z.string('the file itself in base64 (a file_id is not accepted)').min(1),
    file_id: z.never("no file_id: send the file itself as 'file_data'").nullish(),
  }),
})

const refusalPart = z.looseObject({ type: z.literal('refusal'), refusal: z.string() })

const textContent = z.union([z.string(), z.array(textPart).min(1)])

const userContent = z.union([
  z.string(),
  z.array(z.discriminatedUnion('type', [textPart, imagePart, audioPart, filePart])).min(1),
])

const assistantContent = z.union([
  z.string(),
  z.array(z.discriminatedUnion('type', [textPart, refusalPart])).min(1),
])

const participantName = z.string().max(256).nullish()

const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 letters, digits, "_" or "-"')

const toolCall = z.looseObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string() }),
})

const message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.enum(['system', 'developer']), content: textContent, name: participantName }),
  z.looseObject({ role: z.literal('user'), content: userContent, name: participantName }),
  z.looseObject({
    role: z.literal('assistant'),
    content: assistantContent.nullish(),
    refusal: z.string().nullish(),
    name: participantName,
    tool_calls: z.array(toolCall).min(1).nullish(),
    /** An answer with sound, by its id in the operator's account. */
    audio: z.null('nothing: audio output is not offered').optional(),
    function_call: z.null("nothing: it is deprecated, use 'tool_calls'").optional(),
  }),
  z.looseObject({ role: z.literal('tool'), content: textContent, tool_call_id: z.string().min(1) }),
])

const jsonObject = z.record(z.string(), z.unknown())

/** Hosted and custom tools are refused: they cost what no price covers, or would be dropped on a failover. */
const tool = z.looseObject({
  type: z.literal('function'),
  function: z.looseObject({
    name: toolName,
    description: z.string().nullish(),
    parameters: jsonObject.nullish(),
    strict: z.boolean().nullish(),
  }),
})

const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: toolName }) }),
])

const responseFormat = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({
      name: toolName,
      description: z.string().nullish(),
      schema: jsonObject.nullish(),
      strict: z.boolean().nullish(),
    }),
  }),
])

const penalty = z.number().min(-2).max(2).nullish()
const tokenLimit = z.int().min(1).max(INT32_MAX).nullish()

export const chatBodySchema = z.looseObject({
  model: z.string().min(1).max(200).describe('An id or an alias of `GET /models`'),
  messages: z.array(message).min(1).describe('The conversation so far'),
  temperature: z.number().min(0).max(2).nullish().describe('Higher is more random'),
  top_p: z.number().min(0).max(1).nullish().describe('Only the likeliest tokens up to this share'),
  n: z.int().min(1).max(128).nullish().describe('How many answers; each is charged'),
  stop: z
    .union([z.string(), z.array(z.string()).max(4)])
    .nullish()
    .describe('Texts that end an answer'),
  seed: z.int().nullish().describe('The same seed makes the same answer likelier'),
  logprobs: z.boolean().nullish().describe('Whether the probability of each token is told'),
  top_logprobs: z
    .int()
    .min(0)
    .max(20)
    .nullish()
    .describe('How many likeliest tokens are told; needs `logprobs`'),
  max_tokens: tokenLimit.describe('The most tokens of an answer. Less is held for a call that sets it'),
  max_completion_tokens: tokenLimit.describe('The same by its newer name; of both the smaller counts'),
  presence_penalty: penalty.describe('Above 0: less of what was mentioned already'),
  frequency_penalty: penalty.describe('Above 0: less of what was said often'),
  logit_bias: z
    .record(z.string(), z.number().min(-100).max(100))
    .nullish()
    .describe('By token id: how much likelier or less likely it is made'),
  response_format: responseFormat.nullish().describe('Text, any JSON object, or JSON of a schema'),
  tools: z.array(tool).nullish().describe('Functions that the model may ask to be called'),
  tool_choice: toolChoice.nullish().describe('Whether a tool is called, or which'),
  parallel_tool_calls: z.boolean().nullish().describe('Whether one answer may call several tools'),
  reasoning_effort: z
    .enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])
    .nullish()
    .describe('How long a reasoning model thinks'),
  verbosity: z.enum(['low', 'medium', 'high']).nullish().describe('How much it says'),
  modalities: z.array(z.literal('text')).nullish().describe('Text is all there is here'),
  /** `priority`, `fast` and `scale` cost more than the catalogue's prices. */
  service_tier: z.enum(['auto', 'default', 'flex']).nullish(),
  stream: z.boolean().nullish().describe('Answer with server-sent events, ended by `data: [DONE]`'),
  stream_options: z
    .looseObject({
      include_usage: z.boolean().nullish().describe('A last event with the usage and the exact charge'),
    })
    .nullish(),
  user: z.string().nullish().describe('Your name for the end user'),
  safety_identifier: z.string().nullish().describe('The same, hashed'),
  prompt_cache_key: z.string().nullish().describe('Calls with the same key are likelier to hit the cache'),
  store: z.boolean().nullish().describe('For the provider; nothing is stored here'),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .nullish()
    .describe('At most 16 entries of your own'),
})

export type ChatBody = z.infer<typeof chatBodySchema>
export type WireMessage = ChatBody['messages'][number]
export type WirePart = Exclude<NonNullable<WireMessage['content']>, string>[number]

/** The fields this schema judges. */
export const CHAT_FIELDS: ReadonlySet<string> = new Set(Object.keys(chatBodySchema.shape))

const SCHEMA_OF_FIELD: ReadonlyMap<string, z.ZodType> = new Map(Object.entries(chatBodySchema.shape))

/**
 * Whether the schema accepts a parsed body. It judges the few fields that are there, one by one; the schema goes through
 * all those that might be, and copies what it accepts. What is wrong with a body, only the schema can say.
 */
export function isChatBody(body: Readonly<Record<string, unknown>>): body is ChatBody {
  if (body.model === undefined || body.messages === undefined) return false
  for (const field in body) {
    const schema = SCHEMA_OF_FIELD.get(field)
    if (schema && !accepts(schema, body[field])) return false
  }
  return true
}

function accepts(schema: z.ZodType, value: unknown): boolean {
  try {
    return schema.safeParse(value).success
  } catch {
    // More issues than zod has stack for: `checkSchema` knows what to say.
    return false
  }
}
