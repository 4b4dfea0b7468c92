/** One video: a scene, or a given picture, in motion. */
import type { VideoFile, VideoOrder } from '../job.ts'
import { createCanvas, sizeWithin } from '../picture/canvas.ts'
import { pannedOver, readPhotograph } from '../picture/photograph.ts'
import type { Scene } from '../picture/scene.ts'
import { sceneOf } from '../picture/subject.ts'
import { type EncodedFilm, encodeFrames } from './h264.ts'
import { writeMp4 } from './mp4-file.ts'
import { createEnlarger, createPlanes, separate } from './planes.ts'

/** Frames are drawn at most this large and enlarged from there. */
const DRAWN_PX = 640
/** Of a given picture more can be seen. */
const PHOTOGRAPH_PX = 1_024
/** Pixels that are encoded for one film, about a second of work; the rest of a longer one repeats them. */
const ENCODED_PIXELS = 60_000_000
const FEWEST_ENCODED_FRAMES = 24
/** One turn of a scene's motion. */
const TURN_MS = 6_000

export async function filmVideo(order: VideoOrder): Promise<VideoFile> {
  const { widthPx, heightPx, durationMs } = order
  const plan = planFilm(order)
  const scene = await sceneOfFilm(order)
  const encoded = await encode(order, plan, scene)
  const frames = Array.from({ length: plan.frameCount }, (_, nth) => {
    const frame = encoded.frames[nth % plan.encodedCount]
    if (frame === undefined) throw new RangeError('the encoder swallowed a frame')
    return frame
  })
  const { framesPerSecond } = plan
  const bytes = writeMp4({
    widthPx,
    heightPx,
    framesPerSecond,
    durationMs,
    decoderConfig: encoded.decoderConfig,
    frames,
  })
  return { bytes, contentType: 'video/mp4', widthPx, heightPx, durationMs, framesPerSecond }
}

interface FilmPlan {
  readonly framesPerSecond: number
  readonly frameCount: number
  /** The first so many frames are encoded; the scene has then come back to where it began. */
  readonly encodedCount: number
  /** How often the scene turns in them. */
  readonly turns: number
}

function planFilm({ widthPx, heightPx, durationMs, framesPerSecond: asked }: VideoOrder): FilmPlan {
  const affordable = Math.max(FEWEST_ENCODED_FRAMES, Math.floor(ENCODED_PIXELS / (widthPx * heightPx)))
  const framesPerSecond = asked ?? ((24 * durationMs) / 1_000 <= affordable ? 24 : 12)
  const frameCount = Math.max(1, Math.round((durationMs * framesPerSecond) / 1_000))
  const encodedCount = Math.min(frameCount, affordable)
  const turns = Math.max(1, Math.round((encodedCount * 1_000) / framesPerSecond / TURN_MS))
  return { framesPerSecond, frameCount, encodedCount, turns }
}

async function sceneOfFilm(order: VideoOrder): Promise<Scene> {
  if (order.source === undefined) return sceneOf(order.prompt, order.seed)
  const size = sizeWithin(order.widthPx, order.heightPx, PHOTOGRAPH_PX)
  return pannedOver(await readPhotograph(order.source, size.widthPx, size.heightPx))
}

function encode(order: VideoOrder, plan: FilmPlan, scene: Scene): Promise<EncodedFilm> {
  const { widthPx, heightPx } = order
  const drawn = sizeWithin(widthPx, heightPx, DRAWN_PX)
  const canvas = createCanvas(drawn.widthPx, drawn.heightPx)
  const planes = createPlanes(drawn.widthPx, drawn.heightPx)
  const enlarge = createEnlarger(planes, widthPx, heightPx)
  return encodeFrames({
    widthPx,
    heightPx,
    framesPerSecond: plan.framesPerSecond,
    frameCount: plan.encodedCount,
    fill(frame, nth) {
      scene.paint(canvas, ((nth * plan.turns) / plan.encodedCount) % 1)
      separate(canvas, planes)
      enlarge(frame)
    },
  })
}
