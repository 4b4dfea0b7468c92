/**
 * What a body of the lossless lane may add to the prompt beside the fields we understand. Fields nobody here
 * knows pass through untouched, so each of them is counted, unless it is known to add nothing.
 */
import type { WireBody } from '#spec/chat.ts'
import { jsonWeight } from './json-weight.ts'

/** Settings that add no text to a prompt, in the formats spoken here. Everything not named here is counted. */
const HARMLESS = new Set([
  ...['model', 'stream', 'stream_options', 'temperature', 'top_p', 'top_k', 'min_p', 'n', 'stop', 'seed'],
  ...['max_tokens', 'max_completion_tokens', 'presence_penalty', 'frequency_penalty', 'logit_bias'],
  ...['logprobs', 'top_logprobs', 'user', 'tool_choice', 'parallel_tool_calls', 'reasoning_effort'],
  ...['service_tier', 'store', 'metadata', 'safety_identifier', 'prompt_cache_key', 'prompt_cache_retention'],
  ...['verbosity', 'encoding_format', 'dimensions'],
])

/** Fields whose content is counted by the caller, by operation. */
export const CHAT_FIELDS: ReadonlySet<string> = new Set(['messages', 'tools', 'response_format'])
export const EMBED_FIELDS: ReadonlySet<string> = new Set(['input'])
const COUNTED_IN_MESSAGE = new Set(['role', 'content', 'name', 'tool_calls', 'tool_call_id'])
const COUNTED_PARTS = new Set<unknown>(['text', 'image_url', 'input_audio', 'file'])

export interface WireExtras {
  /** Bytes of fields we do not know. */
  readonly bytes: number
  /** Parts and references whose tokens cannot be told from their bytes: a video, an answer's earlier audio. */
  readonly opaqueParts: number
}

/** Measures the fields of a body that are neither known nor in `counted`. Stops soon after `ceiling` bytes. */
export function wireExtras(wire: WireBody, counted: ReadonlySet<string>, ceiling: number): WireExtras {
  const extras = { bytes: 0, opaqueParts: 0 }
  for (const name in wire.body) {
    if (extras.bytes > ceiling) return extras
    if (HARMLESS.has(name) || counted.has(name)) continue
    extras.bytes += name.length + jsonWeight(wire.body[name], ceiling)
  }
  const messages: unknown = counted.has('messages') ? wire.body.messages : undefined
  if (!Array.isArray(messages)) return extras
  for (const message of messages as readonly unknown[]) {
    if (extras.bytes > ceiling) break
    if (isRecord(message)) addMessage(message, extras, ceiling)
  }
  return extras
}

function addMessage(
  message: Readonly<Record<string, unknown>>,
  extras: { bytes: number; opaqueParts: number },
  ceiling: number,
): void {
  for (const name in message) {
    if (COUNTED_IN_MESSAGE.has(name)) continue
    if (name === 'audio' && message[name] !== null) extras.opaqueParts++
    else extras.bytes += name.length + jsonWeight(message[name], ceiling)
  }
  const { content } = message
  if (!Array.isArray(content)) return
  for (const part of content as readonly unknown[]) {
    if (!isRecord(part) || COUNTED_PARTS.has(part.type)) continue
    if (part.type === 'refusal') extras.bytes += jsonWeight(part.refusal, ceiling)
    else extras.opaqueParts++
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
