/** Files that a task names, made ready for a provider: ours and others', as addresses or as bytes. */
import { buffer } from 'node:stream/consumers'
import type { FileRecord } from '#modules/files/index.ts'
import type { AccountRef } from '#spec/account.ts'
import type { MediaInput } from '#spec/media.ts'
import { SafeFetchError, type SafeFetchRequest } from '#spec/safe-fetch.ts'
import type { InputForm, ResolvedInput } from '#spec/task-provider.ts'
import { article, factsOfStart, kindOfRole, refusalOfSize } from './file-facts.ts'
import { ownFile } from './own-files.ts'
import type { GatewayParts } from './parts.ts'

/** A file that an input names is not there, or not what its place takes. */
export class InputUnusable extends Error {
  readonly param: string
  constructor(param: string, message: string) {
    super(message)
    this.name = 'InputUnusable'
    this.param = param
  }
}

/** So much of a file of others' is looked at before a provider is given its address. */
const LOOK_BYTES = 262_144
const LOOK_TIMEOUT_MS = 20_000
const READ_TIMEOUT_MS = 120_000

/**
 * The inputs as the provider may use them. A provider that takes none in any form (the sandbox) is given addresses of
 * others' as they are: test calls reach out to nobody. Throws InputUnusable.
 */
export async function resolveInputs(
  parts: GatewayParts,
  account: AccountRef,
  inputs: readonly MediaInput[],
  forms: readonly InputForm[],
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
  forms: readonly InputForm[],
): Promise<ResolvedInput> {
  const read = async () => {
    const found = await parts.media.objects.get(file.objectKey)
    if (!found) throw new InputUnusable(param, `${param} names a file that is gone.`)
    return buffer(found.stream)
  }
  const { contentType } = file
  if (forms.includes('url') && parts.media.settings.isPublic) return { role, url, contentType, read }
  if (!forms.includes('data-uri') && !forms.includes('bytes')) return { role, url, contentType, read }
  // What a vendor made may be larger than what anybody may send: it does not go into memory for that.
  if (file.sizeBytes > parts.media.settings.maxUploadBytes) throw tooLarge(parts, param)
  return withBytes({ role, url, contentType }, await read(), forms)
}

/** Read before the provider is asked: once its create call is under way, a file that cannot be had is too late. */
function withBytes(
  input: Omit<ResolvedInput, 'read'>,
  data: Buffer,
  forms: readonly InputForm[],
): ResolvedInput {
  const url = forms.includes('data-uri') ? `data:${input.contentType};base64,${data.toString('base64')}` : ''
  return { ...input, url, read: async () => data }
}

async function resolveForeign(
  parts: GatewayParts,
  input: MediaInput,
  forms: readonly InputForm[],
  signal: AbortSignal,
): Promise<ResolvedInput> {
  const { role, url } = input
  const readWhole = () => readForeign(parts, input, signal)
  if (forms.length === 0) return { role, url, contentType: 'application/octet-stream', read: readWhole }
  if (forms.includes('url')) {
    return { role, url, contentType: await lookAt(parts, input, signal), read: readWhole }
  }
  // What is sent is what was looked at: asked again, its server could give another file.
  const data = await readWhole()
  return withBytes({ role, url, contentType: await typeOf(input, data) }, data, forms)
}

/** Reads the beginning of the file: that it is there, what it is, how large it says it is. */
async function lookAt(parts: GatewayParts, input: MediaInput, signal: AbortSignal): Promise<string> {
  const bounds = { maxBytes: LOOK_BYTES, read: 'start', timeoutMs: LOOK_TIMEOUT_MS } as const
  const { bytes, announcedBytes } = await fetchForeign(parts, input, bounds, signal)
  if (announcedBytes > parts.media.settings.maxUploadBytes) throw tooLarge(parts, input.param)
  return typeOf(input, bytes)
}

function tooLarge({ media }: GatewayParts, param: string): InputUnusable {
  return new InputUnusable(param, `${param} is larger than ${media.settings.maxUploadBytes} bytes.`)
}

async function readForeign(parts: GatewayParts, input: MediaInput, signal: AbortSignal): Promise<Buffer> {
  const { maxUploadBytes } = parts.media.settings
  const bounds = { maxBytes: maxUploadBytes, timeoutMs: READ_TIMEOUT_MS, idleTimeoutMs: LOOK_TIMEOUT_MS }
  return (await fetchForeign(parts, input, bounds, signal)).bytes
}

async function fetchForeign(
  parts: GatewayParts,
  { url, param }: MediaInput,
  bounds: Omit<SafeFetchRequest, 'signal' | 'redirects'>,
  signal: AbortSignal,
): Promise<{ readonly bytes: Buffer; readonly announcedBytes: number }> {
  try {
    const answer = await parts.media.safeFetch(url, { ...bounds, redirects: 5, signal })
    if (answer.status === 200) {
      const announcedBytes = Number(answer.headers['content-length'] ?? 0)
      return { bytes: await buffer(answer.body), announcedBytes }
    }
    answer.body.destroy()
    throw new InputUnusable(param, `${param} could not be fetched: its server answered ${answer.status}.`)
  } catch (error) {
    if (error instanceof SafeFetchError && error.reason !== 'aborted') {
      throw new InputUnusable(param, `${param} could not be fetched: it ${error.complaint}.`)
    }
    throw error
  }
}

/** The type that the bytes are of, a whole file or the beginning of one. Throws where its place takes no such file. */
async function typeOf({ param, role }: MediaInput, bytes: Uint8Array): Promise<string> {
  const facts = await factsOfStart(bytes)
  const wanted = kindOfRole(role)
  if (facts.kind !== wanted)
    throw new InputUnusable(param, `${param} is not ${article(wanted)} of a known type.`)
  const tooLarge = refusalOfSize(facts)
  if (tooLarge !== undefined) throw new InputUnusable(param, `${param} ${tooLarge}.`)
  return facts.contentType
}
