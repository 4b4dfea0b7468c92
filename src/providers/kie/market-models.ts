/** What each market model takes under `input`: known ones from the table beside this file, others by what their names promise. */
import { readFileSync } from 'node:fs'
import {
  type InputSignature,
  matches,
  parseSignature,
  parseSignatures,
} from '#provider-kit/task-spec/index.ts'

const KNOWN = parseSignatures(readFileSync(new URL('./market-models.txt', import.meta.url), 'utf8'))

const IMAGE = 'prompt aspect_ratio resolution output_format seed:n negative_prompt'
const VIDEO = 'prompt aspect_ratio resolution duration seed:n negative_prompt'

/** For models that are newer than the table. The first pattern that fits. */
const BY_NAME: readonly (readonly [string, InputSignature])[] = (
  [
    ['*reference-to-video*', `${VIDEO} reference_image_urls:l reference_video_urls:l reference_audio_urls:l`],
    ['*image-to-video*', `${VIDEO} image_urls:l`],
    ['*video-to-video*', `${VIDEO} video_urls:l image_urls:l`],
    ['*text-to-video*', VIDEO],
    ['*text-to-speech*', 'text! voice language_code'],
    ['*tts*', 'text! voice language_code'],
    ['*upscale*', 'image_url video_url upscale_factor'],
    ['*edit*', `${IMAGE} image_urls:l`],
    ['*image-to-image*', `${IMAGE} input_urls:l`],
    ['*', `${IMAGE} duration image_urls:l video_url audio_url`],
  ] as const
).map(([pattern, fields]) => [pattern, parseSignature(fields)])

/** The fields of a market model. Never fails: the last pattern fits every name. */
export function marketInputOf(model: string): InputSignature {
  return KNOWN.get(model) ?? BY_NAME.find(([pattern]) => matches(pattern, model))?.[1] ?? new Map()
}

/** The models of the table. */
export const KNOWN_MARKET_MODELS: readonly string[] = [...KNOWN.keys()]
