/** What came out of a task, as the families ask for it. */
import { resultsOf } from '#dialect-kit/task-results.ts'
import type { Json, JsonObject } from '#spec/json.ts'
import type { ArtifactKind, TaskView } from '#spec/task.ts'

/** The addresses of every result, in order. */
export function resultUrls(task: TaskView, kind?: ArtifactKind): readonly string[] {
  return resultsOf(task, kind).map(({ url }) => url)
}

/** The picture of the result at an index: its cover, else its thumbnail, else empty text. */
export function pictureOf(task: TaskView, index: number): string {
  const cover = task.artifacts.find(artifact => artifact.role === 'cover' && artifact.index === index)
  const own = task.artifacts.find(artifact => artifact.role === 'result' && artifact.index === index)
  return cover?.url ?? own?.thumbnailUrl ?? ''
}

/** What is no file, as an object; empty where there is none. */
export function resultObject(task: TaskView): JsonObject {
  const { result } = task
  return isObject(result) ? result : {}
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The text under the first of the names that has one: providers keep their vendor's spelling. */
export function textIn(object: JsonObject, ...names: readonly string[]): string | undefined {
  const named = names.find(name => typeof object[name] === 'string')
  return named === undefined ? undefined : (object[named] as string)
}

/** The objects of a list, wherever it is: the result itself, or a field of it. */
export function recordsOf(list: Json | undefined): readonly JsonObject[] {
  return Array.isArray(list) ? (list as readonly Json[]).filter(isObject) : []
}
