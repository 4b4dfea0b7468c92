/** An embeddings answer, read into our words. */
import type { EmbedRequest, EmbedResult } from '#spec/embed.ts'
import { isRecord } from '../classify.ts'
import { tokenUsageOf } from './usage.ts'

type Vector = readonly number[] | string

/** `undefined` where the body has not exactly one vector for each input. Vectors are put in the order of their inputs. */
export function embedResultOf(body: unknown, request: EmbedRequest): EmbedResult | undefined {
  if (!isRecord(body) || !Array.isArray(body.data) || body.data.length !== request.inputs.length)
    return undefined
  const vectors: (Vector | undefined)[] = new Array(body.data.length).fill(undefined)
  for (const [position, item] of body.data.entries()) {
    if (!isRecord(item) || !isVector(item.embedding)) return undefined
    vectors[typeof item.index === 'number' ? item.index : position] = item.embedding
  }
  const whole = vectors.filter(vector => vector !== undefined)
  if (vectors.length !== request.inputs.length || whole.length !== vectors.length) return undefined
  return { vectors: whole, usage: tokenUsageOf(body.usage, 'embed') }
}

function isVector(value: unknown): value is Vector {
  if (typeof value === 'string') return value !== '' && value.length % 4 === 0
  return Array.isArray(value) && value.length > 0 && value.every(component => typeof component === 'number')
}
