/**
 * Media at the sandbox. It keeps nothing: a handle holds the order and its time, and whoever looks works out how far it
 * has come. Files are made when they are read.
 */
import { MEDIA_OPERATIONS, type MediaOperationName } from '#spec/operation.ts'
import type { Clock } from '#spec/ports.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { Checked, ProviderOutput, StartRequest, TaskCapability } from '#spec/task-provider.ts'
import { createMediaStudio, type MediaStudio } from '../media/index.ts'
import { imageWork } from './image-works.ts'
import { meshWork } from './mesh-works.ts'
import { hasStages, musicWork, shareOfTime } from './music-works.ts'
import { handleOf, orderOf, readHandle, type TaskOrder } from './order.ts'
import { type Standing, standingAt } from './schedule.ts'
import { isSong } from './songs.ts'
import { speechWork } from './speech-works.ts'
import { type TaskFaultEffect, taskFaultNamed, taskFaultOf } from './task-faults.ts'
import { videoWork } from './video-works.ts'
import type { Work, Workshop } from './workshop.ts'

export { TASK_FAULTS, type TaskFault } from './task-faults.ts'
export { sandboxMediaEntries } from './task-models.ts'

/** From the create call to the end, by what is made; 0: at once. */
export type TaskTimes = Readonly<Record<MediaOperationName, number>>

export interface SandboxTasks {
  readonly tasks: TaskCapability
  /** Ends the studio's threads. */
  close(): Promise<void>
}

/** Pictures of one create call: what vendors make at once. Everything else is made in one. */
const MOST_IMAGES = 4
/** Orders that may wait for the studio: more than a node has tasks at once. */
const MAX_WAITING = 10_000

/** `workers`: files that are made at once, each on a core of its own. No thread is started before the first file. */
export function createTasks(settings: {
  readonly clock: Clock
  readonly taskMs: TaskTimes
  readonly workers: number
}): SandboxTasks {
  const { clock, taskMs, workers } = settings
  let studio: MediaStudio | undefined
  const openStudio = (): MediaStudio => {
    studio ??= createMediaStudio({ workers, maxWaiting: MAX_WAITING })
    return studio
  }
  return {
    tasks: {
      operations: MEDIA_OPERATIONS,
      inputForms: [],
      maxCount: ({ operation, count }) => (operation === 'image' ? MOST_IMAGES : Math.max(1, count)),
      async start(start, { signal }) {
        throwIfAborted(signal)
        const order = accept(start, clock.nowMs(), taskMs)
        return { kind: 'started', handle: handleOf(order), checkAfterMs: checkAfterMs(order, clock) }
      },
      async check(handle, context) {
        throwIfAborted(context.signal)
        return look(readHandle(handle), clock, { studio: openStudio(), context })
      },
      // A create call that never came back never ran: nothing of it is anywhere but in its answer.
      find: async () => 'none',
      cancel: async handle =>
        standing(readHandle(handle), clock).kind === 'ended' ? 'too-late' : 'cancelled',
    },
    close: async () => studio?.close(),
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ProviderFailure('aborted', 'The call was given up.')
}

/** Throws a ProviderFailure where it was asked to. */
function accept(start: StartRequest, startedAtMs: number, taskMs: TaskTimes): TaskOrder {
  const { request, upstreamModel, action } = start
  const fault = taskFaultOf(upstreamModel, request)
  if (fault?.effect.kind === 'refuse') throw fault.effect.failure()
  const share = request.operation === 'music' ? shareOfTime(action) : 1
  return orderOf(start, {
    startedAtMs,
    takesMs: timeWith(fault?.effect, taskMs[request.operation] * share),
    fault: fault?.name,
  })
}

/** What is to be slow is so even where everything else is done at once. */
const LEAST_SLOW_MS = 1_000

function timeWith(effect: TaskFaultEffect | undefined, takesMs: number): number | null {
  if (effect?.kind === 'stuck') return null
  return effect?.kind === 'slow' ? Math.max(LEAST_SLOW_MS, takesMs) * effect.times : takesMs
}

function standing(order: TaskOrder, clock: Clock): Standing {
  return standingAt(order, clock.nowMs(), isSong(order) && hasStages(order))
}

function checkAfterMs(order: TaskOrder, clock: Clock): number {
  const now = standing(order, clock)
  return now.kind === 'ended' ? 0 : now.checkAfterMs
}

async function look(order: TaskOrder, clock: Clock, shop: Workshop): Promise<Checked> {
  const now = standing(order, clock)
  const effect = taskFaultNamed(order.fault)?.effect
  if (now.kind === 'ended') return effect?.kind === 'fail' ? effect.end : deliver(order, effect, shop)
  const { stage, progress } = now
  if (effect?.kind === 'unseen' && progress >= effect.from && progress < effect.to) {
    throw new ProviderFailure('vendor', 'The sandbox was asked not to answer.', { status: 500 })
  }
  if (stage === undefined) return now
  const { stages } = await workOf(order, shop)
  const outputs = stage === 'first' ? (stages?.first ?? []) : []
  return {
    ...now,
    partial: { outputs: outputs.map(output => troubled(output, effect)), result: stages?.text },
  }
}

async function deliver(
  order: TaskOrder,
  effect: TaskFaultEffect | undefined,
  shop: Workshop,
): Promise<Checked> {
  const { outputs, result, billedUnits } = await workOf(order, shop)
  const most =
    effect?.kind === 'partial' ? Math.max(1, Math.floor(order.count / 2)) : Number.POSITIVE_INFINITY
  const delivered = outputs.filter(({ index }) => index < most).map(output => troubled(output, effect))
  return { kind: 'succeeded', outputs: delivered, result, billedUnits }
}

function troubled(output: ProviderOutput, effect: TaskFaultEffect | undefined): ProviderOutput {
  if (effect?.kind !== 'files') return output
  const read = async (): Promise<Uint8Array> => {
    if (effect.trouble === 'broken') return Buffer.from('The sandbox was asked to break this file.')
    throw new ProviderFailure('vendor', 'The sandbox was asked to lose this file.')
  }
  return { ...output, source: { read } }
}

async function workOf(order: TaskOrder, shop: Workshop): Promise<Work> {
  const { request } = order
  switch (request.operation) {
    case 'image':
      return imageWork({ ...order, request }, shop)
    case 'video':
      return videoWork({ ...order, request }, shop)
    case 'music':
      return musicWork({ ...order, request }, shop)
    case 'speech':
      return speechWork({ ...order, request }, shop)
    case 'mesh':
      return meshWork({ ...order, request }, shop)
  }
}
