/** A request as named facts: what the rules of a vendor can speak of. */
import type { Json } from '#spec/json.ts'
import type { MediaOperation } from '#spec/operation.ts'
import type { StartRequest } from '#spec/task-provider.ts'
import { isRecord } from '../classify.ts'

/** Facts that were not said are not there. */
export type Facts = ReadonlyMap<string, Json>

/**
 * Of every request: `model`, `action`, `prompt`, `count`, `reference`; where said: `negative_prompt`, `seed`,
 * `callback_url`, `aspect_ratio`, `resolution`, `size` ({width, height}), `format`, `duration` (seconds), `sound`, `title`,
 * `style`, `lyrics`, `instrumental`, `voice`, `dialogue`, `language`, `texture`, `textured`, `parent_track`, `option.<name>`, and
 * `parent.<name>` from what an earlier job left, `previous.<name>` from the step before. Files are apart: see `filesOf`.
 */
export function factsOf(start: StartRequest): Facts {
  const { request } = start
  const facts = new Map<string, Json>()
  const say = (name: string, value: Json | undefined): void => {
    if (value !== undefined) facts.set(name, value)
  }
  say('model', start.upstreamModel)
  say('action', start.action)
  say('prompt', request.prompt === '' ? undefined : request.prompt)
  say('count', start.count)
  say('reference', start.reference)
  say('negative_prompt', request.negativePrompt)
  say('seed', request.seed)
  say('callback_url', start.callbackUrl)
  for (const [name, value] of Object.entries(mediumFacts(request))) say(name, value)
  for (const [name, value] of Object.entries(request.options)) say(`option.${name}`, value)
  for (const [whose, handle] of [
    ['parent', start.parentHandle],
    ['previous', start.previousStep],
  ] as const) {
    if (!isRecord(handle)) continue
    for (const [name, value] of Object.entries(handle)) say(`${whose}.${name}`, value as Json)
  }
  return facts
}

function mediumFacts(request: MediaOperation): Readonly<Record<string, Json | undefined>> {
  switch (request.operation) {
    case 'image':
      return {
        aspect_ratio: request.aspectRatio,
        resolution: request.resolution,
        size:
          request.size === undefined
            ? undefined
            : { width: request.size.widthPx, height: request.size.heightPx },
        format: request.format,
      }
    case 'video':
      return {
        aspect_ratio: request.aspectRatio,
        resolution: request.resolution,
        duration: request.durationSeconds,
        sound: request.audio,
      }
    case 'music':
      return {
        title: request.title,
        style: request.style,
        lyrics: request.lyrics,
        instrumental: request.instrumental,
        duration: request.durationSeconds,
        parent_track: request.parentTrack,
      }
    case 'speech':
      return {
        voice: request.voice,
        language: request.languageCode,
        duration: request.durationSeconds,
        format: request.format,
        dialogue:
          request.dialogue.length === 0
            ? undefined
            : request.dialogue.map(({ text, voice }) => (voice === undefined ? { text } : { text, voice })),
      }
    case 'mesh':
      return {
        texture: request.textureQuality,
        textured: request.textureQuality === undefined ? undefined : request.textureQuality !== 'no',
      }
  }
}
