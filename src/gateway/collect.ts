/** Files of a provider, copied to our own storage: a task is not called succeeded before. */
import { buffer } from 'node:stream/consumers'
import {
  type FileRecord,
  newFileToken,
  objectKeyOf,
  safeFileName,
  thumbnailKeyOf,
} from '#modules/files/index.ts'
import type { Attempt, Lease, LeasedTask, StoredTask } from '#modules/tasks/index.ts'
import { ImageFailure, type PictureFormat } from '#spec/image-processing.ts'
import { ObjectStoreFailure } from '#spec/object-store.ts'
import type { ProviderOutput } from '#spec/task-provider.ts'
import { factsOfObject } from './file-facts.ts'
import type { GatewayParts } from './parts.ts'

const COPY_TIMEOUT_MS = 600_000
const COPY_IDLE_TIMEOUT_MS = 30_000
/** Pictures above this are kept as they are: neither transcoded nor made small. */
const MAX_PICTURE_BYTES = 64 * 1024 * 1024

/** A file could not be had now; it may be later. */
export class CopyFailed extends Error {}

/** What could be copied, and why the rest could not. */
export interface Collected {
  readonly files: readonly FileRecord[]
  readonly trouble: CopyFailed | undefined
}

/** Copies every output of an attempt that can be had and is what it should be; one that cannot keeps no other from it. */
export async function collect(
  parts: GatewayParts,
  leased: LeasedTask,
  attempt: Attempt,
  outputs: readonly ProviderOutput[],
  signal: AbortSignal,
): Promise<Collected> {
  const files: FileRecord[] = []
  const seen = new Map<string, number>()
  let trouble: CopyFailed | undefined
  for (const output of outputs) {
    const place = `${output.role}-${output.index}`
    const nth = seen.get(place) ?? 0
    seen.set(place, nth + 1)
    try {
      files.push(await collectOne(parts, leased, attempt, output, `${place}-${nth}`, signal))
    } catch (error) {
      trouble ??= troubleOf(error)
    }
  }
  return { files, trouble }
}

/** Storage that goes away between two steps of a copy is the same trouble as one that was away before. Throws the rest. */
function troubleOf(error: unknown): CopyFailed {
  if (error instanceof CopyFailed) return error
  if (error instanceof ObjectStoreFailure && error.reason === 'unavailable') {
    return new CopyFailed('a result could not be stored', { cause: error })
  }
  throw error
}

/**
 * What the object of an output is called: by its attempt, its place there, and the lease under which it is copied. A worker that
 * lost its lease and does not know it writes, and removes, under a name that nobody delivers.
 */
export function stemOf({ reference }: Attempt, { epoch }: Lease, place: string): string {
  return `${reference}-${place}-${epoch}`
}

async function collectOne(
  parts: GatewayParts,
  { task, lease }: LeasedTask,
  attempt: Attempt,
  output: ProviderOutput,
  place: string,
  signal: AbortSignal,
): Promise<FileRecord> {
  const { account } = task
  const stem = stemOf(attempt, lease, place)
  const rawKey = objectKeyOf(account, stem)
  const kept = await keep(parts, rawKey, await sourceOf(parts, output, signal), signal)
  const facts = await factsOfObject(parts, rawKey, kept.sizeBytes, signal)
  if (output.kind !== 'text' && facts.kind !== output.kind) {
    await parts.media.objects.delete(rawKey)
    throw new CopyFailed(`a provider's ${output.kind} is not one`)
  }
  const picture = await pictureOf(parts, task, output, rawKey, kept.sizeBytes, facts.contentType, signal)
  const stored = picture ? await replace(parts, rawKey, picture.bytes, signal) : kept
  const thumbnailKey =
    facts.kind === 'image' ? await thumbnail(parts, task, stem, rawKey, stored.sizeBytes, signal) : undefined
  const index = attempt.firstIndex + output.index
  const extension = picture?.extension ?? facts.extension
  const name = typeof output.metadata.fileName === 'string' ? output.metadata.fileName : undefined
  return {
    account,
    id: parts.media.ids.next(),
    token: newFileToken(),
    taskId: task.id,
    kind: output.kind,
    role: output.role,
    index,
    objectKey: rawKey,
    thumbnailKey,
    contentType: picture?.contentType ?? facts.contentType,
    fileName: safeFileName(
      name,
      extension,
      `${output.role === 'cover' ? 'cover' : task.operation}-${index + 1}`,
    ),
    sizeBytes: stored.sizeBytes,
    sha256: stored.sha256,
    widthPx: picture?.width ?? facts.width,
    heightPx: picture?.height ?? facts.height,
    durationMs: facts.durationMs,
    metadata: output.metadata,
    createdAt: new Date(parts.clock.nowMs()),
  }
}

async function sourceOf(parts: GatewayParts, { source }: ProviderOutput, signal: AbortSignal) {
  if ('read' in source) {
    return source.read().catch(cause => {
      throw new CopyFailed('a result could not be read', { cause })
    })
  }
  const answer = await parts.media
    .safeFetch(source.url, {
      headers: source.headers,
      maxBytes: parts.media.settings.maxArtifactBytes,
      timeoutMs: COPY_TIMEOUT_MS,
      idleTimeoutMs: COPY_IDLE_TIMEOUT_MS,
      redirects: 5,
      signal,
    })
    .catch(cause => {
      throw new CopyFailed('a result could not be fetched', { cause })
    })
  if (answer.status === 200) return answer.body
  answer.body.destroy()
  throw new CopyFailed(`a result could not be fetched: status ${answer.status}`)
}

async function keep(
  parts: GatewayParts,
  key: string,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  signal: AbortSignal,
) {
  const { maxArtifactBytes: maxBytes } = parts.media.settings
  try {
    return await parts.media.objects.put(key, source, {
      contentType: 'application/octet-stream',
      maxBytes,
      signal,
    })
  } catch (cause) {
    throw new CopyFailed('a result could not be stored', { cause })
  }
}

/** The picture in the format that the client asked for, where the provider made another. */
async function pictureOf(
  parts: GatewayParts,
  task: StoredTask,
  output: ProviderOutput,
  key: string,
  sizeBytes: number,
  contentType: string,
  signal: AbortSignal,
) {
  if (task.request.operation !== 'image' || output.kind !== 'image' || output.role !== 'result')
    return undefined
  const format: PictureFormat | undefined = task.request.format
  if (format === undefined || contentType === `image/${format}` || sizeBytes > MAX_PICTURE_BYTES)
    return undefined
  try {
    return await parts.media.images.transcode(await wholeObject(parts, key, signal), format, signal)
  } catch (error) {
    // What cannot be decoded here (an SVG, an animation too large) is kept as it came.
    if (error instanceof ImageFailure && error.reason !== 'aborted' && error.reason !== 'busy')
      return undefined
    throw error
  }
}

async function replace(parts: GatewayParts, key: string, bytes: Uint8Array, signal: AbortSignal) {
  return keep(parts, key, bytes, signal)
}

/** A small picture. Never what a task fails for. */
export async function thumbnail(
  parts: GatewayParts,
  task: StoredTask,
  stem: string,
  key: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (sizeBytes > MAX_PICTURE_BYTES) return undefined
  try {
    const { bytes, contentType } = await parts.media.images.thumbnail(
      await wholeObject(parts, key, signal),
      signal,
    )
    const thumbnailKey = thumbnailKeyOf(task.account, stem)
    await parts.media.objects.put(thumbnailKey, bytes, { contentType, maxBytes: bytes.byteLength, signal })
    return thumbnailKey
  } catch (error) {
    if (error instanceof ImageFailure || error instanceof ObjectStoreFailure) return undefined
    throw error
  }
}

/** Throws CopyFailed where it is gone. */
export async function wholeObject(
  parts: GatewayParts,
  key: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const found = await parts.media.objects.get(key, { signal })
  if (!found) throw new CopyFailed('a stored result is gone')
  return buffer(found.stream)
}
