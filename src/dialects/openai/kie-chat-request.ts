/**
 * A body of kie's chat paths as a chat. It is OpenAI's but for what is said here; `chat-request.ts` reads the rest. The
 * body does not travel along: kie's own fields are known to no vendor, and the answer must name the slug in every event.
 */
import { z } from 'zod'
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import type { ChatRequest } from '#spec/chat.ts'
import { GatewayError } from '#spec/errors.ts'
import { chatRequest } from './chat-request.ts'
import { chatBodySchema } from './chat-wire.ts'

const ownFields = z.looseObject({
  include_thoughts: z.boolean().nullish().describe('Accepted; thoughts are never shown'),
  stream: z.boolean().nullish().describe('Default: true for the Gemini models, false for all others'),
})

const content = z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullish()

/** The body as the API reference shows it. The parts of a message are judged as those of `POST /chat/completions` are. */
export const kieChatBodySchema = chatBodySchema.extend({
  ...ownFields.shape,
  model: z.string().nullish().describe('Ignored: the model is in the path'),
  messages: z
    .array(z.looseObject({ role: z.string(), content }))
    .min(1)
    .describe(
      'As in `POST /chat/completions`; for the Gemini models an `image_url` may hold sound or a file too',
    ),
})

/** Validates a parsed body. Throws `invalid_request` with `param`. */
export function kieChatRequest(body: Readonly<Record<string, unknown>>, slug: string): ChatRequest {
  const { include_thoughts: _, ...given } = body
  const { stream } = checkSchema(ownFields, body)
  const isGemini = slug.startsWith('gemini-')
  refuseHostedSearch(body.tools)
  const chat = chatRequest({
    ...given,
    model: slug,
    stream: stream ?? isGemini,
    ...(isGemini && Array.isArray(body.messages) && { messages: body.messages.map(withPlainParts) }),
  })
  return { ...chat, wire: undefined }
}

/** kie's words for searches that the vendor makes and bills apart; with parameters it is a function of the client's own. */
const HOSTED_SEARCHES: ReadonlySet<unknown> = new Set(['googleSearch', 'web_search'])

function refuseHostedSearch(tools: unknown): void {
  if (!Array.isArray(tools)) return
  const at = tools.findIndex(tool => {
    const { name, parameters } = recordOf(recordOf(tool).function)
    return HOSTED_SEARCHES.has(name) && parameters == null
  })
  if (at === -1) return
  throw new GatewayError(
    'invalid_request',
    `Invalid 'tools[${at}]': hosted search is billed per search and has no price here. Send a function of your own, with 'parameters', and search yourself.`,
    { param: `tools[${at}]` },
  )
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Parts are replaced one for one, so that an error names the place that the client knows. */
function withPlainParts(message: unknown, index: number): unknown {
  const { content: parts } = recordOf(message)
  if (!Array.isArray(parts)) return message
  return {
    ...recordOf(message),
    content: parts.map((part, at) => plainPart(part, `messages[${index}].content[${at}].image_url.url`)),
  }
}

const DATA_URL = /^data:([a-z]+\/[a-z0-9.+-]+)(?:;[^,;]*)*;base64,/i
const SOUND_FORMATS: Readonly<Record<string, string>> = {
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
}

/** kie sends every kind of media as an `image_url`; what it is stands in the type of its `data:` URL. */
function plainPart(part: unknown, param: string): unknown {
  const { url } = recordOf(recordOf(part).image_url)
  if (typeof url !== 'string') return part
  // A longer head is none, and would be the pattern’s undoing.
  const type = DATA_URL.exec(url.slice(0, 1_000))?.[1]?.toLowerCase()
  if (type === undefined) {
    refuseMediaByAddress(url, param)
    return part
  }
  if (type.startsWith('image/')) return part
  if (type.startsWith('video/')) throw refused(param, 'no model here reads video')
  if (!type.startsWith('audio/')) return { type: 'file', file: { filename: fileName(type), file_data: url } }
  const format = SOUND_FORMATS[type]
  if (format === undefined) throw refused(param, 'sound is read as WAV or MP3')
  return { type: 'input_audio', input_audio: { data: url.slice(url.indexOf(',') + 1), format } }
}

function fileName(type: string): string {
  return `file.${type === 'text/plain' ? 'txt' : type.replace(/^.*[/.+-]/, '')}`
}

const OTHER_MEDIA = /^[^?#]*\.(mp4|m4v|mov|webm|mkv|avi|mpe?g|mp3|wav|m4a|aac|ogg|flac|pdf)(?:[?#]|$)/i

/** An address is fetched by the provider, as the picture that it is said to be. */
function refuseMediaByAddress(url: string, param: string): void {
  if (!OTHER_MEDIA.test(url)) return
  throw refused(param, 'only pictures can be named by an address. Send sound and PDF as a data: URL')
}

function refused(param: string, why: string): GatewayError {
  return new GatewayError('invalid_request', `Invalid '${param}': ${why}.`, { param })
}
