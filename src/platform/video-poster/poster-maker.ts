/** Posters of films whose provider gave none: one still, by the machine's own ffmpeg, within bounds of its own (README). */
import sharp from 'sharp'
import { Slots } from '#lib/slots.ts'
import type { Picture } from '#spec/image-processing.ts'
import type { Film, PosterMaker } from '#spec/video-poster.ts'
import { runBounded } from './bounded-child.ts'
import { frameArguments, stillAt } from './frame-command.ts'
import { type NamelessFile, namelessFile } from './nameless-file.ts'

export interface PosterMakerOptions {
  /** The program's path; `undefined`: there is none, and no film has a poster. */
  readonly ffmpeg: string | undefined
  /** From the asking to the picture, waiting included; 10,000 where nothing is said. */
  readonly timeoutMs?: number | undefined
  /** Films at once; 2 where nothing is said. */
  readonly concurrency?: number | undefined
  /** Films that may wait for that; 16 where nothing is said. One more has no poster. */
  readonly mostWaiting?: number | undefined
  /** A larger film has no poster: it would be copied for it. 256 MiB where nothing is said. */
  readonly mostBytes?: number | undefined
}

/** 1,280 pixels a side, three bytes each, and what PNG adds where nothing can be compressed. */
const MOST_PNG_BYTES = 6 * 1024 ** 2
const MOST_PNG_PIXELS = 1_280 * 1_280
const QUALITY = 85
/** A film that is black where it is looked at, or ends before, shows its first frames as they are. */
const TRIES = 2

/** Makes the maker. It starts nothing before it is asked. */
export function createPosterMaker(options: PosterMakerOptions): PosterMaker {
  const { ffmpeg, timeoutMs = 10_000, concurrency = 2, mostWaiting = 16 } = options
  const mostBytes = options.mostBytes ?? 256 * 1024 ** 2
  const slots = new Slots(concurrency, mostWaiting)
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()

  async function make(program: string, film: Film, signal: AbortSignal): Promise<Picture | undefined> {
    const release = await slots.take(signal).catch(() => undefined)
    if (release === undefined) return undefined
    try {
      if (signal.aborted) return undefined
      const file = await namelessFile(() => film.open(), { readers: TRIES, mostBytes, signal })
      return file && (await pictureOf(program, film, file, signal).finally(() => file.close()))
    } catch {
      return undefined
    } finally {
      release()
    }
  }

  return {
    async make(film, signal) {
      const isRead = frameArguments(film.contentType, { atSeconds: 0, skipBlack: false }) !== undefined
      if (ffmpeg === undefined || !isRead || slots.isFull) return undefined
      const stops = [closing.signal, AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]
      const work = make(ffmpeg, film, AbortSignal.any(stops))
      running.add(work)
      return await work.finally(() => running.delete(work))
    },
    async close() {
      closing.abort()
      await Promise.all(running)
    },
  }
}

async function pictureOf(
  program: string,
  { contentType, durationMs }: Film,
  file: NamelessFile,
  signal: AbortSignal,
): Promise<Picture | undefined> {
  for (const [nth, descriptor] of file.readers.entries()) {
    const place =
      nth === 0 ? { atSeconds: stillAt(durationMs), skipBlack: true } : { atSeconds: 0, skipBlack: false }
    const words = frameArguments(contentType, place) ?? []
    const png = await runBounded({ program, words, descriptor, mostOutputBytes: MOST_PNG_BYTES }, signal)
    if (png === undefined) return undefined
    if (png.length > 0) return await encode(png)
  }
  return undefined
}

async function encode(png: Buffer): Promise<Picture> {
  const still = sharp(png, { limitInputPixels: MOST_PNG_PIXELS, failOn: 'error' }).jpeg({ quality: QUALITY })
  const { data, info } = await still.toBuffer({ resolveWithObject: true })
  return {
    bytes: data,
    contentType: 'image/jpeg',
    extension: 'jpg',
    width: info.width,
    height: info.height,
  }
}
