/** What a create call says to a provider, but for its files and where to call back. */
import { type Attempt, isLaterStep, type StoredTask } from '#modules/tasks/index.ts'
import type { Json, JsonObject } from '#spec/json.ts'
import type { MediaFacts } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'
import type { CreatedCall } from '#spec/task-provider.ts'
import type { GatewayParts } from './parts.ts'
import type { FrozenOffering } from './task-terms.ts'

export async function createdCallOf(
  parts: GatewayParts,
  task: StoredTask,
  offering: FrozenOffering,
  facts: MediaFacts,
  attempt: Attempt,
): Promise<CreatedCall> {
  return {
    request: requestFor(task.request, facts, offering.options),
    upstreamModel: offering.upstreamModel,
    path: offering.path,
    action: task.request.action ?? '',
    count: attempt.count,
    reference: attempt.reference,
    parentHandle: await parentHandleOf(parts, task, offering.provider),
    ...(isLaterStep(attempt) ? { previousStep: attempt.handle } : {}),
  }
}

/** With what the offering always sends; what is to be avoided is said in the prompt where the model has no field for it. */
function requestFor(request: MediaOperation, facts: MediaFacts, options: JsonObject): MediaOperation {
  const sent = { ...request, options: { ...request.options, ...options } }
  if (request.negativePrompt === undefined || request.negativePrompt === '' || facts.negativePrompt)
    return sent
  return {
    ...sent,
    prompt: `${request.prompt}\n\nAvoid: ${request.negativePrompt}`,
    negativePrompt: undefined,
  }
}

/** What the task that this one goes on from left at the same provider. */
async function parentHandleOf(
  parts: GatewayParts,
  task: StoredTask,
  provider: string,
): Promise<Json | undefined> {
  const parentTask = 'parentTask' in task.request ? task.request.parentTask : undefined
  if (parentTask === undefined) return undefined
  const parent = await parts.media.tasks.find(task.account, parentTask)
  if (parent?.provider !== provider) return undefined
  return parent.work.attempts.find(attempt => attempt.state === 'succeeded')?.handle
}
