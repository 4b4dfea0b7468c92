/**
 * How vendors spell what our requests say: for each fact the fields that carry it, the likeliest first. An endpoint's
 * signature decides which of them there is.
 */
import type { MediaOperationName } from '#spec/operation.ts'

/** How a fact is written. `choice` is sent only where the endpoint lists its values. `ratio` takes the nearest the endpoint has; `seconds` and `resolution` must be exactly one of them. */
export type FactKind = 'plain' | 'choice' | 'ratio' | 'seconds' | 'resolution' | 'format' | 'file' | 'size'

export interface FactRule {
  readonly fact: string
  readonly kind: FactKind
  readonly fields: readonly (string | { readonly field: string; readonly times: number })[]
  /** Absent: for all. */
  readonly operations?: readonly MediaOperationName[] | undefined
  /** Counted, billed or checked before: a client's option of such a name is never sent, the fact alone decides, or nothing. */
  readonly owned?: boolean | undefined
}

export type Vocabulary = readonly FactRule[]

const IMAGES = [
  'image_urls',
  'input_urls',
  'input_image_urls',
  'images',
  'image_input',
  'input_images',
  'image_list',
  'filesUrl',
  'imageUrls',
]
const IMAGE = [
  'image_url',
  'image',
  'input_image',
  'input_image_url',
  'inputImage',
  'imageUrl',
  'input_file_url',
  'human_image_url',
  'model_image',
  'image_path',
  'img_cond_path',
  'input_reference',
]
const FIRST = [
  'first_frame_url',
  'start_image_url',
  'first_frame_image_url',
  'first_frame_image',
  'first_frame',
  'first_image_url',
  'start_image',
]
const LAST = [
  'last_frame_url',
  'end_image_url',
  'tail_image_url',
  'last_frame_image_url',
  'last_frame_image',
  'last_frame',
  'last_image',
  'last_image_url',
  'end_image',
  'image_tail',
  'end_frame',
]
const REFERENCES = [
  'reference_image_urls',
  'reference_images',
  'ref_image_urls',
  'reference_image',
  'reference_image_url',
  'ref_image_url',
  'referenceImage',
  'subject_reference',
  'subject_reference_image_url',
  'character_image',
  'reference_file_urls',
]

const FILES: Vocabulary = [
  {
    fact: 'mask',
    kind: 'file',
    fields: ['mask_url', 'mask_image_url', 'mask', 'mask_image', 'maskUrl', 'mask_video_url'],
  },
  { fact: 'first_frame', kind: 'file', fields: [...FIRST, ...IMAGE, ...IMAGES] },
  { fact: 'last_frame', kind: 'file', fields: [...LAST, ...IMAGES] },
  {
    fact: 'image',
    kind: 'file',
    fields: [
      ...IMAGES,
      ...IMAGE,
      ...FIRST,
      'front_image_url',
      ...LAST,
      ...REFERENCES,
      'back_image_url',
      'left_image_url',
      'right_image_url',
    ],
  },
  { fact: 'reference_image', kind: 'file', fields: [...REFERENCES, ...IMAGES, ...IMAGE] },
  {
    fact: 'video',
    kind: 'file',
    fields: [
      'video_url',
      'video',
      'video_urls',
      'videos',
      'input_video_url',
      'source_video_url',
      'input_video',
      'videoUrl',
      'first_clip_url',
      'reference_video',
      'reference_video_urls',
    ],
  },
  {
    fact: 'reference_video',
    kind: 'file',
    fields: [
      'reference_video_urls',
      'reference_videos',
      'reference_video',
      'video_urls',
      'videos',
      'video_url',
      'video',
    ],
  },
  {
    fact: 'audio',
    kind: 'file',
    fields: [
      'audio_url',
      'audio',
      'audio_urls',
      'driving_audio_url',
      'source_audio_url',
      'input_audio',
      'audio_file',
      'first_audio_url',
      'second_audio_url',
      'uploadUrl',
      'uploadUrlList',
      'audioUrl',
      'song_file',
      'reference_audio_urls',
      'reference_audio_url',
    ],
  },
  {
    fact: 'reference_audio',
    kind: 'file',
    fields: [
      'reference_audio_urls',
      'reference_audios',
      'reference_audio_url',
      'reference_voice',
      'target_voice_audio_url',
      'audio_urls',
      'audio_url',
      'audio',
    ],
  },
]

const SPOKEN = ['music', 'speech'] as const

/** The spellings that are met across vendors. A vendor puts its own before them. */
export const VOCABULARY: Vocabulary = [
  {
    fact: 'lyrics',
    kind: 'plain',
    operations: ['music'],
    fields: ['lyrics', 'lyrics_prompt', 'lyrics_text'],
  },
  {
    fact: 'style',
    kind: 'plain',
    operations: ['music'],
    fields: ['style', 'tags', 'genres', 'style_prompt'],
  },
  { fact: 'title', kind: 'plain', operations: ['music'], fields: ['title'] },
  {
    fact: 'instrumental',
    kind: 'plain',
    operations: ['music'],
    fields: ['instrumental', 'force_instrumental', 'is_instrumental'],
  },
  { fact: 'dialogue', kind: 'plain', operations: ['speech'], fields: ['dialogue', 'inputs'] },
  {
    fact: 'prompt',
    kind: 'plain',
    operations: SPOKEN,
    owned: true,
    fields: ['text', 'prompt', 'input_text', 'text_input', 'gen_text', 'script', 'lyrics_prompt'],
  },
  { fact: 'prompt', kind: 'plain', owned: true, fields: ['prompt', 'text_prompt', 'text', 'instruction'] },
  {
    fact: 'negative_prompt',
    kind: 'plain',
    fields: ['negative_prompt', 'negativeTags', 'negative_tags', 'negativePrompt'],
  },
  ...FILES.map(rule => ({ ...rule, owned: true })),
  { fact: 'size', kind: 'size', owned: true, fields: ['image_size', 'size', 'video_size'] },
  {
    fact: 'aspect_ratio',
    kind: 'ratio',
    owned: true,
    fields: ['aspect_ratio', 'aspectRatio', 'ratio', 'image_size', 'size', 'video_size'],
  },
  {
    fact: 'resolution',
    kind: 'resolution',
    owned: true,
    fields: [
      'resolution',
      'image_resolution',
      'video_resolution',
      'output_resolution',
      'target_resolution',
      'image_size',
      'size',
      'megapixels',
    ],
  },
  { fact: 'resolution', kind: 'resolution', fields: ['quality'] },
  {
    fact: 'duration',
    kind: 'seconds',
    owned: true,
    fields: [
      'duration',
      'duration_seconds',
      'seconds_total',
      'seconds',
      'n_frames',
      'audio_length',
      'music_duration',
      'length',
      { field: 'music_length_ms', times: 1000 },
    ],
  },
  { fact: 'seed', kind: 'plain', fields: ['seed', 'random_seed', 'seeds', 'texture_seed'] },
  {
    fact: 'count',
    kind: 'plain',
    owned: true,
    fields: ['num_images', 'num_outputs', 'number_of_images', 'n', 'nVariants'],
  },
  {
    fact: 'sound',
    kind: 'plain',
    operations: ['video'],
    owned: true,
    fields: ['generate_audio', 'enable_audio', 'with_audio', 'sound', 'audio', 'generate_audio_switch'],
  },
  {
    fact: 'format',
    kind: 'format',
    fields: ['output_format', 'outputFormat', 'image_format', 'format', 'audio_format'],
  },
  { fact: 'voice', kind: 'plain', operations: ['speech'], fields: ['voice', 'voice_id'] },
  {
    fact: 'language',
    kind: 'plain',
    operations: ['speech', 'music'],
    fields: ['language_code', 'language', 'language_boost'],
  },
  { fact: 'texture', kind: 'plain', operations: ['mesh'], owned: true, fields: ['texture'] },
  {
    fact: 'textured',
    kind: 'plain',
    operations: ['mesh'],
    owned: true,
    fields: ['texture', 'textured_mesh', 'should_texture'],
  },
]
