/** What a file is, how large its picture and how long: from its own bytes, a bounded number of them, never decoding any. */
import { flacDurationMs, mp3DurationMs, oggDurationMs, wavDurationMs } from './audio-duration.ts'
import { type ByteReader, withMostReads } from './byte-reader.ts'
import { imageSizeOf } from './image-size.ts'
import {
  MEDIA_HEAD_BYTES,
  MEDIA_TYPES,
  type MediaType,
  type MediaTypeName,
  mediaTypeOf,
} from './media-type.ts'
import { isoMovieFacts, type MovieFacts, webmFacts } from './movie-facts.ts'

export interface MediaFacts extends MediaType {
  /** Pixels, as a viewer shows them. */
  readonly width: number | undefined
  readonly height: number | undefined
  /** Whole milliseconds. */
  readonly durationMs: number | undefined
}

const LONGEST_MS = 7 * 24 * 3_600_000
const LARGEST_SIDE = 1_000_000
/** A real file's headers take tens of them, a film in fragments some hundreds. */
const MOST_READS = 4_000

/**
 * The facts of a file. What it does not say is `undefined`; nothing a file holds makes this throw. A rejection of the
 * reader is let through.
 */
export async function mediaFactsOf(file: ByteReader): Promise<MediaFacts> {
  const reader = withMostReads(file, MOST_READS)
  const head = (await reader.read(0, MEDIA_HEAD_BYTES)) ?? new Uint8Array(0)
  const { name, ...type } = mediaTypeOf(head, reader.sizeBytes)
  if (type.kind === 'image') return { ...type, ...sensible(await imageSizeOf(reader), undefined) }
  if (name === 'mp4' || name === 'mov') return movie(type, await isoMovieFacts(reader), MEDIA_TYPES.m4a)
  if (name === 'm4a') return movie(type, await isoMovieFacts(reader), type)
  if (name === 'webm') return movie(type, await webmFacts(reader), MEDIA_TYPES.weba)
  return { ...type, ...sensible(undefined, await soundDurationMs(name, reader)) }
}

/** A film in which there is no track of pictures is a sound, whatever its brand says. */
function movie(type: MediaType, facts: MovieFacts | undefined, sound: MediaType): MediaFacts {
  const actual = facts?.hasVideo === false ? sound : type
  return { ...actual, ...sensible(facts?.size, facts?.durationMs) }
}

async function soundDurationMs(name: MediaTypeName, reader: ByteReader): Promise<number | undefined> {
  switch (name) {
    case 'wav':
      return await wavDurationMs(reader)
    case 'mp3':
      return await mp3DurationMs(reader)
    case 'ogg':
      return await oggDurationMs(reader)
    case 'flac':
      return await flacDurationMs(reader)
    default:
      return undefined
  }
}

/** Numbers that no real file has are what a broken one says. */
function sensible(size: { width: number; height: number } | undefined, durationMs = 0) {
  const isSize = size !== undefined && Math.max(size.width, size.height) <= LARGEST_SIDE
  const isDuration = durationMs > 0 && durationMs <= LONGEST_MS
  return {
    width: isSize ? size.width : undefined,
    height: isSize ? size.height : undefined,
    durationMs: isDuration ? Math.round(durationMs) : undefined,
  }
}
