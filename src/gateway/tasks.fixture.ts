/** A house whose models are made by scripted providers of media, and what a client does there. */
import type { GatewayError } from '#spec/errors.ts'
import type { Submission, WireAnswer } from '#spec/gateway.ts'
import type { ImageRequest } from '#spec/image.ts'
import type { TaskView } from '#spec/task.ts'
import { imageModel, imageOffering } from '#testing/catalog-source.ts'
import type { Payer } from '#testing/payer.ts'
import { ScriptedTasks } from '#testing/scripted-tasks.ts'
import type { House, HouseOptions, World } from '#testing/world.ts'

/** $0.01 with the 40 % of the first tier. */
export const PICTURE_NANO_USD = 14_000_000n

export interface Studio {
  readonly house: House
  readonly alpha: ScriptedTasks
  readonly beta: ScriptedTasks
}

/** Two providers: `alpha` at $0.01 a picture, and for the model `both` also `beta` at $0.02. */
export function openStudio(world: World, options: HouseOptions = {}): Studio {
  const [alpha, beta] = [new ScriptedTasks('alpha'), new ScriptedTasks('beta')]
  const house = world.open({
    models: [
      imageModel('one'),
      imageModel('both', { offerings: [imageOffering('alpha', '0.01'), imageOffering('beta', '0.02')] }),
    ],
    ...options,
    replace: parts => ({
      providers: new Map([alpha, beta].map(one => [one.id, one.registered])),
      ...options.replace?.(parts),
    }),
  })
  return { house, alpha, beta }
}

export function imageRequest(fields: Partial<ImageRequest> = {}): ImageRequest {
  return {
    operation: 'image',
    model: 'one',
    action: undefined,
    prompt: 'a fox',
    negativePrompt: undefined,
    inputs: [],
    count: 1,
    seed: undefined,
    options: {},
    aspectRatio: undefined,
    resolution: undefined,
    size: undefined,
    format: undefined,
    ...fields,
  }
}

export function submissionOf(fields: Partial<ImageRequest> = {}, rest: Partial<Submission> = {}): Submission {
  return {
    request: imageRequest(fields),
    family: 'test',
    wire: { prompt: 'a fox' },
    callbackUrl: undefined,
    ...rest,
  }
}

export function answerOf(task: TaskView): WireAnswer {
  const { id, state, artifacts, chargedNanoUsd, heldNanoUsd } = task
  const body = {
    id,
    state,
    files: artifacts.length,
    charged: String(chargedNanoUsd),
    held: String(heldNanoUsd),
  }
  return { status: 200, contentType: 'application/json', body: JSON.stringify(body) }
}

/** Submits, and gives the task as its owner finds it now. */
export async function submitted(
  { house }: Studio,
  payer: Payer,
  fields: Partial<ImageRequest> = {},
  rest: Partial<Submission> = {},
) {
  const call = await payer.call('/task')
  await house.gateway.submit(call, submissionOf(fields, rest), answerOf)
  const look = async (): Promise<TaskView> => {
    const found = await house.gateway.findTask(await payer.call('/look'), call.requestId)
    if (!found) throw new Error('a task that was submitted is not found')
    return found
  }
  return { call, look }
}

export async function errorOf(work: Promise<unknown>): Promise<GatewayError> {
  try {
    await work
  } catch (error) {
    return error as GatewayError
  }
  throw new Error('nothing was thrown')
}
