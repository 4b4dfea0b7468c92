/** A task's row and its files, as a client may see them. */
import { type FileRecord, fileUrl, thumbnailUrl } from '#modules/files/index.ts'
import type { StoredTask } from '#modules/tasks/index.ts'
import type { Artifact, TaskView } from '#spec/task.ts'

export function taskViewOf(task: StoredTask, files: readonly FileRecord[], filesUrl: string): TaskView {
  const { id, state, stage, progress, dialect, family, requestedModel, model, request, wire } = task
  return {
    id,
    mode: task.account.mode,
    state,
    stage,
    progress,
    dialect,
    family,
    requestedModel,
    model,
    request,
    wire,
    artifacts: files.map(file => artifactOf(file, filesUrl)),
    result: task.result,
    failure: task.failure,
    heldNanoUsd: task.heldNanoUsd,
    chargedNanoUsd: task.chargedNanoUsd,
    createdAt: task.createdAt,
    startedAt: task.startedAt,
    endedAt: task.endedAt,
    provider: task.provider,
  }
}

export function artifactOf(file: FileRecord, filesUrl: string): Artifact {
  return {
    id: file.id,
    kind: file.kind === 'other' ? 'text' : file.kind,
    role: file.role === 'cover' ? 'cover' : 'result',
    index: file.index,
    url: fileUrl(filesUrl, file),
    thumbnailUrl: file.thumbnailKey === undefined ? undefined : thumbnailUrl(filesUrl, file),
    contentType: file.contentType,
    fileName: file.fileName,
    sizeBytes: file.sizeBytes,
    widthPx: file.widthPx,
    heightPx: file.heightPx,
    durationMs: file.durationMs,
    metadata: file.metadata,
  }
}
