/** Fields of a client's body that change what a vendor bills in ways a price per token cannot express. */
import type { ChatRequest } from '#spec/chat.ts'

type Costs = (value: unknown) => boolean

const given: Costs = value => value !== undefined && value !== null && value !== false
const filled: Costs = value => Array.isArray(value) && value.length > 0
const otherThan =
  (...plain: readonly unknown[]): Costs =>
  value =>
    given(value) && !plain.includes(value)

/**
 * By field: OpenAI's priority processing, audio answers and searches (a fee each); OpenRouter's plug-ins (a fee
 * each), its own fall-back models and its choice of a dearer host; Anthropic's fast mode and regions.
 */
const FIELDS: ReadonlyMap<string, Costs> = new Map(
  Object.entries({
    service_tier: otherThan('auto', 'default', 'flex', 'standard_only'),
    web_search_options: given,
    audio: given,
    modalities: value => Array.isArray(value) && value.some(modality => modality !== 'text'),
    plugins: filled,
    models: filled,
    route: given,
    provider: given,
    preset: given,
    speed: otherThan('standard'),
    inference_geo: given,
  }),
)

/**
 * The fields of a lossless body that would make the vendor bill more than the catalogue's price says, in the
 * body's own names; empty for almost every call. The hold does not cover them: refuse the call or drop them.
 */
export function fieldsBeyondPrice(request: ChatRequest): string[] {
  const body = request.wire?.body
  if (body === undefined) return []
  const fields = costlyFieldsOf(body)
  const tools: unknown = body.tools
  const hosted = Array.isArray(tools) && tools.some(isHostedTool)
  return hosted ? [...fields, 'tools'] : fields
}

/** In the order of `FIELDS`. Walks over the few fields a body has: looking for each of `FIELDS` in it takes far longer. */
function costlyFieldsOf(body: Readonly<Record<string, unknown>>): string[] {
  const found = new Set<string>()
  for (const name in body) if (FIELDS.get(name)?.(body[name]) === true) found.add(name)
  return found.size < 2 ? [...found] : [...FIELDS.keys()].filter(name => found.has(name))
}

/** Tools that run at the vendor, with a fee of their own, are of another type than functions. */
function isHostedTool(tool: unknown): boolean {
  const type: unknown =
    typeof tool === 'object' && tool !== null ? (tool as { type?: unknown }).type : undefined
  return type !== undefined && type !== 'function' && type !== 'custom'
}
