/** Films, each with a picture of its beginning. */
import type { JsonObject } from '#spec/json.ts'
import type { PixelSize } from '#spec/media.ts'
import type { ProviderOutput } from '#spec/task-provider.ts'
import type { VideoRequest } from '#spec/video.ts'
import type { ImageFile, VideoFile } from '../media/index.ts'
import { randomOf } from '../random.ts'
import { enlargementOf, type TaskOrder } from './order.ts'
import { imageSize, isLarger, scaled, videoSize } from './sizes.ts'
import {
  FILM_ROLES,
  factsOf,
  madeFile,
  PICTURE_ROLES,
  readInput,
  SOUND_ROLES,
  seedOf,
  sizeOf,
  subjectOf,
  type Work,
  type Workshop,
  withSource,
} from './workshop.ts'

const DEFAULT_MS = 5_000
/** What an extension adds where the request does not say. */
const EXTENSION_MS = 7_000
const SHORTEST_MS = 1_000
const LONGEST_MS = 600_000
const POSTER_PX = 960

/** What a film shows; an extension or an upscale of it shows the same. */
interface Footage {
  readonly prompt: string
  readonly seed: string
  readonly source: Uint8Array | undefined
  readonly size: PixelSize
  readonly durationMs: number
}

export function videoWork(order: TaskOrder<VideoRequest>, shop: Workshop): Work {
  if (order.action === 'create_character') {
    return { outputs: [], result: { character_id: characterOf(order) } }
  }
  const outputs = Array.from({ length: order.count }, (_, index) => filmAndPoster(order, index, shop))
  return { outputs: outputs.flat(), result: DETECTIONS[order.action] }
}

/** What the actions that look at a picture say of it. */
const DETECTIONS: Readonly<Record<string, JsonObject>> = {
  human_identification: { is_human: true },
  subject_detection: { subjects: 1 },
}

function characterOf({ reference, request }: TaskOrder): string {
  const random = randomOf('character', reference, request.prompt)
  return `char_${Array.from({ length: 16 }, () => random.below(16).toString(16)).join('')}`
}

function filmAndPoster(order: TaskOrder<VideoRequest>, index: number, shop: Workshop): ProviderOutput[] {
  let footage: Promise<Footage> | undefined
  const found = () => (footage ??= footageOf(order, index, shop))
  const film = madeFile(async () => shoot(await found(), shop))
  const poster = madeFile(async () => drawPoster(await found(), shop))
  const covers: JsonObject[] = wantsLastFrame(order) ? [{}, { frame: 'last' }] : [{}]
  return [
    { kind: 'video', role: 'result', index, source: film, metadata: {} },
    ...covers.map(
      (metadata): ProviderOutput => ({ kind: 'image', role: 'cover', index, source: poster, metadata }),
    ),
  ]
}

/** Its motion comes back to where it began, so that the last frame is the first. */
function wantsLastFrame({ request: { options } }: TaskOrder): boolean {
  return options.return_last_frame === true || options.returnLastFrame === true
}

export function shoot(
  { prompt, seed, source, size, durationMs }: Footage,
  shop: Workshop,
): Promise<VideoFile> {
  const { studio, context } = shop
  return withSource(source, picture =>
    studio.filmVideo({ prompt, seed, ...size, durationMs, source: picture }, context.signal),
  )
}

/** Drawn, not filmed: it costs a tenth. */
export function drawPoster({ prompt, seed, source, size }: Footage, shop: Workshop): Promise<ImageFile> {
  const { studio, context } = shop
  const smaller = scaled(size, Math.min(1, POSTER_PX / Math.max(size.widthPx, size.heightPx)))
  const drawn = { ...imageSize({ size: smaller }, undefined, false), format: 'jpeg' as const }
  return withSource(source, picture =>
    studio.drawImage({ prompt, seed, ...drawn, source: picture, treatment: 'keep' }, context.signal),
  )
}

async function footageOf(order: TaskOrder<VideoRequest>, index: number, shop: Workshop): Promise<Footage> {
  const parent = await parentFootage(order, shop)
  const film = await readInput(order, shop, FILM_ROLES)
  const filmFacts = film && (await factsOf(film))
  const picture = await readInput(order, shop, PICTURE_ROLES)
  const pictureSize = picture && sizeOf(await factsOf(picture))
  const before = parent?.size ?? (filmFacts && sizeOf(filmFacts))
  const beforeMs = parent?.durationMs ?? filmFacts?.durationMs
  const isSame = order.action === 'upscale' && parent !== undefined
  return {
    prompt: isSame ? parent.prompt : subjectOf(order),
    seed: isSame ? parent.seed : seedOf(order, index),
    source: (pictureSize && picture) ?? parent?.source,
    size: sizeFor(order, before, pictureSize),
    durationMs: durationFor(order, beforeMs, await soundMs(order, shop)),
  }
}

function parentFootage({ parent, request }: TaskOrder, shop: Workshop): Promise<Footage> | undefined {
  if (parent === undefined || !isVideo(parent)) return undefined
  const { index } = request.options
  return footageOf(parent, typeof index === 'number' ? index : 0, shop)
}

function isVideo(order: TaskOrder): order is TaskOrder<VideoRequest> {
  return order.request.operation === 'video'
}

function sizeFor(
  order: TaskOrder<VideoRequest>,
  before: PixelSize | undefined,
  picture: PixelSize | undefined,
): PixelSize {
  const { request, action } = order
  const named = videoSize(request, before ?? picture, before !== undefined)
  if (action !== 'upscale' || before === undefined || isLarger(named, before)) return named
  return videoSize({}, scaled(before, enlargementOf(order)), true)
}

/** As asked; else as long as what goes in; an extension is added to what it extends. */
function durationFor(
  { request, action }: TaskOrder<VideoRequest>,
  beforeMs: number | undefined,
  soundMs: number | undefined,
): number {
  const askedMs = request.durationSeconds === undefined ? undefined : request.durationSeconds * 1_000
  const ownMs = askedMs ?? (action === 'extend_video' ? EXTENSION_MS : (beforeMs ?? soundMs ?? DEFAULT_MS))
  const wholeMs = action === 'extend_video' ? (beforeMs ?? 0) + ownMs : ownMs
  return Math.round(Math.min(LONGEST_MS, Math.max(SHORTEST_MS, wholeMs)))
}

async function soundMs(order: TaskOrder, shop: Workshop): Promise<number | undefined> {
  const sound = await readInput(order, shop, SOUND_ROLES)
  return sound && (await factsOf(sound)).durationMs
}
