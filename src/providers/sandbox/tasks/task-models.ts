/** The sandbox's own media models, for the catalogue: one of each kind that works, and one for each fault of it. */
import { type MediaFactsEntry, type MediaPriceEntry, type ModelEntry, modelSchema } from '#spec/offering.ts'
import { MEDIA_OPERATIONS, type MediaOperationName } from '#spec/operation.ts'
import { MODEL_PREFIX } from '../faults.ts'
import { faultModelId, TASK_FAULTS } from './task-faults.ts'

interface Kind {
  readonly name: string
  readonly notes: string
  readonly media: Partial<MediaFactsEntry> & Pick<MediaFactsEntry, 'actions'>
  readonly price: Pick<MediaPriceEntry, 'unit' | 'usd'>
}

const IMAGE_RATIOS = ['1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3', '21:9', 'auto']

const KINDS: Readonly<Record<MediaOperationName, Kind>> = {
  image: {
    name: 'Sandbox Image',
    notes: 'Pictures of the asked size and format, drawn from the prompt or from a picture of yours.',
    media: {
      actions: ['text2img', 'img2img', 'inpaint', 'upscale', 'remove_background'],
      aspect_ratios: IMAGE_RATIOS,
      max_count: 8,
      negative_prompt: true,
    },
    price: { unit: 'image', usd: '0.01' },
  },
  video: {
    name: 'Sandbox Video',
    notes: 'Silent films of the asked size and length.',
    media: {
      actions: [
        'text2video',
        'image2video',
        'first_last_frame2video',
        'reference2video',
        'extend_video',
        'upscale',
      ],
      aspect_ratios: ['16:9', '9:16', '1:1', '4:3', '3:4', 'auto'],
      resolutions: ['720p', '480p', '1080p', '4k'],
      duration_range_seconds: { min: 1, max: 30 },
      default_duration_seconds: 5,
      audio: 'optional',
    },
    price: { unit: 'second', usd: '0.01' },
  },
  music: {
    name: 'Sandbox Music',
    notes: 'Two tracks with covers, told of in stages.',
    media: { actions: ['text2music', 'lyrics2music', 'extend_audio'], tracks: 2, max_count: 4 },
    price: { unit: 'generation', usd: '0.02' },
  },
  speech: {
    name: 'Sandbox Speech',
    notes: 'Sounds like speech and says nothing.',
    media: { actions: ['text2speech', 'text2dialogue', 'text2sfx', 'speech2text'], max_prompt_chars: 20_000 },
    price: { unit: 'thousand_characters', usd: '0.01' },
  },
  mesh: {
    name: 'Sandbox 3D',
    notes: 'Binary glTF with vertex colours, and a picture of it.',
    media: { actions: ['text2_3d', 'image2_3d'] },
    price: { unit: 'generation', usd: '0.05' },
  },
}

/** Every operation's own model and its faults. Those of images are known by the fault's name too: `sandbox/task-fails`. */
export const sandboxMediaEntries: readonly ModelEntry[] = MEDIA_OPERATIONS.flatMap(operation => [
  mediaModel(operation, `${MODEL_PREFIX}${operation}`),
  ...TASK_FAULTS.map(fault =>
    mediaModel(operation, faultModelId(operation, fault), {
      name: `${KINDS[operation].name}: ${fault.name}`,
      notes: fault.sentence,
      ...(operation === 'image' && { aliases: [`${MODEL_PREFIX}${fault.name}`] }),
    }),
  ),
])

function mediaModel(operation: MediaOperationName, id: string, more: Partial<ModelEntry> = {}): ModelEntry {
  const { name, notes, media, price } = KINDS[operation]
  return modelSchema.parse({
    id,
    name,
    vendor: 'Tollgate',
    operation,
    media,
    notes,
    offerings: [{ provider: 'sandbox', upstream_model: id, price, price_confidence: 'high' }],
    ...more,
  })
}
