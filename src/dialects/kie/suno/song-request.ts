/** Requests to the services that work on songs. */
import type { JsonObject } from '#spec/json.ts'
import type { MusicRequest } from '#spec/music.ts'
import type { Fields } from '../body.ts'
import { musicRequest } from '../media-operation.ts'
import type { Service } from './services.ts'
import { songFields } from './song.ts'
import { goesOnFrom, type Track } from './tracks.ts'

/** A request to a service; which of Suno's models works on it stays among the options. */
export function songService(given: Fields, service: Service, track?: Track): MusicRequest {
  const fields = songFields(given)
  fields.drop('taskId', 'audioId')
  const request = musicRequest(fields, { model: service.model, action: service.action })
  const options: JsonObject =
    typeof given.model === 'string' ? { ...request.options, model: given.model } : request.options
  return { ...request, options, ...(track && goesOnFrom(track)) }
}
