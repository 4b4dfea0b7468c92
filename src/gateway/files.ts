/** Files that clients send, and the way out of every file. */
import type { Readable } from 'node:stream'
import type { MediaFacts } from '#lib/media-facts.ts'
import {
  type FileRecord,
  fileUrl,
  newFileToken,
  objectKeyOf,
  parseFilePath,
  parseFileUrl,
  safeFileName,
} from '#modules/files/index.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, FileSource, OpenFile, StoredFile } from '#spec/gateway.ts'
import type { InputRole } from '#spec/media.ts'
import { ObjectStoreFailure } from '#spec/object-store.ts'
import { SafeFetchError } from '#spec/safe-fetch.ts'
import type { Artifact } from '#spec/task.ts'
import { accountOf, principalOf } from './admission.ts'
import { article, factsOfObject, kindOfRole, refusalOfSize } from './file-facts.ts'

import type { GatewayParts } from './parts.ts'
import { artifactOf } from './task-view.ts'

export interface KeepOptions {
  readonly fileName?: string | undefined
  readonly role?: InputRole | undefined
  readonly param: string
}

const UPLOAD_TIMEOUT_MS = 60_000
/** A link into a bucket lives as long as one download may take. */
const PRESIGNED_SECONDS = 3_600

export async function storeFile(
  parts: GatewayParts,
  call: Call,
  source: FileSource,
  options: KeepOptions,
): Promise<StoredFile> {
  if ('bytes' in source) return storeBytes(parts, call, source.bytes, options)
  const { param } = options
  try {
    const answer = await parts.media.safeFetch(source.url, {
      maxBytes: parts.media.settings.maxUploadBytes,
      timeoutMs: UPLOAD_TIMEOUT_MS,
      redirects: 5,
      signal: call.signal,
    })
    if (answer.status !== 200) {
      answer.body.destroy()
      throw new GatewayError(
        'input_rejected',
        `${param} could not be fetched: its server answered ${answer.status}.`,
        {
          param,
        },
      )
    }
    return await store(parts, call, answer.body, options)
  } catch (error) {
    if (!(error instanceof SafeFetchError)) throw error
    throw new GatewayError('input_rejected', `${param} could not be fetched: it ${error.complaint}.`, {
      param,
      cause: error,
    })
  }
}

export function storeBytes(
  parts: GatewayParts,
  call: Call,
  bytes: Uint8Array,
  options: KeepOptions,
): Promise<StoredFile> {
  return store(parts, call, bytes, options)
}

const KNOWN = 'PNG, JPEG, WebP, GIF, AVIF, MP4, MOV, WebM, MP3, WAV, OGG, FLAC, M4A or GLB'

function refusalOf(facts: MediaFacts, role: InputRole | undefined): string | undefined {
  const wanted = role && kindOfRole(role)
  if (wanted && facts.kind !== wanted) return `is not ${article(wanted)}`
  if (facts.kind === 'other') return `is not a file of a known type (${KNOWN})`
  if (facts.kind === 'image' && facts.width === undefined) return 'is a picture that is broken or cut off'
  return refusalOfSize(facts)
}

/** Keeps the bytes, reads from them what they are, and takes them away again where that is not what was wanted. */
async function store(
  parts: GatewayParts,
  call: Call,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  { fileName, role, param }: KeepOptions,
): Promise<StoredFile> {
  const account = accountOf(principalOf(call))
  const id = parts.media.ids.next()
  const objectKey = objectKeyOf(account, id)
  const { objects, settings } = parts.media
  const kept = await objects
    .put(objectKey, source, {
      contentType: 'application/octet-stream',
      maxBytes: settings.maxUploadBytes,
      signal: call.signal,
    })
    .catch(error => {
      if (!(error instanceof ObjectStoreFailure) || error.reason !== 'too-large') throw error
      throw new GatewayError(
        'payload_too_large',
        `${param} may have at most ${settings.maxUploadBytes} bytes.`,
        { param },
      )
    })
  const facts = await factsOfObject(parts, objectKey, kept.sizeBytes, call.signal)
  const wrong = refusalOf(facts, role)
  if (wrong !== undefined) {
    await objects.delete(objectKey)
    throw new GatewayError('input_rejected', `${param} ${wrong}.`, { param })
  }
  const file: FileRecord = {
    account,
    id,
    token: newFileToken(),
    taskId: undefined,
    kind: facts.kind,
    role: 'upload',
    index: 0,
    objectKey,
    thumbnailKey: undefined,
    contentType: facts.contentType,
    fileName: safeFileName(fileName, facts.extension, 'upload'),
    sizeBytes: kept.sizeBytes,
    sha256: kept.sha256,
    widthPx: facts.width,
    heightPx: facts.height,
    durationMs: facts.durationMs,
    metadata: {},
    createdAt: new Date(parts.clock.nowMs()),
  }
  await parts.media.files.insert(file)
  return {
    id,
    url: fileUrl(settings.filesUrl, file),
    fileName: file.fileName,
    contentType: file.contentType,
    sizeBytes: file.sizeBytes,
    createdAt: file.createdAt,
  }
}

export async function findArtifact(
  parts: GatewayParts,
  call: Call,
  url: string,
): Promise<Artifact | undefined> {
  const { filesUrl, publicUrl } = parts.media.settings
  const address = parseFileUrl(url, [filesUrl, publicUrl])
  if (!address) return undefined
  const file = await parts.media.files.findByToken(address.token)
  const account = accountOf(principalOf(call))
  if (!file || file.account.workspaceId !== account.workspaceId || file.account.mode !== account.mode)
    return undefined
  return artifactOf(file, filesUrl)
}

/** Whoever has the link may read the file: the token in it is the key. */
export async function openFile(parts: GatewayParts, path: string): Promise<OpenFile | undefined> {
  const address = parseFilePath(path)
  const file = address && (await parts.media.files.findByToken(address.token))
  if (!file) return undefined
  const { objects } = parts.media
  const objectKey = address.isThumbnail ? file.thumbnailKey : file.objectKey
  if (objectKey === undefined) return undefined
  const contentType = address.isThumbnail ? 'image/webp' : file.contentType
  const fileName = address.isThumbnail ? 'thumbnail.webp' : file.fileName
  const sizeBytes = address.isThumbnail ? (await objects.stat(objectKey))?.sizeBytes : file.sizeBytes
  if (sizeBytes === undefined) return undefined
  const redirectTo = await objects.presign(objectKey, {
    expiresInSeconds: PRESIGNED_SECONDS,
    responseContentType: contentType,
    responseContentDisposition: `inline; filename="${fileName}"`,
  })
  return {
    contentType,
    fileName,
    sizeBytes,
    etag: `"${file.sha256.slice(0, 32)}${address.isThumbnail ? '-t' : ''}"`,
    redirectTo: redirectTo ?? undefined,
    read: range => readObject(parts, objectKey, range),
  }
}

async function* readObject(
  parts: GatewayParts,
  objectKey: string,
  range: { readonly start: number; readonly end: number } | undefined,
): AsyncIterable<Uint8Array> {
  const found = await parts.media.objects.get(
    objectKey,
    range === undefined ? {} : { range: { first: range.start, last: range.end } },
  )
  if (!found) throw new GatewayError('file_not_found', 'This file has just been removed.')
  yield* found.stream as Readable
}
