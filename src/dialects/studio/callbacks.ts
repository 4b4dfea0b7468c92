/** What a workspace's own endpoint is told of a generation that was made here. */
import { failureSentence, msTaken } from '#dialect-kit/task-results.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { MediaOperationName } from '#spec/operation.ts'
import type { TaskView } from '#spec/task.ts'
import { imagesData } from './images.ts'
import { projectOf } from './projects.ts'
import { shapeData } from './shapes.ts'
import { videoData } from './videos.ts'

const DATA: Record<MediaOperationName, (task: TaskView) => JsonObject> = {
  image: imagesData,
  video: videoData,
  mesh: shapeData,
  music: projectOf,
  speech: projectOf,
}

/** The answer of the call without what is the moment's (points left, the request's id); of a failure, why. */
export function renderCallback(task: TaskView): JsonObject {
  const generation = { generation_id: renderTaskId(task.id), generation_time: msTaken(task) ?? 0 }
  const error = failureSentence(task)
  if (error !== undefined) return { success: false, error, data: generation }
  return { success: true, data: { ...DATA[task.request.operation](task), ...generation } }
}
