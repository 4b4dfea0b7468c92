/** What a page says is meant where a client left a field out. */
import type { Model } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'
import { ClientFields } from '../client-fields.ts'
import { imageRequest, videoRequest } from '../media-operation.ts'

type Defaults = Readonly<Record<string, unknown>>

/**
 * Fills what the client left out with the documented default, where the model of the catalogue knows the value: a
 * default is never a reason to refuse a call. Only fields that we have a word for are filled; the options stay as sent.
 */
export function withDefaults(request: MediaOperation, defaults: Defaults, model: Model): MediaOperation {
  const fields = new ClientFields(stated(defaults))
  const nobody = { model: request.model, action: undefined }
  const { media } = model
  if (request.operation === 'image') {
    const { aspectRatio, resolution, format } = imageRequest(fields, nobody)
    return {
      ...request,
      aspectRatio:
        request.size === undefined
          ? (request.aspectRatio ?? allowed(aspectRatio, media?.aspectRatios))
          : request.aspectRatio,
      resolution: request.resolution ?? allowed(resolution, media?.resolutions),
      format: request.format ?? format,
    }
  }
  if (request.operation !== 'video') return request
  const { aspectRatio, resolution, durationSeconds, audio } = videoRequest(fields, nobody)
  return {
    ...request,
    aspectRatio: request.aspectRatio ?? allowed(aspectRatio, media?.aspectRatios),
    resolution: request.resolution ?? allowed(resolution, media?.resolutions),
    durationSeconds: request.durationSeconds ?? knownDuration(durationSeconds, model),
    audio: request.audio ?? (media?.audio === 'optional' ? audio : undefined),
  }
}

/** "As the input is" needs no saying. */
function stated(defaults: Defaults): Defaults {
  return Object.fromEntries(
    Object.entries(defaults).filter(([, value]) => value !== 'auto' && value !== 'adaptive'),
  )
}

function allowed(value: string | undefined, list: readonly string[] | undefined): string | undefined {
  return list === undefined || (value !== undefined && list.includes(value)) ? value : undefined
}

function knownDuration(seconds: number | undefined, { media }: Model): number | undefined {
  if (seconds === undefined || media === undefined) return undefined
  const { durationsSeconds, durationRangeSeconds: range } = media
  if (durationsSeconds !== undefined) return durationsSeconds.includes(seconds) ? seconds : undefined
  return range === undefined || (seconds >= range.min && seconds <= range.max) ? seconds : undefined
}
