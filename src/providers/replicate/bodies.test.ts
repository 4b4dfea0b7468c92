/**
 * What is sent to Replicate, by its HTTP reference and copies of its models' schemas. Nothing here was recorded from
 * Replicate.
 */
import { expect, test } from 'vitest'
import { startRequest } from '#provider-kit/task-conformance/bench.suite.ts'
import { anImage, aSpeech, aVideo, file } from '#provider-kit/task-conformance/requests.fixture.ts'
import { createCall } from '#provider-kit/task-spec/index.ts'
import type { StartRequest } from '#spec/task-provider.ts'
import { REPLICATE } from './index.ts'
import { KNOWN_MODELS } from './models.ts'

const sent = (model: string, request: StartRequest['request'], more: Partial<StartRequest> = {}) =>
  createCall(REPLICATE, startRequest(model, { request, ...more }))

test('an official model is asked by its name', () => {
  const request = anImage({ aspectRatio: '16:9', format: 'jpeg', options: { disable_safety_checker: true } })
  expect(
    sent('black-forest-labs/flux-schnell', request, { count: 3, callbackUrl: 'https://gateway.test/cb' }),
  ).toEqual({
    method: 'POST',
    path: '/models/black-forest-labs/flux-schnell/predictions',
    body: {
      webhook: 'https://gateway.test/cb',
      webhook_events_filter: ['completed'],
      input: { prompt: 'a lighthouse', num_outputs: 3, aspect_ratio: '16:9', output_format: 'jpg' },
    },
  })
})

test('any other model is asked by its version, and without a callback where nobody can be called back', () => {
  const version = '7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc'
  expect(sent(`stability-ai/sdxl:${version}`, anImage())).toEqual({
    method: 'POST',
    path: '/predictions',
    body: { version, input: { prompt: 'a lighthouse', num_outputs: 1 } },
  })
})

const cases: [string, StartRequest['request'], StartRequest['inputs'], object][] = [
  [
    'google/veo-3.1-fast',
    aVideo({ durationSeconds: 8, resolution: '720p', audio: false }),
    [file('first_frame'), file('last_frame')],
    {
      prompt: 'a lighthouse',
      image: 'https://in.test/first_frame',
      duration: 8,
      last_frame: 'https://in.test/last_frame',
      resolution: '720p',
      generate_audio: false,
    },
  ],
  [
    'bytedance/seedream-4.5',
    anImage({ aspectRatio: '16:9', resolution: '4K', options: { max_images: 15 } }),
    [file('image')],
    { prompt: 'a lighthouse', size: '4K', image_input: ['https://in.test/image'], aspect_ratio: '16:9' },
  ],
  [
    'black-forest-labs/flux-2-pro',
    anImage({ aspectRatio: '16:9', resolution: '1K' }),
    [],
    { prompt: 'a lighthouse', resolution: '1 MP', aspect_ratio: '16:9' },
  ],
  [
    'minimax/speech-2.8-hd',
    aSpeech({ voice: 'Wise_Woman' }),
    [],
    { text: 'a lighthouse', voice_id: 'Wise_Woman' },
  ],
]
test.each(cases)('the input of %s has the model’s own words', (model, request, inputs, input) => {
  expect(sent(model, request, { inputs })?.body?.input).toEqual(input)
})

test('every model of the table can be asked for', () => {
  expect(KNOWN_MODELS.length).toBeGreaterThan(70)
  for (const model of KNOWN_MODELS) expect(sent(model, anImage())?.body?.input).toBeTypeOf('object')
})
