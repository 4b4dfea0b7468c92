/** A track taken apart: voice and instruments, or every stem. */
import { z } from 'zod'
import { resultsOf } from '#dialect-kit/task-results.ts'
import type { JsonObject } from '#spec/json.ts'
import type { Artifact, TaskStage, TaskView } from '#spec/task.ts'
import { callBackUrl } from '../body.ts'
import { invalidField, webUrl } from '../client-fields.ts'
import { createEndpoint, EXAMPLE_TASK_ID, pollEndpoint } from '../endpoints.ts'
import { bothIds } from '../record.ts'
import { textIn } from '../results.ts'
import { failureOf } from '../task-status.ts'
import { millisTime } from '../wire-time.ts'
import { EXAMPLE_TRACK_ID } from './music.ts'
import { SERVICES, serviceRequest } from './services.ts'
import { STEM_NAMES } from './stem-names.ts'
import { trackRecord } from './track-files.ts'
import { goesOnFrom, namedTrack, TRACK_MESSAGES, trackId } from './tracks.ts'

const TAG = 'Suno stems'

const body = z.looseObject({
  taskId: z.string().nullish().describe('With audioId: a track'),
  audioId: z.string().nullish(),
  audioUrl: z.string().nullish().describe('A file, instead of a track'),
  type: z.enum(['separate_vocal', 'split_stem', 'split_stem_advanced']).nullish(),
  stemName: z.enum(STEM_NAMES).nullish().describe('For split_stem_advanced'),
  callBackUrl,
})

export const vocalRemovalGenerate = createEndpoint({
  path: '/vocal-removal/generate',
  tag: TAG,
  summary: 'Take a track apart',
  body,
  example: { taskId: EXAMPLE_TASK_ID, audioId: EXAMPLE_TRACK_ID, type: 'separate_vocal' },
  async create(given, exchange) {
    const { taskId, audioId, audioUrl, stemName } = given
    const type = given.type ?? 'separate_vocal'
    if (type === 'split_stem_advanced' && !stemName) {
      throw invalidField('stemName', 'the name of a stem, for split_stem_advanced')
    }
    const options: JsonObject = { type, ...(stemName && { stemName }) }
    const { family } = SERVICES.vocalRemoval
    if (audioUrl) {
      if (taskId || audioId) throw invalidField('audioUrl', 'no audioUrl beside taskId and audioId')
      const inputs = [{ role: 'audio' as const, url: webUrl(audioUrl, 'audioUrl'), param: 'audioUrl' }]
      return { family, request: serviceRequest(SERVICES.vocalRemoval, { inputs, options }) }
    }
    if (!taskId) throw invalidField('taskId', 'a task and its audioId, or an audioUrl')
    if (!audioId) throw invalidField('audioId', 'a track of the task')
    const track = await namedTrack(exchange, { taskId, audioId })
    const { index } = track.artifact
    const parts = { ...goesOnFrom(track), options: { ...options, index } }
    return { family, request: serviceRequest(SERVICES.vocalRemoval, parts) }
  },
})

/** `metadata.stem` of each file → its two spellings on the wire, in kie's order. */
const STEMS: readonly (readonly [stem: string, record: string, callback: string])[] = [
  ['instrumental', 'instrumentalUrl', 'instrumental_url'],
  ['vocal', 'vocalUrl', 'vocal_url'],
  ['backing_vocals', 'backingVocalsUrl', 'backing_vocals_url'],
  ['drums', 'drumsUrl', 'drums_url'],
  ['bass', 'bassUrl', 'bass_url'],
  ['guitar', 'guitarUrl', 'guitar_url'],
  ['piano', 'pianoUrl', 'piano_url'],
  ['keyboard', 'keyboardUrl', 'keyboard_url'],
  ['percussion', 'percussionUrl', 'percussion_url'],
  ['strings', 'stringsUrl', 'strings_url'],
  ['synth', 'synthUrl', 'synth_url'],
  ['fx', 'fxUrl', 'fx_url'],
  ['brass', 'brassUrl', 'brass_url'],
  ['woodwinds', 'woodwindsUrl', 'woodwinds_url'],
]

/** Other names of stems: what a vendor calls the groups. */
const STEM_ALIASES: Readonly<Record<string, string>> = { vocals: 'vocal', instruments: 'instrumental' }

/** `Backing Vocals`, `backingVocals` and `backing_vocals` are one stem. */
function stemOf({ metadata }: Artifact): string {
  const words = (textIn(metadata, 'stem') ?? '').replaceAll(/(?<=[a-z])(?=[A-Z])|[\s-]+/g, '_').toLowerCase()
  return STEM_ALIASES[words] ?? words
}

function urlOf(task: TaskView, stem: string): string | null {
  return resultsOf(task, 'audio').find(artifact => stemOf(artifact) === stem)?.url ?? null
}

export const vocalRemovalRecord = pollEndpoint({
  path: '/vocal-removal/record-info',
  tag: TAG,
  summary: 'Look at a track taken apart',
  unknown: TRACK_MESSAGES.unknown,
  data: z.looseObject({ taskId: z.string(), successFlag: z.string(), response: z.unknown() }),
  render(task) {
    const response = {
      id: null,
      originUrl: urlOf(task, 'origin'),
      originData: stemsOf(task).map(stem => stemData(task, stem)),
      ...Object.fromEntries(STEMS.map(([stem, name]) => [name, urlOf(task, stem)])),
    }
    return trackRecord(task, 'GENERATE_AUDIO_FAILED', response, millisTime)
  },
})

/** Each stem once: a vendor may name the same one by its place and in a list with ids, and then the ids count. */
function stemsOf(task: TaskView): readonly Artifact[] {
  const stems = resultsOf(task, 'audio').filter(artifact => stemOf(artifact) !== 'origin')
  const named = stems.filter(({ metadata }) => textIn(metadata, 'id') !== undefined)
  return named.length > 0 ? named : stems
}

/** The id is what `midi/generate` takes as `audioId`. */
function stemData(task: TaskView, stem: Artifact): JsonObject {
  return {
    duration: stem.durationMs === undefined ? null : stem.durationMs / 1000,
    audio_url: stem.url,
    stem_type_group_name: textIn(stem.metadata, 'name') ?? groupName(stemOf(stem)),
    id: trackId(task, stem),
  }
}

const GROUP_NAMES: Readonly<Record<string, string>> = { vocal: 'Vocals', fx: 'FX' }

/** `backing_vocals` → `Backing Vocals`. */
function groupName(stem: string): string {
  const words = stem.split('_').map(word => word.charAt(0).toUpperCase() + word.slice(1))
  return GROUP_NAMES[stem] ?? words.join(' ')
}

export function vocalRemovalCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  if (stage !== undefined) return undefined
  if (task.state !== 'succeeded') {
    const data = { ...bothIds(task), vocal_separation_info: null, vocal_removal_info: null }
    return { code: 500, msg: failureOf(task).message, data }
  }
  const made = STEMS.flatMap(([stem, , name]) => {
    const url = urlOf(task, stem)
    return url === null ? [] : [[name, url]]
  })
  const info = { origin_url: urlOf(task, 'origin'), ...Object.fromEntries(made) } as JsonObject
  const data = { ...bothIds(task), vocal_separation_info: info, vocal_removal_info: info }
  return { code: 200, msg: 'vocal separation generated successfully.', data }
}
