/** Veo, Runway, Aleph and Luma Modify: each with a pair of endpoints of its own. */
import {
  type FamilySpec,
  type OutputRule,
  parseSignature,
  VOCABULARY,
  type Vocabulary,
} from '#provider-kit/task-spec/index.ts'
import type { Json } from '#spec/json.ts'
import type { StartRequest } from '#spec/task-provider.ts'
import { CALLBACK, family } from './envelope.ts'

/** Each carries an id of the vendor's under its own name. */
const OF_VIDEOS: Vocabulary = [
  { fact: 'kie_model', kind: 'plain', owned: true, fields: ['model'] },
  { fact: 'parent.id', kind: 'plain', owned: true, fields: ['taskId'] },
  { fact: 'generation_type', kind: 'plain', owned: true, fields: ['generationType'] },
  { fact: 'reference_image', kind: 'file', owned: true, fields: ['referenceImage', 'imageUrls', 'imageUrl'] },
  { fact: 'resolution', kind: 'resolution', owned: true, fields: ['quality', 'resolution'] },
  ...VOCABULARY,
]

const VEO_INPUT = parseSignature(
  'prompt! imageUrls:l model!(veo3|veo3_fast|veo3_lite) generationType aspect_ratio(16:9|9:16|Auto) resolution(720p|1080p|4k) duration:n(4|6|8) seeds:n watermark enableTranslation:b',
)
const VEO_EXTEND_INPUT = parseSignature('taskId! prompt! model(fast|quality|lite) seeds:n watermark')
const RUNWAY_INPUT = parseSignature(
  'prompt! imageUrl duration!:n(5|10) quality!(720p|1080p)=720p aspectRatio(16:9|4:3|1:1|3:4|9:16) waterMark',
)
const RUNWAY_EXTEND_INPUT = parseSignature('taskId! prompt! quality!(720p|1080p)=720p waterMark')
const ALEPH_INPUT = parseSignature(
  'prompt! videoUrl! referenceImage aspectRatio(16:9|9:16|4:3|3:4|1:1|21:9) seed:n waterMark uploadCn:b',
)
const LUMA_INPUT = parseSignature('prompt! videoUrl! watermark')

/** `veo3_fast` out of `veo/veo3_fast`; what the images mean, which Veo would otherwise guess. */
function veoFacts(start: StartRequest): Readonly<Record<string, Json | undefined>> {
  const roles = new Set(start.inputs.map(({ role }) => role))
  const type = roles.has('reference_image')
    ? 'REFERENCE_2_VIDEO'
    : start.inputs.length > 0
      ? 'FIRST_AND_LAST_FRAMES_2_VIDEO'
      : 'TEXT_2_VIDEO'
  return { kie_model: start.upstreamModel.replace(/^.*\//, ''), generation_type: type }
}

/** `fast` out of the parent's `veo3_fast`. */
function veoExtendFacts({ request, parentHandle }: StartRequest): Readonly<Record<string, Json | undefined>> {
  const parent = parentHandle as { kie_model?: unknown } | undefined
  const asked = typeof request.options.model === 'string' ? request.options.model : parent?.kie_model
  const tier = typeof asked === 'string' ? asked.replace(/^veo3(_|$)/, '') : 'fast'
  return { kie_model: tier === '' ? 'quality' : tier }
}

const VEO_OUTPUTS: readonly OutputRule[] = [
  { path: ['data.response.fullResultUrls[*]', 'data.response.resultUrls[*]'], kind: 'video' },
  // Older records have the list as text.
  { path: ['data.response.resultUrls', 'data.resultUrls'], kind: 'video', parse: true },
]

const VEO = {
  record: 'veo/record-info',
  outputs: VEO_OUTPUTS,
  keep: ['kie_model'],
} as const

export const VIDEO_FAMILIES: readonly FamilySpec[] = [
  {
    // There is no create call: asking for the file is what makes it, and asking again is how one waits for it.
    name: 'veo.1080p',
    models: ['veo/get-1080p-video', 'veo/1080p'],
    id: 'id',
    facts: ({ request }) => ({
      index: typeof request.options.index === 'number' ? request.options.index : 0,
    }),
    keep: ['index'],
    poll: {
      path: '/api/v1/veo/get-1080p-video',
      query: [
        { to: 'taskId', fact: 'id' },
        { to: 'index', fact: 'index' },
      ],
      pendingWords: ['processing', 'check back', 'not ready'],
    },
    outputs: [{ path: 'data.resultUrl', kind: 'video' }],
  },
  {
    // Asking again is documented as how one waits: the same task and index are never made twice.
    name: 'veo.4k',
    models: ['veo/get-4k-video', 'veo/4k'],
    facts: ({ request }) => ({
      index: typeof request.options.index === 'number' ? request.options.index : 0,
    }),
    submit: {
      path: '/api/v1/veo/get-4k-video',
      envelope: [{ to: 'taskId', fact: 'parent.id' }, { to: 'index', fact: 'index' }, ...CALLBACK],
    },
    id: 'data.taskId',
    keep: ['index'],
    poll: {
      method: 'POST',
      path: '/api/v1/veo/get-4k-video',
      body: [
        { to: 'taskId', fact: 'id' },
        { to: 'index', fact: 'index' },
      ],
      pendingWords: ['processing', 'check back', 'not ready'],
    },
    outputs: [{ path: 'data.resultUrls[*]', kind: 'video' }],
  },
  family({
    name: 'veo.extend',
    models: ['veo/extend*'],
    input: () => VEO_EXTEND_INPUT,
    vocabulary: OF_VIDEOS,
    facts: veoExtendFacts,
    submit: { path: '/api/v1/veo/extend', envelope: CALLBACK },
    ...VEO,
  }),
  family({
    name: 'veo',
    models: ['veo3*', 'veo/*', 'veo-3*'],
    input: () => VEO_INPUT,
    vocabulary: OF_VIDEOS,
    facts: veoFacts,
    submit: { path: '/api/v1/veo/generate', envelope: CALLBACK },
    ...VEO,
  }),
  family({
    name: 'runway.extend',
    models: ['runway/extend*'],
    input: () => RUNWAY_EXTEND_INPUT,
    vocabulary: OF_VIDEOS,
    submit: { path: '/api/v1/runway/extend', envelope: CALLBACK },
    record: 'runway/record-detail',
    state: 'data.state',
    states: {},
    outputs: runwayOutputs(),
  }),
  family({
    name: 'aleph',
    models: ['runway-aleph', 'runway/aleph*', 'aleph*'],
    input: () => ALEPH_INPUT,
    vocabulary: OF_VIDEOS,
    submit: { path: '/api/v1/aleph/generate', envelope: CALLBACK },
    record: 'aleph/record-info',
    states: { 0: 'running', 1: 'succeeded' },
    // 0 is also a failure: only the error beside it tells.
    poll: { failedWhen: [{ path: 'data.errorMessage', empty: false }] },
    outputs: [
      { path: 'data.response.resultVideoUrl', kind: 'video' },
      { path: 'data.response.resultImageUrl', kind: 'image', role: 'cover' },
    ],
  }),
  family({
    name: 'runway',
    models: ['runway*'],
    input: () => RUNWAY_INPUT,
    vocabulary: OF_VIDEOS,
    submit: { path: '/api/v1/runway/generate', envelope: CALLBACK },
    record: 'runway/record-detail',
    state: 'data.state',
    states: {},
    outputs: runwayOutputs(),
  }),
  family({
    name: 'luma-modify',
    models: ['luma*', 'modify*'],
    input: () => LUMA_INPUT,
    vocabulary: OF_VIDEOS,
    submit: { path: '/api/v1/modify/generate', envelope: CALLBACK },
    record: 'modify/record-info',
    outputs: [{ path: 'data.response.resultUrls[*]', kind: 'video' }],
  }),
]

function runwayOutputs(): readonly OutputRule[] {
  return [
    { path: 'data.videoInfo.videoUrl', kind: 'video', metadata: {} },
    { path: 'data.videoInfo.imageUrl', kind: 'image', role: 'cover' },
  ]
}
