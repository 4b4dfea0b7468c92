/** Our words, or the client's own body, as a request in OpenAI's chat format. */
import type { ChatMessage, ChatRequest, ContentPart, ResponseFormat, ToolChoice } from '#spec/chat.ts'
import type { EmbedRequest } from '#spec/embed.ts'
import type { ProviderContext } from '#spec/provider.ts'
import { isRecord } from '../classify.ts'
import type { OpenAiQuirks } from './quirks.ts'

export const OPENAI_FORMAT = 'openai'

/**
 * Fields that would steer where a call goes or with which credential, were the upstream itself a gateway that
 * listens to them (CVE-2024-6587 was one that did). Never forwarded.
 */
const STEERING_FIELDS: ReadonlySet<string> = new Set([
  'api_base',
  'api_key',
  'api_type',
  'api_version',
  'azure_ad_token',
  'azure_endpoint',
  'base_url',
  'custom_llm_provider',
  'default_headers',
  'extra_body',
  'extra_headers',
  'extra_query',
  'headers',
  'organization',
  'proxy',
  'vertex_credentials',
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
])

type Body = Record<string, unknown>

/** The whole body of a chat, ready to be serialised. Never the client's object itself. */
export function chatBody(
  request: ChatRequest,
  context: ProviderContext,
  quirks: OpenAiQuirks,
  stream: boolean,
): Body {
  const own =
    request.wire?.format === OPENAI_FORMAT ? { ...request.wire.body } : bodyFromWords(request, quirks)
  const body: Body = withoutFields(own, quirks)
  body.model = context.upstreamModel
  body.stream = stream
  if (stream) {
    body.stream_options = {
      ...(isRecord(body.stream_options) ? body.stream_options : {}),
      include_usage: true,
    }
  } else {
    delete body.stream_options
  }
  if (context.clampOutputTokens !== undefined) clampOutput(body, context.clampOutputTokens, quirks)
  return body
}

/** The whole body of an embeddings call: the encoding the client asked for is the one asked upstream. */
export function embedBody(request: EmbedRequest, context: ProviderContext, quirks: OpenAiQuirks): Body {
  if (request.wire?.format === OPENAI_FORMAT) {
    return { ...withoutFields({ ...request.wire.body }, quirks), model: context.upstreamModel }
  }
  return {
    model: context.upstreamModel,
    input: request.inputs,
    encoding_format: request.encoding,
    ...(request.dimensions === undefined ? {} : { dimensions: request.dimensions }),
  }
}

function withoutFields(body: Body, quirks: OpenAiQuirks): Body {
  // Over the few fields a body has, not over the many it might have.
  for (const field in body) if (STEERING_FIELDS.has(field)) delete body[field]
  for (const [field, allowed] of Object.entries(quirks.withheldFields)) {
    if (field in body && !allowed.includes(body[field])) delete body[field]
  }
  return body
}

/** Lowers every limit the body already has; sets one where it has none. */
function clampOutput(body: Body, limit: number, quirks: OpenAiQuirks): void {
  let limited = false
  for (const field of ['max_tokens', 'max_completion_tokens'] as const) {
    const asked = body[field]
    if (typeof asked !== 'number') continue
    body[field] = Math.min(asked, limit)
    limited = true
  }
  if (!limited) body[quirks.outputLimitField] = limit
}

function bodyFromWords(request: ChatRequest, quirks: OpenAiQuirks): Body {
  const body: Body = { messages: request.messages.map(messageOf) }
  const optional: Body = {
    tools: request.tools.length === 0 ? undefined : request.tools.map(toolOf),
    tool_choice: request.toolChoice === undefined ? undefined : toolChoiceOf(request.toolChoice),
    parallel_tool_calls: request.parallelToolCalls,
    response_format:
      request.responseFormat === undefined ? undefined : responseFormatOf(request.responseFormat),
    n: request.choices === 1 ? undefined : request.choices,
    stop: request.stop.length === 0 ? undefined : request.stop,
    seed: request.seed,
    temperature: request.temperature,
    top_p: request.topP,
    logprobs: request.logprobs,
    top_logprobs: request.topLogprobs,
    reasoning_effort: request.reasoningEffort,
    [quirks.outputLimitField]: request.maxOutputTokens,
  }
  for (const [field, value] of Object.entries(optional)) if (value !== undefined) body[field] = value
  return body
}

function messageOf(message: ChatMessage): Body {
  const body: Body = { role: message.role, content: contentOf(message.content) }
  if (message.name !== undefined) body.name = message.name
  if (message.toolCallId !== undefined) body.tool_call_id = message.toolCallId
  if (message.toolCalls !== undefined && message.toolCalls.length > 0) {
    body.tool_calls = message.toolCalls.map(call => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: call.arguments },
    }))
  }
  return body
}

/** One text is written as a string, which every vendor of the family reads. */
function contentOf(parts: readonly ContentPart[]): unknown {
  const [first] = parts
  if (first === undefined) return null
  if (parts.length === 1 && first.type === 'text') return first.text
  return parts.map(partOf)
}

function partOf(part: ContentPart): Body {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return {
        type: 'image_url',
        image_url: part.detail === undefined ? { url: part.url } : { url: part.url, detail: part.detail },
      }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.base64, format: part.format } }
    case 'file':
      return { type: 'file', file: { filename: part.filename, file_data: part.data } }
  }
}

function toolOf(tool: ChatRequest['tools'][number]): Body {
  const { name, description, parameters, strict } = tool
  return { type: 'function', function: { name, description, parameters, strict } }
}

function toolChoiceOf(choice: ToolChoice): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } }
}

function responseFormatOf(format: ResponseFormat): Body {
  if (format.type !== 'json_schema') return { type: format.type }
  const { name, schema, strict } = format
  return { type: 'json_schema', json_schema: { name, schema, strict } }
}
