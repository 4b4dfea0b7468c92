/** FLUX Kontext, 4o Image and Midjourney: each with a pair of endpoints of its own. */
import {
  type FamilySpec,
  parseSignature,
  VOCABULARY,
  type Vocabulary,
} from '#provider-kit/task-spec/index.ts'
import { CALLBACK, family } from './envelope.ts'

const FLUX_INPUT = parseSignature(
  'prompt! inputImage aspectRatio(21:9|16:9|4:3|1:1|3:4|9:16) outputFormat(jpeg|png) promptUpsampling:b safetyTolerance:n model!(flux-kontext-pro|flux-kontext-max) enableTranslation:b uploadCn:b watermark',
)
const FOUR_O_INPUT = parseSignature(
  'prompt filesUrl:l maskUrl size!(1:1|3:2|2:3)=1:1 nVariants:n(1|2|4) isEnhance:b uploadCn:b',
)
const MIDJOURNEY_INPUT = parseSignature(
  'taskType! prompt! speed version fileUrls:l aspectRatio variety:n stylization:n weirdness:n ow:n waterMark enableTranslation:b videoBatchSize:n(1|2|4) motion',
)

const OF_IMAGES: Vocabulary = [
  { fact: 'kie_model', kind: 'plain', owned: true, fields: ['model', 'taskType'] },
  { fact: 'image', kind: 'file', owned: true, fields: ['inputImage', 'filesUrl', 'fileUrls'] },
  { fact: 'reference_image', kind: 'file', owned: true, fields: ['filesUrl', 'fileUrls', 'inputImage'] },
  { fact: 'first_frame', kind: 'file', owned: true, fields: ['fileUrls'] },
  ...VOCABULARY,
]

export const IMAGE_FAMILIES: readonly FamilySpec[] = [
  family({
    name: 'flux-kontext',
    models: ['flux-kontext-*', 'flux/kontext*', 'flux-kontext'],
    input: () => FLUX_INPUT,
    vocabulary: OF_IMAGES,
    facts: ({ upstreamModel }) => ({
      kie_model: upstreamModel.endsWith('max') ? 'flux-kontext-max' : 'flux-kontext-pro',
    }),
    submit: { path: '/api/v1/flux/kontext/generate', envelope: CALLBACK },
    record: 'flux/kontext/record-info',
    outputs: [{ path: 'data.response.resultImageUrl', kind: 'image' }],
  }),
  family({
    name: '4o-image',
    models: ['gpt4o-image*', '4o-image*'],
    input: () => FOUR_O_INPUT,
    vocabulary: OF_IMAGES,
    submit: { path: '/api/v1/gpt4o-image/generate', envelope: CALLBACK },
    record: 'gpt4o-image/record-info',
    state: 'data.status',
    states: {
      generating: 'running',
      success: 'succeeded',
      create_task_failed: 'failed',
      generate_failed: 'failed',
    },
    poll: { progress: { path: 'data.progress', outOf: 1 } },
    outputs: [{ path: ['data.response.resultUrls[*]', 'data.response.result_urls[*]'], kind: 'image' }],
  }),
  family({
    name: 'midjourney',
    models: ['mj_*', 'midjourney*'],
    input: () => MIDJOURNEY_INPUT,
    vocabulary: OF_IMAGES,
    facts: ({ upstreamModel }) => ({ kie_model: upstreamModel }),
    submit: { path: '/api/v1/mj/generate', envelope: CALLBACK },
    record: 'mj/record-info',
    // One grid is four pictures, at one price.
    maxCount: 4,
    outputs: [{ path: 'data.resultInfoJson.resultUrls[*]', urlPath: 'resultUrl', kind: 'detect' }],
  }),
]
