/** Covers of shapes whose provider gave none: drawn here. Never what a task fails for. */
import { type FileRecord, newFileToken, objectKeyOf, safeFileName } from '#modules/files/index.ts'
import type { Attempt, StoredTask } from '#modules/tasks/index.ts'
import type { Picture } from '#spec/image-processing.ts'
import { thumbnail, wholeObject } from './collect.ts'
import type { GatewayParts } from './parts.ts'

const DRAWABLE = 'model/gltf-binary'
/** Larger shapes have no cover of ours; they are not even read. */
const MAX_SHAPE_BYTES = 64 * 1024 * 1024

/**
 * A cover for each drawable shape among the attempt's files that has none at its index. Called once the attempt has
 * all files it will have, so that a cover of the provider's that comes late is never doubled. Throws only where the
 * signal has aborted: then the whole step is taken again.
 */
export async function meshCoversOf(
  parts: GatewayParts,
  task: StoredTask,
  attempt: Attempt,
  files: readonly FileRecord[],
  signal: AbortSignal,
): Promise<readonly FileRecord[]> {
  const covers: FileRecord[] = []
  for (const shape of files.filter(isDrawable)) {
    if ([...files, ...covers].some(({ role, index }) => role === 'cover' && index === shape.index)) continue
    const cover = await coverOf(parts, task, attempt, shape, signal).catch(error => {
      signal.throwIfAborted()
      parts.logger.warn({ taskId: task.id, error }, 'a shape stays without a cover')
      return undefined
    })
    if (cover !== undefined) covers.push(cover)
  }
  return covers
}

function isDrawable({ role, kind, contentType, sizeBytes }: FileRecord): boolean {
  return role === 'result' && kind === 'mesh' && contentType === DRAWABLE && sizeBytes <= MAX_SHAPE_BYTES
}

async function coverOf(
  parts: GatewayParts,
  task: StoredTask,
  attempt: Attempt,
  shape: FileRecord,
  signal: AbortSignal,
): Promise<FileRecord | undefined> {
  const bytes = await wholeObject(parts, shape.objectKey)
  const picture = await parts.media.meshPreviewer.render(bytes, signal)
  // Nothing was drawn because the worker must go: that is no shape without a cover.
  signal.throwIfAborted()
  return picture && (await store(parts, task, attempt, shape.index, picture, signal))
}

/** Under a key of the attempt and the index: drawn again, it replaces the one before. */
async function store(
  parts: GatewayParts,
  task: StoredTask,
  attempt: Attempt,
  index: number,
  { bytes, contentType, extension, width, height }: Picture,
  signal: AbortSignal,
): Promise<FileRecord> {
  const { account } = task
  const stem = `${attempt.reference}-cover-${index}-drawn`
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
