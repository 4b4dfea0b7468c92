/** What came out of a task, as every dialect asks for it. */
import type { Artifact, ArtifactKind, TaskView } from '#spec/task.ts'

/** The results of a kind, or of any, in their order; without the pictures that belong to them. */
export function resultsOf(task: TaskView, kind?: ArtifactKind): readonly Artifact[] {
  return task.artifacts
    .filter(artifact => artifact.role === 'result' && (kind === undefined || artifact.kind === kind))
    .toSorted((one, other) => one.index - other.index)
}

/** The address of a picture of the result: its cover, else its thumbnail; `undefined` where it has neither. */
export function pictureUrlOf(task: TaskView, result: Artifact): string | undefined {
  const cover = task.artifacts.find(({ role, index }) => role === 'cover' && index === result.index)
  return cover?.url ?? result.thumbnailUrl
}

const ENDED_WITHOUT_REASON: Readonly<Record<string, string>> = {
  cancelled: 'The task was cancelled.',
  expired: 'The task took too long and was ended.',
}

/** Why a task has no result, in a sentence; `undefined` where it succeeded or has not ended. */
export function failureSentence({ state, failure }: TaskView): string | undefined {
  if (state === 'queued' || state === 'running' || state === 'succeeded') return undefined
  return failure?.message ?? ENDED_WITHOUT_REASON[state] ?? 'The generation failed.'
}

/** What the client's credits have gone down by: what was taken, then what was charged; nothing once it was given back. */
export function takenNanoUsd({ state, heldNanoUsd, chargedNanoUsd }: TaskView): bigint {
  if (state === 'queued' || state === 'running') return heldNanoUsd
  return state === 'succeeded' ? chargedNanoUsd : 0n
}

/** From the create call to the end; `undefined` before it. */
export function msTaken({ createdAt, endedAt }: TaskView): number | undefined {
  return endedAt === undefined ? undefined : endedAt.getTime() - createdAt.getTime()
}
