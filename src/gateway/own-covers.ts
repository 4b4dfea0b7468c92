/** Covers that the provider did not give: drawn here from what it made. Never what a task fails for. */
import type { Readable } from 'node:stream'
import { type FileRecord, newFileToken, objectKeyOf, safeFileName } from '#modules/files/index.ts'
import type { Attempt, LeasedTask } from '#modules/tasks/index.ts'
import type { Picture } from '#spec/image-processing.ts'
import { CopyFailed, stemOf, thumbnail, wholeObject } from './collect.ts'
import type { GatewayParts } from './parts.ts'

const DRAWABLE_SHAPE = 'model/gltf-binary'
/** Larger shapes have no cover of ours; they are not even read. */
const MAX_SHAPE_BYTES = 64 * 1024 * 1024
/** No further cover is begun after this, so that a task of many results waits about as long as one of two. */
const PATIENCE_MS = 10_000

type Draw = (parts: GatewayParts, file: FileRecord, signal: AbortSignal) => Promise<Picture | undefined>

/**
 * A cover for each of the attempt's shapes and films that can be drawn and has none at its index. Called once the attempt
 * has all files it will have, so that a cover of the provider's that comes late is never doubled. Throws only where the
 * signal has aborted: then the whole step is taken again.
 */
export async function ownCoversOf(
  parts: GatewayParts,
  leased: LeasedTask,
  attempt: Attempt,
  files: readonly FileRecord[],
  signal: AbortSignal,
): Promise<readonly FileRecord[]> {
  const covers: FileRecord[] = []
  const startedMs = parts.clock.monotonicMs()
  for (const file of files.filter(({ role }) => role === 'result')) {
    if ([...files, ...covers].some(({ role, index }) => role === 'cover' && index === file.index)) continue
    if (parts.clock.monotonicMs() - startedMs > PATIENCE_MS) break
    const cover = await coverOf(parts, leased, attempt, file, signal).catch(error => {
      signal.throwIfAborted()
      parts.logger.warn({ taskId: leased.task.id, error }, 'a result stays without a cover')
      return undefined
    })
    if (cover !== undefined) covers.push(cover)
  }
  return covers
}

async function coverOf(
  parts: GatewayParts,
  leased: LeasedTask,
  attempt: Attempt,
  file: FileRecord,
  signal: AbortSignal,
): Promise<FileRecord | undefined> {
  const picture = await drawingOf(file)?.(parts, file, signal)
  // Nothing was drawn because the worker must go: that is no result without a cover.
  signal.throwIfAborted()
  return picture && (await store(parts, leased, attempt, file.index, picture, signal))
}

function drawingOf({ kind, contentType, sizeBytes }: FileRecord): Draw | undefined {
  if (kind === 'video') return drawFilm
  const isShape = kind === 'mesh' && contentType === DRAWABLE_SHAPE && sizeBytes <= MAX_SHAPE_BYTES
  return isShape ? drawShape : undefined
}

const drawShape: Draw = async (parts, { objectKey }, signal) =>
  await parts.media.meshPreviewer.render(await wholeObject(parts, objectKey, signal), signal)

const drawFilm: Draw = ({ media }, { objectKey, contentType, durationMs }, signal) => {
  const open = async (): Promise<Readable> => {
    const found = await media.objects.get(objectKey, { signal })
    if (!found) throw new CopyFailed('a stored result is gone')
    return found.stream
  }
  return media.posterMaker.make({ contentType, durationMs, open }, signal)
}

async function store(
  parts: GatewayParts,
  { task, lease }: LeasedTask,
  attempt: Attempt,
  index: number,
  { bytes, contentType, extension, width, height }: Picture,
  signal: AbortSignal,
): Promise<FileRecord> {
  const { account } = task
  const stem = stemOf(attempt, lease, `cover-${index}-drawn`)
  const objectKey = objectKeyOf(account, stem)
  const { objects, ids } = parts.media
  const stored = await objects.put(objectKey, bytes, { contentType, maxBytes: bytes.byteLength, signal })
  return {
    account,
    id: ids.next(),
    token: newFileToken(),
    taskId: task.id,
    kind: 'image',
    role: 'cover',
    index,
    objectKey,
    thumbnailKey: await thumbnail(parts, task, stem, objectKey, stored.sizeBytes, signal),
    contentType,
    fileName: safeFileName(undefined, extension, `cover-${index + 1}`),
    sizeBytes: stored.sizeBytes,
    sha256: stored.sha256,
    widthPx: width,
    heightPx: height,
    durationMs: undefined,
    metadata: {},
    createdAt: new Date(parts.clock.nowMs()),
  }
}
