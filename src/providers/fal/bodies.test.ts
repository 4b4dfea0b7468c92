/**
 * What is sent to fal, by the input schemas that its client (npm @fal-ai/client 1.10.1) and copies of its model pages publish.
 * Nothing here was recorded from fal.
 */
import { describe, expect, test } from 'vitest'
import { startRequest } from '#provider-kit/task-conformance/bench.suite.ts'
import {
  anImage,
  aShape,
  aSong,
  aSpeech,
  aVideo,
  file,
} from '#provider-kit/task-conformance/requests.fixture.ts'
import { createCall } from '#provider-kit/task-spec/index.ts'
import { ProviderFailure } from '#spec/provider.ts'
import type { StartRequest } from '#spec/task-provider.ts'
import { inputOf, KNOWN_ENDPOINTS } from './endpoints.ts'
import { FAL } from './index.ts'

const sent = (endpoint: string, request: StartRequest['request'], more: Partial<StartRequest> = {}) =>
  createCall(FAL, startRequest(endpoint, { request, ...more }))

describe('a body', () => {
  test('has the endpoint’s own words, and the address to call back in the query', () => {
    const request = anImage({
      aspectRatio: '16:9',
      format: 'jpeg',
      seed: 3,
      options: { num_inference_steps: 20, num_images: 9, sync_mode: true, enable_safety_checker: false },
    })
    const callbackUrl = 'https://gateway.test/callbacks/fal/abc?x=1&y=2'
    expect(sent('fal-ai/flux/dev', request, { count: 2, callbackUrl })).toEqual({
      method: 'POST',
      path: `/fal-ai/flux/dev?fal_webhook=${encodeURIComponent(callbackUrl)}`,
      body: {
        prompt: 'a lighthouse',
        image_size: 'landscape_16_9',
        num_images: 2,
        num_inference_steps: 20,
        output_format: 'jpeg',
        seed: 3,
      },
    })
  })

  const videos = { resolution: '720p', aspectRatio: '16:9', durationSeconds: 8, audio: true } as const
  const cases: [string, StartRequest['request'], StartRequest['inputs'], object][] = [
    [
      'fal-ai/nano-banana/edit',
      anImage({ aspectRatio: '16:9' }),
      [file('image', 'a'), file('image', 'b')],
      {
        image_urls: ['https://in.test/a', 'https://in.test/b'],
        prompt: 'a lighthouse',
        aspect_ratio: '16:9',
        num_images: 1,
      },
    ],
    [
      'fal-ai/flux-pro/v1/fill',
      anImage(),
      [file('mask'), file('image')],
      {
        image_url: 'https://in.test/image',
        mask_url: 'https://in.test/mask',
        prompt: 'a lighthouse',
        num_images: 1,
      },
    ],
    [
      'fal-ai/bytedance/seedream/v4.5/text-to-image',
      anImage({ aspectRatio: '16:9', resolution: '4K' }),
      [],
      { prompt: 'a lighthouse', num_images: 1, image_size: { width: 4096, height: 2304 } },
    ],
    [
      'fal-ai/veo3.1/first-last-frame-to-video',
      aVideo(videos),
      [file('first_frame'), file('last_frame')],
      {
        prompt: 'a lighthouse',
        first_frame_url: 'https://in.test/first_frame',
        last_frame_url: 'https://in.test/last_frame',
        duration: '8s',
        aspect_ratio: '16:9',
        generate_audio: true,
        resolution: '720p',
      },
    ],
    [
      'fal-ai/kling-video/v2.1/master/image-to-video',
      aVideo({ durationSeconds: 5, negativePrompt: 'fog' }),
      [file('first_frame')],
      {
        image_url: 'https://in.test/first_frame',
        prompt: 'a lighthouse',
        duration: '5',
        negative_prompt: 'fog',
      },
    ],
    ['fal-ai/hunyuan3d/v2', aShape(), [file('image')], { input_image_url: 'https://in.test/image' }],
    [
      'fal-ai/elevenlabs/tts/multilingual-v2',
      aSpeech({ voice: 'Aria' }),
      [],
      { text: 'a lighthouse', voice: 'Aria' },
    ],
    [
      'fal-ai/minimax-music/v2',
      aSong({ lyrics: 'la la' }),
      [],
      { lyrics_prompt: 'la la', prompt: 'a lighthouse' },
    ],
  ]
  test.each(cases)('of %s', (endpoint, request, inputs, body) => {
    expect(sent(endpoint, request, { inputs })?.body).toEqual(body)
  })

  test('is refused here where the endpoint cannot make it', () => {
    expect(() => sent('fal-ai/veo3.1/fast', aVideo({ durationSeconds: 5 }))).toThrow(ProviderFailure)
    expect(() =>
      sent('fal-ai/flux-pro/kontext', anImage(), { inputs: [file('image'), file('image')] }),
    ).toThrow(ProviderFailure)
  })

  test('of an endpoint that is newer than the table goes by its name', () => {
    expect(sent('somebody/new-model/edit', anImage(), { inputs: [file('image')] })?.body).toEqual({
      prompt: 'a lighthouse',
      image_urls: ['https://in.test/image'],
    })
  })

  test('of such an endpoint has nothing in it that could change the price', () => {
    const options = { duration: '10', resolution: '4k', num_images: 4, quality: 'high', image_size: 'square' }
    const request = anImage({ aspectRatio: '16:9', seed: 7, options })
    for (const endpoint of [
      'somebody/new-model',
      'somebody/new/text-to-video',
      'somebody/new/image-to-video',
    ]) {
      expect(sent(endpoint, request, { count: 2 })?.body).toEqual({
        prompt: 'a lighthouse',
        seed: 7,
        aspect_ratio: '16:9',
      })
    }
  })

  test.each([
    ['resolution', aVideo({ resolution: '720p' })],
    ['duration', aVideo({ durationSeconds: 5 })],
    ['size', anImage({ size: { widthPx: 1024, heightPx: 768 } })],
  ])(
    'of such an endpoint is not made where a %s was asked for: another provider is asked',
    (wish, request) => {
      const ask = () => sent('somebody/new/text-to-video', request)
      expect(ask).toThrow(ProviderFailure)
      expect(ask).toThrow(expect.objectContaining({ kind: 'unavailable', status: 501 }))
      expect(ask).toThrow(wish)
    },
  )

  test.each([
    ['fal-ai/flux/dev', '1:1', undefined, 'square_hd'],
    ['fal-ai/flux/dev', '9:16', undefined, 'portrait_16_9'],
    ['fal-ai/flux/dev', '3:4', undefined, 'portrait_4_3'],
    ['fal-ai/flux/dev', '21:9', undefined, { width: 1552, height: 656 }],
    ['fal-ai/gpt-image-1/text-to-image', '16:9', undefined, '1536x1024'],
    ['fal-ai/gpt-image-1/text-to-image', '9:16', undefined, '1024x1536'],
    ['fal-ai/bytedance/seedream/v4.5/text-to-image', '1:1', '2K', { width: 2048, height: 2048 }],
  ] as const)(
    'of %s has a size that follows the ratio %s',
    (endpoint, aspectRatio, resolution, image_size) => {
      expect(sent(endpoint, anImage({ aspectRatio, resolution }))?.body).toMatchObject({ image_size })
    },
  )

  test.each([
    ['16:9', undefined, 'landscape_16_9'],
    ['16:9', '720p', { width: 1280, height: 720 }],
    ['9:16', '480p', { width: 480, height: 848 }],
  ] as const)('of a film has a size likewise: %s at %s', (aspectRatio, resolution, video_size) => {
    const request = aVideo({ aspectRatio, resolution })
    expect(sent('fal-ai/ltx-2-19b/text-to-video', request)?.body).toMatchObject({ video_size })
  })
})

test('every endpoint of the table takes a prompt or a file, and never a field that is withheld', () => {
  expect(KNOWN_ENDPOINTS.length).toBeGreaterThan(650)
  const options = Object.fromEntries(FAL.withheldOptions.map(name => [name, true]))
  for (const endpoint of KNOWN_ENDPOINTS) {
    const call = sent(endpoint, anImage({ options }))
    expect(inputOf(endpoint).size).toBeGreaterThan(0)
    for (const name of FAL.withheldOptions) expect(call?.body).not.toHaveProperty(name)
  }
})
