/** Calls that answer their result: a style written out, a persona, the time of every word. */
import { z } from 'zod'
import { balanceNumber, chargedNumber } from '#dialect-kit/credit-number.ts'
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { TaskView } from '#spec/task.ts'
import { createEndpoint, EXAMPLE_TASK_ID } from '../endpoints.ts'
import { envelope, success } from '../envelope.ts'
import { madeOnce } from '../parent-task.ts'
import { paramJson } from '../record.ts'
import { resultObject, textIn } from '../results.ts'
import { EXAMPLE_TRACK_ID } from './music.ts'
import { SERVICES, serviceRequest } from './services.ts'
import { goesOnFrom, namedTrack } from './tracks.ts'

export const styleGenerate = createEndpoint({
  path: '/style/generate',
  tag: 'Suno',
  summary: 'Write a style out',
  body: z.looseObject({ content: z.string().min(1).max(1_000) }),
  data: z.looseObject({
    taskId: z.string(),
    result: z.string(),
    creditsConsumed: z.number(),
    creditsRemaining: z.number(),
    successFlag: z.string(),
  }),
  example: { content: 'Pop, Mysterious' },
  create: ({ content }, exchange) => ({
    family: SERVICES.style.family,
    request: serviceRequest(SERVICES.style, { prompt: content }),
    waits: true,
    answer: async task => success(await styleData(task, exchange)),
  }),
})

/** As recorded answers have it: `errorMsg`, and a flag that is the Chinese word for success. */
async function styleData(task: TaskView, { call, gateway }: EndpointExchange): Promise<object> {
  const left = (await gateway.balance(call)) ?? 0n
  return {
    taskId: renderTaskId(task.id),
    param: paramJson(task),
    result: textIn(resultObject(task), 'style', 'result') ?? '',
    creditsConsumed: chargedNumber(task.chargedNanoUsd, gateway.credits),
    creditsRemaining: balanceNumber(left, gateway.credits),
    successFlag: '成功',
    errorCode: null,
    errorMsg: '',
    errorMessage: '',
    createTime: task.createdAt.getTime(),
  }
}

const MIN_VOICE_SECONDS = 10
const MAX_VOICE_SECONDS = 30

export const personaGenerate = createEndpoint({
  path: '/generate/generate-persona',
  tag: 'Suno',
  summary: 'Keep the voice and manner of a track',
  body: z
    .looseObject({
      taskId: z.string().min(1),
      audioId: z.string().min(1),
      name: z.string().min(1).max(200),
      description: z.string().min(1).max(5_000),
      vocalStart: z.number().min(0).nullish(),
      vocalEnd: z.number().min(0).nullish(),
      style: z.string().max(1_000).nullish(),
    })
    .refine(
      ({ vocalStart, vocalEnd }) => {
        const seconds = (vocalEnd ?? MAX_VOICE_SECONDS) - (vocalStart ?? 0)
        return seconds >= MIN_VOICE_SECONDS && seconds <= MAX_VOICE_SECONDS
      },
      { path: ['vocalEnd'], error: `${MIN_VOICE_SECONDS} to ${MAX_VOICE_SECONDS} seconds after vocalStart` },
    ),
  data: z.object({ personaId: z.string(), name: z.string(), description: z.string() }),
  example: {
    taskId: EXAMPLE_TASK_ID,
    audioId: EXAMPLE_TRACK_ID,
    name: 'Electronic Pop Singer',
    description: 'A modern electronic pop voice',
  },
  async create(given, exchange) {
    const { name, description, style, vocalStart, vocalEnd } = given
    const track = await namedTrack(exchange, given)
    const { family } = SERVICES.persona
    const { index } = track.artifact
    const { answered, once } = await madeOnce(exchange, {
      parent: track.parent,
      family,
      index,
      answer: () => envelope(409, 'Persona already exists for this audio', null),
    })
    if (answered !== undefined) return answered
    const options = {
      name,
      description,
      vocalStart: vocalStart ?? 0,
      vocalEnd: vocalEnd ?? MAX_VOICE_SECONDS,
      index,
    }
    return {
      family,
      request: serviceRequest(SERVICES.persona, {
        ...goesOnFrom(track),
        style: style ?? undefined,
        options,
      }),
      waits: true,
      once,
      answer: task => success({ personaId: personaIdOf(task), name, description }),
    }
  },
})

function personaIdOf(task: TaskView): string {
  const id = textIn(resultObject(task), 'personaId')
  if (id !== undefined) return id
  throw new GatewayError('generation_failed', 'No persona was made.')
}

const alignedWord = z.looseObject({ word: z.string(), startS: z.number(), endS: z.number() })

export const timestampedLyrics = createEndpoint({
  path: '/generate/get-timestamped-lyrics',
  tag: 'Suno',
  summary: 'When each word of a track is sung',
  body: z.looseObject({ taskId: z.string().min(1), audioId: z.string().min(1) }),
  data: z.looseObject({ alignedWords: z.array(alignedWord), waveformData: z.array(z.number()) }),
  example: { taskId: EXAMPLE_TASK_ID, audioId: EXAMPLE_TRACK_ID },
  async create(given, exchange) {
    const track = await namedTrack(exchange, given)
    const options = { index: track.artifact.index }
    return {
      family: SERVICES.timestampedLyrics.family,
      request: serviceRequest(SERVICES.timestampedLyrics, { ...goesOnFrom(track), options }),
      waits: true,
      answer: task => success(wordsData(task)),
    }
  },
})

function wordsData(task: TaskView): object {
  const { alignedWords = [], waveformData = [], hootCer = 0, isStreamed = false } = resultObject(task)
  return { alignedWords, waveformData, hootCer, isStreamed }
}
