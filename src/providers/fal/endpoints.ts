/** What each endpoint takes: known ones from the table beside this file, others by what their names promise. */
import { readFileSync } from 'node:fs'
import {
  type InputSignature,
  matches,
  parseSignature,
  parseSignatures,
} from '#provider-kit/task-spec/index.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { StartRequest } from '#spec/task-provider.ts'

const KNOWN = parseSignatures(readFileSync(new URL('./endpoints.txt', import.meta.url), 'utf8'))

/** What costs the same however it is set. Lengths, sizes, numbers of files and sound are not among it. */
const FREE = 'prompt negative_prompt seed:n aspect_ratio'

/**
 * For endpoints that are newer than the table. The first pattern that fits. No field here can change what fal bills: one that
 * is not known could mean something else there.
 */
const BY_NAME: readonly (readonly [string, InputSignature])[] = (
  [
    ['*first-last-frame*', `${FREE} first_frame_url last_frame_url`],
    ['*reference-to-video*', `${FREE} image_urls:l`],
    ['*image-to-video*', `${FREE} image_url end_image_url`],
    ['*video-to-video*', `${FREE} video_url image_urls:l`],
    ['*extend-video*', `${FREE} video_url`],
    ['*text-to-video*', FREE],
    ['*audio-to-video*', `${FREE} audio_url image_url`],
    ['*lipsync*', `${FREE} video_url audio_url`],
    ['*inpaint*', `${FREE} image_url mask_url output_format`],
    ['*erase*', `${FREE} image_url mask_url output_format`],
    ['*multi*-to-3d*', 'prompt image_urls:l seed:n'],
    ['*image-to-3d*', 'prompt image_url seed:n'],
    ['*-3d*', 'prompt image_url seed:n'],
    ['*/edit*', `${FREE} image_urls:l output_format`],
    ['*remix*', `${FREE} image_urls:l output_format`],
    ['*tts*', 'text! voice seed:n'],
    ['*speech*', 'text! voice seed:n'],
    ['*music*', 'prompt! lyrics seed:n'],
    ['*audio*', 'prompt! audio_url seed:n'],
    ['*', `${FREE} image_url mask_url output_format`],
  ] as const
).map(([pattern, fields]) => [pattern, parseSignature(fields)])

/** The fields of an endpoint. Never fails: the last pattern fits every name. */
export function inputOf(endpoint: string): InputSignature {
  return KNOWN.get(endpoint) ?? BY_NAME.find(([pattern]) => matches(pattern, endpoint))?.[1] ?? new Map()
}

/**
 * Throws where a guessed endpoint is asked for a length or a size: said in a field that is not known it could be taken for
 * something else, and unsaid fal would make, and bill, its own. Another provider may be asked. GUESSED.md lists them.
 */
export function admitFal({ upstreamModel, request }: Pick<StartRequest, 'upstreamModel' | 'request'>): void {
  if (KNOWN.has(upstreamModel)) return
  const wishes = [
    'resolution' in request && request.resolution !== undefined && 'resolution',
    'durationSeconds' in request && request.durationSeconds !== undefined && 'duration',
    'size' in request && request.size !== undefined && 'size',
  ].filter(wish => wish !== false)
  if (wishes.length === 0) return
  // With a status, it is about this endpoint and not about fal.
  throw new ProviderFailure('unavailable', `fal cannot be asked for a ${wishes.join(' or a ')} here`, {
    status: 501,
  })
}

/** The endpoints of the table. */
export const KNOWN_ENDPOINTS: readonly string[] = [...KNOWN.keys()]
