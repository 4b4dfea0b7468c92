/**
 * Files that requests name, as they come. Bytes in a request are stored at once, so that a task holds addresses only;
 * addresses of others' are looked at by the worker (`resolve-inputs.ts`), just before the provider is asked.
 */
import { GatewayError } from '#spec/errors.ts'
import type { Call } from '#spec/gateway.ts'
import type { Json, JsonObject } from '#spec/json.ts'
import type { MediaInput } from '#spec/media.ts'
import { accountOf, principalOf } from './admission.ts'
import { bytesOfDataUri } from './data-uri.ts'
import { article, kindOfRole, refusalOfUrl } from './file-facts.ts'
import { storeBytes } from './files.ts'
import { ownFile } from './own-files.ts'
import type { GatewayParts } from './parts.ts'

/**
 * The inputs with every data URI stored as a file of ours, and what became of each. Throws input_rejected for what is
 * seen at once: bytes that are not what they should be, a file of ours that is not the caller's, an address that is none.
 */
export async function keepInputs(
  parts: GatewayParts,
  call: Call,
  inputs: readonly MediaInput[],
): Promise<{ inputs: readonly MediaInput[]; stored: ReadonlyMap<string, string> }> {
  const stored = new Map<string, string>()
  const kept: MediaInput[] = []
  for (const input of inputs) {
    if (input.url.startsWith('data:')) {
      const { url } = await storeBytes(parts, call, bytesOfDataUri(input), {
        role: input.role,
        param: input.param,
      })
      stored.set(input.url, url)
      kept.push({ ...input, url })
    } else {
      await checkAddress(parts, call, input)
      kept.push(input)
    }
  }
  return { inputs: kept, stored }
}

async function checkAddress(parts: GatewayParts, call: Call, input: MediaInput): Promise<void> {
  const own = await ownFile(parts, accountOf(principalOf(call)), input.url)
  if (own === 'not-theirs') {
    throw new GatewayError(
      'input_rejected',
      `${input.param} names a file that does not exist in this workspace.`,
      {
        param: input.param,
      },
    )
  }
  if (own !== 'elsewhere') {
    const wanted = kindOfRole(input.role)
    if (own.kind === wanted) return
    throw new GatewayError(
      'input_rejected',
      `${input.param} must be ${article(wanted)}; this file is ${article(own.kind)}.`,
      {
        param: input.param,
      },
    )
  }
  const refusal = refusalOfUrl(parts, input.url)
  if (refusal === undefined) return
  throw new GatewayError('input_rejected', `${input.param} ${refusal}.`, { param: input.param })
}

/** The client's body with the bytes in it replaced by the address they are stored under. */
export function withoutBytes(wire: JsonObject, stored: ReadonlyMap<string, string>): JsonObject {
  const shorten = (value: Json): Json => {
    if (typeof value === 'string') return stored.get(value) ?? (value.startsWith('data:') ? 'data:' : value)
    if (Array.isArray(value)) return value.map(shorten)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorten(inner as Json)]))
  }
  return shorten(wire) as JsonObject
}
