/**
 * Files that requests name. Bytes in a request are stored at once, so that a task holds addresses only; addresses of
 * others' are looked at by the worker, just before the provider is asked.
 */

import { buffer } from 'node:stream/consumers'
import { type FileRecord, parseFileUrl } from '#modules/files/index.ts'
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call } from '#spec/gateway.ts'
import type { Json, JsonObject } from '#spec/json.ts'
import type { InputRole, MediaInput } from '#spec/media.ts'
import { SafeFetchError } from '#spec/safe-fetch.ts'
import type { ResolvedInput } from '#spec/task-provider.ts'
import { accountOf, principalOf } from './admission.ts'
import { factsOfStart, refusalOfSize, refusalOfUrl } from './file-facts.ts'
import { storeBytes } from './files.ts'
import type { GatewayParts } from './parts.ts'

export type InputKind = 'image' | 'video' | 'audio'

export function kindOfRole(role: InputRole): InputKind {
  if (role === 'video' || role === 'reference_video') return 'video'
  return role === 'audio' || role === 'reference_audio' ? 'audio' : 'image'
}

/** A file that an input names is not there, or not what its place takes. */
export class InputUnusable extends Error {
  readonly param: string
  constructor(param: string, message: string) {
    super(message)
    this.param = param
  }
}

/** What a data URI holds. */
const DATA_URI = /^data:([^,;]*)((?:;[^,;]*)*),/

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

function bytesOfDataUri({ url, param }: MediaInput): Buffer {
  const match = DATA_URI.exec(url)
  if (!match) throw new GatewayError('input_rejected', `${param} is not a whole data URI.`, { param })
  const text = url.slice(match[0].length)
  if (!match[2]?.includes(';base64')) return Buffer.from(decodeURIComponent(text))
  if (!/^[A-Za-z0-9+/_\-\s]*={0,2}\s*$/.test(text)) {
    throw new GatewayError('input_rejected', `${param} is not valid base64.`, { param })
  }
  return Buffer.from(text, 'base64')
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

/** One of our files by its URL. */
export async function ownFile(
  parts: GatewayParts,
  account: AccountRef,
  url: string,
): Promise<FileRecord | 'elsewhere' | 'not-theirs'> {
  const { publicUrl, filesUrl } = parts.media.settings
  const address = parseFileUrl(url, [filesUrl, publicUrl])
  if (!address) return url.startsWith(`${publicUrl}/files/`) ? 'not-theirs' : 'elsewhere'
  const file = await parts.media.files.findByToken(address.token)
  if (!file || file.account.workspaceId !== account.workspaceId || file.account.mode !== account.mode)
    return 'not-theirs'
  return file
}

/** The bytes of a file of ours; `undefined` where it is another's, gone, or somebody else's file. */
export async function readOwnFile(
  parts: GatewayParts,
  account: AccountRef,
  url: string,
): Promise<Uint8Array | undefined> {
  const file = await ownFile(parts, account, url)
  if (typeof file === 'string') return undefined
  const found = await parts.media.objects.get(file.objectKey)
  return found ? buffer(found.stream) : undefined
}

/** So much of a file of others' is looked at before a provider is given its address. */
const LOOK_BYTES = 262_144
const LOOK_TIMEOUT_MS = 20_000

/**
 * The inputs as the provider may use them. A provider that takes none in any form (the sandbox) is given addresses of
 * others' as they are: test calls reach out to nobody. Throws InputUnusable.
 */
export async function resolveInputs(
  parts: GatewayParts,
  account: AccountRef,
  inputs: readonly MediaInput[],
  forms: readonly ('url' | 'data-uri')[],
  signal: AbortSignal,
): Promise<ResolvedInput[]> {
  const resolved: ResolvedInput[] = []
  for (const input of inputs) {
    const own = await ownFile(parts, account, input.url)
    if (own === 'not-theirs')
      throw new InputUnusable(input.param, `${input.param} names a file that is gone.`)
    resolved.push(
      own === 'elsewhere'
        ? await resolveForeign(parts, input, forms, signal)
        : await resolveOwn(parts, input, own, forms),
    )
  }
  return resolved
}

async function resolveOwn(
  parts: GatewayParts,
  { role, url, param }: MediaInput,
  file: FileRecord,
  forms: readonly ('url' | 'data-uri')[],
): Promise<ResolvedInput> {
  const read = async () => {
    const found = await parts.media.objects.get(file.objectKey)
    if (!found) throw new InputUnusable(param, `${param} names a file that is gone.`)
    return buffer(found.stream)
  }
  const { contentType } = file
  if (forms.includes('url') && parts.media.settings.isPublic) return { role, url, contentType, read }
  if (!forms.includes('data-uri')) return { role, url, contentType, read }
  const data = await read()
  return {
    role,
    url: `data:${contentType};base64,${data.toString('base64')}`,
    contentType,
    read: async () => data,
  }
}

async function resolveForeign(
  parts: GatewayParts,
  input: MediaInput,
  forms: readonly ('url' | 'data-uri')[],
  signal: AbortSignal,
): Promise<ResolvedInput> {
  const { role, url } = input
  const readWhole = async () => {
    const { maxUploadBytes } = parts.media.settings
    const answer = await parts.media.safeFetch(url, {
      maxBytes: maxUploadBytes,
      timeoutMs: LOOK_TIMEOUT_MS,
      redirects: 5,
      signal,
    })
    return buffer(answer.body)
  }
  if (forms.length === 0) return { role, url, contentType: 'application/octet-stream', read: readWhole }
  const contentType = await lookAt(parts, input, signal)
  if (forms.includes('url')) return { role, url, contentType, read: readWhole }
  const data = await readWhole()
  return {
    role,
    url: `data:${contentType};base64,${data.toString('base64')}`,
    contentType,
    read: async () => data,
  }
}

/** Reads the beginning of the file: that it is there, what it is, how large it says it is. */
async function lookAt(
  parts: GatewayParts,
  { url, param, role }: MediaInput,
  signal: AbortSignal,
): Promise<string> {
  try {
    const answer = await parts.media.safeFetch(url, {
      maxBytes: LOOK_BYTES,
      read: 'start',
      timeoutMs: LOOK_TIMEOUT_MS,
      redirects: 5,
      signal,
    })
    const start = await buffer(answer.body)
    if (answer.status !== 200)
      throw new InputUnusable(param, `${param} could not be fetched: its server answered ${answer.status}.`)
    const sizeBytes = Number(answer.headers['content-length'] ?? 0)
    if (sizeBytes > parts.media.settings.maxUploadBytes) {
      throw new InputUnusable(param, `${param} is larger than ${parts.media.settings.maxUploadBytes} bytes.`)
    }
    const facts = await factsOfStart(start)
    const wanted = kindOfRole(role)
    if (facts.kind !== wanted)
      throw new InputUnusable(param, `${param} is not ${article(wanted)} of a known type.`)
    const tooLarge = refusalOfSize(facts)
    if (tooLarge !== undefined) throw new InputUnusable(param, `${param} ${tooLarge}.`)
    return facts.contentType
  } catch (error) {
    if (error instanceof SafeFetchError && error.reason !== 'aborted') {
      throw new InputUnusable(param, `${param} could not be fetched: it ${error.complaint}.`)
    }
    throw error
  }
}

export function article(kind: string): string {
  return /^[aeio]/.test(kind) ? `an ${kind} file` : `a ${kind} file`
}
