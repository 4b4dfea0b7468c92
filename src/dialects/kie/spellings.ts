/** How clients of kie spell what our requests have a word for. The first spelling that is there counts. */
import type { InputRole, PixelSize } from '#spec/media.ts'

export const SPELLINGS = {
  prompt: ['prompt', 'text'],
  negativePrompt: ['negative_prompt', 'negativePrompt'],
  aspectRatio: ['aspect_ratio', 'aspectRatio', 'ratio', 'image_size', 'size'],
  resolution: ['resolution', 'image_resolution', 'output_resolution', 'quality', 'mode'],
  /** `n_frames` of Sora counts seconds, whatever its name says. */
  duration: ['duration', 'duration_seconds', 'n_frames'],
  count: ['num_images', 'max_images', 'nVariants', 'count', 'n'],
  seed: ['seed', 'seeds'],
  format: ['output_format', 'outputFormat'],
  audio: ['generate_audio', 'generate_audio_switch', 'sound', 'audio'],
  voice: ['voice', 'voice_id'],
  language: ['language_code', 'language'],
  style: ['style', 'tags'],
  instrumental: ['instrumental', 'make_instrumental'],
  parentTask: ['task_id', 'taskId', 'origin_task_id'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export const INPUT_SPELLINGS: Readonly<Record<InputRole, readonly string[]>> = {
  image: [
    'image_urls',
    'image_url',
    'input_urls',
    'image_input',
    'image',
    'imageUrls',
    'imageUrl',
    'inputImage',
    'filesUrl',
    'fileUrl',
  ],
  mask: ['mask_url', 'maskUrl', 'reference_mask_urls'],
  first_frame: ['first_frame_url', 'first_frame_image_url', 'first_frame'],
  last_frame: ['last_frame_url', 'last_frame_image_url', 'end_image_url', 'tail_image_url'],
  reference_image: ['reference_image_urls', 'reference_image', 'referenceImage'],
  reference_video: ['reference_video_urls', 'reference_video'],
  reference_audio: ['reference_audio_urls', 'reference_voice'],
  video: ['video_url', 'video_urls', 'videoUrl', 'first_clip_url', 'character_file_url'],
  audio: ['audio_url', 'driving_audio_url', 'audioUrl', 'uploadUrl', 'uploadUrlList'],
}

/** What the names of shapes stand for. They stay among the options: `square` and `square_hd` differ in size. */
const NAMED_SHAPES: Readonly<Record<string, string>> = {
  square: '1:1',
  square_hd: '1:1',
  portrait_4_3: '3:4',
  portrait_3_2: '2:3',
  portrait_16_9: '9:16',
  landscape_4_3: '4:3',
  landscape_3_2: '3:2',
  landscape_16_9: '16:9',
  landscape_21_9: '21:9',
  portrait: '9:16',
  landscape: '16:9',
}

/** A ratio such as `16:9`, `auto` or `adaptive`, or a named shape. */
export function aspectRatioOf(value: unknown): { readonly as: string; readonly keep?: boolean } | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (/^\d{1,3}(\.\d{1,3})?:\d{1,3}$/.test(text)) return { as: text }
  if (/^(auto|adaptive)$/i.test(text)) return { as: text.toLowerCase() }
  const named = NAMED_SHAPES[text]
  return named === undefined ? undefined : { as: named, keep: true }
}

/** Exact pixels: `1024x768`, or an object with `width` and `height`. */
export function pixelSizeOf(value: unknown): { readonly as: PixelSize } | undefined {
  const [width, height] = typeof value === 'string' ? sidesOfText(value) : sidesOfObject(value)
  const fits = (side: unknown): side is number => Number.isSafeInteger(side) && Number(side) >= 1
  return fits(width) && fits(height) ? { as: { widthPx: width, heightPx: height } } : undefined
}

function sidesOfText(text: string): readonly unknown[] {
  const match = /^(\d{1,5})[x*×](\d{1,5})$/i.exec(text.trim())
  return match ? [Number(match[1]), Number(match[2])] : []
}

function sidesOfObject(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return []
  const { width, height } = value as Readonly<Record<string, unknown>>
  return [width, height]
}

/** A size class: `2k` → `2K`; `1080P`, `1080` → `1080p`. Words such as `high` are none. */
export function imageResolutionOf(value: unknown): { readonly as: string } | undefined {
  const text = String(value).trim()
  return /^\d+(\.\d+)?k$/i.test(text) ? { as: text.toUpperCase() } : undefined
}

export function videoResolutionOf(value: unknown): { readonly as: string } | undefined {
  const text = String(value).trim().toLowerCase()
  if (/^\d+(p|k)$/.test(text)) return { as: text }
  return /^\d{3,4}$/.test(text) ? { as: `${text}p` } : undefined
}

/** Sora 2 Pro's two sizes. */
export function videoSizeOf(value: unknown): { readonly as: string } | undefined {
  if (value === 'standard') return { as: '720p' }
  return value === 'high' ? { as: '1080p' } : undefined
}

/** A whole number of something, at least `least`; other values are no such number and stay where they are. */
export function wholeNumberOf(least: number): (value: unknown) => { readonly as: number } | undefined {
  return value => {
    const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value.trim()) ? Number(value) : value
    return Number.isSafeInteger(number) && Number(number) >= least ? { as: Number(number) } : undefined
  }
}
