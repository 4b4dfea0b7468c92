/** The callback of each family, and kie's signature of it. */
import { createHmac } from 'node:crypto'
import type { JsonObject } from '#spec/json.ts'
import type { TaskStage, TaskView } from '#spec/task.ts'
import { ALEPH_FAMILY, alephCallback } from './aleph.ts'
import { FLUX_FAMILY, fluxCallback } from './flux.ts'
import { GPT4O_FAMILY, gpt4oCallback } from './gpt4o.ts'
import { jobsCallback } from './jobs.ts'
import { LUMA_FAMILY, lumaCallback } from './luma.ts'
import { MIDJOURNEY_FAMILY } from './midjourney/generate.ts'
import {
  MIDJOURNEY_EXTEND_FAMILY,
  MIDJOURNEY_UPSCALE_FAMILY,
  MIDJOURNEY_VARY_FAMILY,
} from './midjourney/go-on.ts'
import { midjourneyCallback } from './midjourney/record.ts'
import { RUNWAY_EXTEND_FAMILY, RUNWAY_FAMILY, runwayCallback } from './runway.ts'
import { lyricsCallback } from './suno/lyrics.ts'
import { midiCallback } from './suno/midi.ts'
import { MUSIC_FAMILY } from './suno/music.ts'
import { musicCallback } from './suno/music-record.ts'
import { SERVICES } from './suno/services.ts'
import { coverCallback, mp4Callback, wavCallback } from './suno/track-files.ts'
import { vocalRemovalCallback } from './suno/vocal-removal.ts'
import { voiceCallback } from './suno/voice.ts'
import { VEO_EXTEND_FAMILY, VEO_FAMILY } from './veo/generate.ts'
import { veo4kCallback, veoCallback } from './veo/record.ts'
import { VEO_4K_FAMILY } from './veo/upscale.ts'

type Render = (task: TaskView, stage: TaskStage | undefined) => JsonObject | undefined

const MUSIC_FAMILIES = [
  MUSIC_FAMILY,
  SERVICES.extend.family,
  SERVICES.uploadCover.family,
  SERVICES.uploadExtend.family,
  SERVICES.addInstrumental.family,
  SERVICES.addVocals.family,
  SERVICES.mashup.family,
  SERVICES.sounds.family,
  SERVICES.replaceSection.family,
]

const CALLBACKS: ReadonlyMap<string, Render> = new Map<string, Render>([
  [FLUX_FAMILY, fluxCallback],
  [GPT4O_FAMILY, gpt4oCallback],
  [VEO_FAMILY, veoCallback],
  [VEO_EXTEND_FAMILY, veoCallback],
  [VEO_4K_FAMILY, veo4kCallback],
  [RUNWAY_FAMILY, runwayCallback],
  [RUNWAY_EXTEND_FAMILY, runwayCallback],
  [ALEPH_FAMILY, alephCallback],
  [LUMA_FAMILY, lumaCallback],
  ...[MIDJOURNEY_FAMILY, MIDJOURNEY_UPSCALE_FAMILY, MIDJOURNEY_VARY_FAMILY, MIDJOURNEY_EXTEND_FAMILY].map(
    (family): [string, Render] => [family, midjourneyCallback],
  ),
  ...MUSIC_FAMILIES.map((family): [string, Render] => [family, musicCallback]),
  [SERVICES.lyrics.family, lyricsCallback],
  [SERVICES.wav.family, wavCallback],
  [SERVICES.mp4.family, mp4Callback],
  [SERVICES.cover.family, coverCallback],
  [SERVICES.vocalRemoval.family, vocalRemovalCallback],
  [SERVICES.midi.family, midiCallback],
  [SERVICES.voiceValidate.family, voiceCallback],
  [SERVICES.voice.family, voiceCallback],
])

/**
 * The body of a callback at the end of a task or at a stage of a song; `undefined` where the family tells of no stages.
 * Families without a shape of their own are written as jobs.
 */
export function renderCallback(task: TaskView, stage: TaskStage | undefined): JsonObject | undefined {
  return (CALLBACKS.get(task.family) ?? jobsCallback)(task, stage)
}

/**
 * kie's recipe (docs.kie.ai/common-api/webhook-verification): HMAC-SHA256 over the task's id, a dot and the time, and
 * not over the body. `taskId` is as the body spells it.
 */
export function signCallback({
  taskId,
  timestampSeconds,
  secret,
}: {
  readonly taskId: string
  readonly timestampSeconds: number
  readonly secret: string
}): Readonly<Record<string, string>> {
  const timestamp = String(timestampSeconds)
  const signature = createHmac('sha256', secret).update(`${taskId}.${timestamp}`).digest('base64')
  return { 'X-Webhook-Timestamp': timestamp, 'X-Webhook-Signature': signature }
}
