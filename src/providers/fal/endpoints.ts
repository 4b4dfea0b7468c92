/** What each endpoint takes: known ones from the table beside this file, others by what their names promise. */
import { readFileSync } from 'node:fs'
import {
  type InputSignature,
  matches,
  parseSignature,
  parseSignatures,
} from '#provider-kit/task-spec/index.ts'

const KNOWN = parseSignatures(readFileSync(new URL('./endpoints.txt', import.meta.url), 'utf8'))

const COMMON = 'prompt negative_prompt seed:n aspect_ratio resolution duration'

/** For endpoints that are newer than the table. The first pattern that fits. */
const BY_NAME: readonly (readonly [string, InputSignature])[] = (
  [
    ['*first-last-frame*', `${COMMON} first_frame_url last_frame_url generate_audio:b`],
    ['*reference-to-video*', `${COMMON} image_urls:l generate_audio:b`],
    ['*image-to-video*', `${COMMON} image_url end_image_url generate_audio:b`],
    ['*video-to-video*', `${COMMON} video_url image_urls:l`],
    ['*extend-video*', `${COMMON} video_url`],
    ['*text-to-video*', `${COMMON} generate_audio:b`],
    ['*lipsync*', `${COMMON} video_url audio_url`],
    ['*inpaint*', `${COMMON} image_url mask_url num_images:n output_format`],
    ['*erase*', `${COMMON} image_url mask_url num_images:n output_format`],
    ['*multi*-to-3d*', 'prompt image_urls:l seed:n'],
    ['*image-to-3d*', 'prompt image_url seed:n'],
    ['*-3d*', 'prompt image_url seed:n'],
    ['*/edit*', `${COMMON} image_urls:l num_images:n output_format`],
    ['*remix*', `${COMMON} image_urls:l num_images:n output_format`],
    ['*tts*', 'text! voice seed:n'],
    ['*speech*', 'text! voice seed:n'],
    ['*music*', 'prompt! lyrics duration:n seed:n'],
    ['*audio*', 'prompt! audio_url duration:n seed:n'],
    ['*', `${COMMON} image_url mask_url num_images:n output_format image_size:z`],
  ] as const
).map(([pattern, fields]) => [pattern, parseSignature(fields)])

/** The fields of an endpoint. Never fails: the last pattern fits every name. */
export function inputOf(endpoint: string): InputSignature {
  return KNOWN.get(endpoint) ?? BY_NAME.find(([pattern]) => matches(pattern, endpoint))?.[1] ?? new Map()
}

/** The endpoints of the table. */
export const KNOWN_ENDPOINTS: readonly string[] = [...KNOWN.keys()]
