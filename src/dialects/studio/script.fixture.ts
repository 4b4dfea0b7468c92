/** What the scripted gateway answers in this dialect's tests. */
import type { GatewayScript } from '#dialect-kit/scripted-gateway.ts'
import { artifact, IMAGE_REQUEST, mediaModel, task } from '#dialect-kit/task.fixture.ts'
import type { AccountView } from '#spec/gateway.ts'
import type { MediaPrice, Model, Offering } from '#spec/offering.ts'
import type { VideoRequest } from '#spec/video.ts'

const facts = (parts: Partial<NonNullable<Model['media']>>) => {
  const { media } = mediaModel('any')
  return media && { ...media, ...parts }
}

/** An offering at so many nano-dollars a shape. */
export function shapeOffering(nanoUsd: bigint, parts: Partial<MediaPrice> = {}): Offering {
  const mediaPrice: MediaPrice = {
    unit: 'generations',
    nanoUsdPerMillion: nanoUsd * 1_000_000n,
    variants: [],
    byAction: {},
    ...parts,
  }
  return { id: 'a', provider: 'a', upstreamModel: 'a', price: undefined, mediaPrice, endpoints: {} }
}

export const NANO_BANANA = mediaModel('nano-banana', {
  media: facts({ aspectRatios: ['16:9', '1:1', '4:3'] }),
})
export const VIDU = mediaModel('vidu-q2', {
  operation: 'video',
  media: facts({
    actions: ['text2video'],
    aspectRatios: ['16:9', '9:16', '1:1'],
    resolutions: ['1080p', '720p', '360p', '520p'],
    durationsSeconds: [2, 3, 4, 5, 6, 7, 8],
  }),
})
export const LTX = mediaModel('ltx-2', {
  operation: 'video',
  media: facts({
    actions: ['text2video'],
    resolutions: ['2160p', '1080p', '1440p'],
    durationsSeconds: [8, 6, 10],
  }),
})
export const TRELLIS = mediaModel('trellis', {
  operation: 'mesh',
  media: facts({ actions: ['image2_3d'] }),
  offerings: [shapeOffering(20_000_000n)],
})

export const VIDEO_REQUEST: VideoRequest = {
  operation: 'video',
  model: 'vidu-q2',
  action: 'text2video',
  prompt: 'A spaceship',
  negativePrompt: undefined,
  inputs: [],
  count: 1,
  seed: undefined,
  options: {},
  aspectRatio: '16:9',
  resolution: '720p',
  durationSeconds: 4,
  audio: undefined,
  parentTask: undefined,
}

export const IMAGES = task({ artifacts: [artifact(), artifact({ index: 1 })], request: IMAGE_REQUEST })

export const VIDEO = task({
  requestedModel: 'vidu-q2',
  model: 'vidu-q2',
  request: VIDEO_REQUEST,
  artifacts: [
    artifact({
      kind: 'video',
      url: 'https://tollgate.test/files/v0/video.mp4',
      contentType: 'video/mp4',
      sizeBytes: 4_567_890,
      widthPx: 1280,
      heightPx: 720,
      durationMs: 4_000,
    }),
  ],
})

export const SHAPE = task({
  requestedModel: 'trellis',
  model: 'trellis',
  request: {
    operation: 'mesh',
    model: 'trellis',
    action: 'image2_3d',
    prompt: '',
    negativePrompt: undefined,
    inputs: [],
    count: 1,
    seed: undefined,
    options: {},
    textureQuality: 'standard',
  },
  artifacts: [
    artifact({
      kind: 'mesh',
      url: 'https://tollgate.test/files/m0/shape.glb',
      thumbnailUrl: undefined,
      contentType: 'model/gltf-binary',
      sizeBytes: 12_345_678,
      widthPx: undefined,
      heightPx: undefined,
    }),
    artifact({ role: 'cover', url: 'https://tollgate.test/files/c0/preview.jpg' }),
  ],
})

export const SCRIPT: GatewayScript = {
  models: [NANO_BANANA, VIDU, LTX, TRELLIS],
  account: { availableNanoUsd: 929_999_999n } as AccountView,
  submitted: [IMAGES],
  tasks: [IMAGES, VIDEO, SHAPE],
}
