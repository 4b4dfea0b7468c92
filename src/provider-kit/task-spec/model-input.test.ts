import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '#spec/json.ts'
import type { InputRole } from '#spec/media.ts'
import { ProviderFailure } from '#spec/provider.ts'
import { modelInput } from './model-input.ts'
import { parseSignature } from './signature.ts'
import { VOCABULARY } from './vocabulary.ts'

interface Asked {
  readonly facts?: Readonly<Record<string, Json>>
  readonly files?: readonly (readonly [InputRole, string])[]
  readonly operation?: 'image' | 'video' | 'music' | 'speech'
  readonly withheld?: readonly string[]
}

function input(signature: string, { facts = {}, files = [], operation = 'image', withheld = [] }: Asked) {
  return modelInput({
    operation,
    facts: new Map(Object.entries(facts)),
    files: files.map(([role, url]) => ({ role, url })),
    signature: parseSignature(signature),
    vocabulary: VOCABULARY,
    withheld,
  })
}

function refusalOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof ProviderFailure && error.kind === 'rejected') return error.message
    throw error
  }
  throw new Error('expected a refusal')
}

describe('what was asked is spelled as the endpoint takes it', () => {
  test.each([
    ['aspect_ratio', '16:9', '16:9'],
    ['aspect_ratio(16:9|1:1)', '16:9', '16:9'],
    ['image_size(portrait_16_9|landscape_16_9)', '16:9', 'landscape_16_9'],
    ['image_size:z(landscape_16_9)', '16:9', 'landscape_16_9'],
    ['image_size:z(square)', '3:2', { width: 1248, height: 832 }],
    ['image_size(1024x1024|1536x1024)', '16:9', '1536x1024'],
    ['size(portrait|landscape)', '9:16', 'portrait'],
    ['ratio(auto|adaptive)', 'adaptive', 'adaptive'],
  ])('a ratio in %s', (signature, ratio, expected) => {
    const [name = ''] = signature.split(/[:(]/)
    expect(input(signature, { facts: { aspect_ratio: ratio } })).toEqual({ [name]: expected })
  })

  test.each([
    ['duration:n', 5, 5],
    ['duration(5|10)', 5, '5'],
    ['duration(5s|9s)', 5, '5s'],
    ['duration:n(5|10)', 10, 10],
    ['music_length_ms:n', 30, 30_000],
    ['n_frames(10|15)', 15, '15'],
  ])('a duration in %s', (signature, seconds, expected) => {
    const [name = ''] = signature.split(/[:(]/)
    expect(input(signature, { operation: 'video', facts: { duration: seconds } })).toEqual({
      [name]: expected,
    })
  })

  test.each([
    ['resolution(720p|1080p)', '1080P', '1080p'],
    ['quality(basic|high)', '4K', 'high'],
    ['resolution(1~MP|4~MP)', '1K', '1 MP'],
    ['size(1K|2K|4K)', '2k', '2K'],
    ['resolution', '720p', '720p'],
  ])('a resolution in %s', (signature, resolution, expected) => {
    const [name = ''] = signature.split(/[:(]/)
    expect(input(signature, { facts: { resolution } })).toEqual({ [name]: expected })
  })

  test('a word of quality is not taken for a resolution', () => {
    const facts = { resolution: '1K', 'option.quality': 'low' }
    expect(input('quality(low|medium|high)', { facts })).toEqual({ quality: 'low' })
  })

  test('ratio and class share no field: each finds its own', () => {
    const facts = { aspect_ratio: '16:9', resolution: '2K' }
    expect(input('size(1K|2K) aspect_ratio(16:9|1:1)', { facts })).toEqual({
      size: '2K',
      aspect_ratio: '16:9',
    })
  })

  test.each([
    ['duration(5|10)', { duration: 7 }, 'it makes 5, 10'],
    ['duration:n(5|10)', { duration: 7 }, 'it makes 5, 10'],
    ['resolution(720p|1080p)', { resolution: '4k' }, 'it makes 720p, 1080p'],
    ['aspect_ratio(1:1|9:16)', { aspect_ratio: '21:9' }, 'it makes 1:1, 9:16'],
  ])('what the endpoint does not make is refused, not replaced: %s', (signature, facts, message) => {
    expect(refusalOf(() => input(signature, { operation: 'video', facts }))).toContain(message)
  })
})

describe('files', () => {
  test('go to the field of their role, and to the next best', () => {
    const both = [
      ['first_frame', 'first'],
      ['last_frame', 'last'],
    ] as const
    expect(input('first_frame_url last_frame_url', { files: both })).toEqual({
      first_frame_url: 'first',
      last_frame_url: 'last',
    })
    expect(input('image_url! tail_image_url', { files: both })).toEqual({
      image_url: 'first',
      tail_image_url: 'last',
    })
    expect(input('image_urls:l', { files: both })).toEqual({ image_urls: ['first', 'last'] })
  })

  test('fill required fields first', () => {
    const files = [['image', 'a']] as const
    expect(input('image_urls:l image_url!', { files })).toEqual({ image_url: 'a' })
  })

  test('are never dropped in silence', () => {
    const two = [
      ['image', 'a'],
      ['image', 'b'],
    ] as const
    expect(refusalOf(() => input('image_url', { files: two }))).toContain('takes no image')
    expect(refusalOf(() => input('prompt', { files: [['mask', 'm']] }))).toContain('takes no mask')
  })

  test('a reference goes to no frame', () => {
    expect(refusalOf(() => input('first_frame_url', { files: [['reference_image', 'a']] }))).toContain(
      'reference',
    )
  })
})

describe('options', () => {
  const facts = {
    count: 1,
    'option.num_images': 4,
    'option.guidance_scale': 7,
    'option.sync_mode': true,
    'option.made_up': 1,
  }

  test('reach the vendor where the endpoint knows them', () => {
    const made = input('num_images:n guidance_scale:n sync_mode:b', { facts, withheld: ['sync_mode'] })
    expect(made).toEqual({ num_images: 1, guidance_scale: 7 })
  })

  test('can change nothing that is counted, however they are spelled', () => {
    const counted = [
      'num_images',
      'duration',
      'resolution',
      'generate_audio',
      'image_url',
      'prompt',
      'n',
      'size',
    ]
    const signature = parseSignature(counted.map(name => `${name}:o`).join(' '))
    fc.assert(
      fc.property(fc.constantFrom(...counted), fc.jsonValue(), (name, value) => {
        const made = modelInput({
          operation: 'video',
          facts: new Map([[`option.${name}`, value as Json]]),
          files: [],
          signature,
          vocabulary: VOCABULARY,
          withheld: [],
        })
        expect(made).toEqual({})
      }),
    )
  })
})

test('credentials and callbacks of a client’s own never reach a vendor', () => {
  const facts = { 'option.openai_api_key': 'sk-x', 'option.webhook_url': 'https://x.test', 'option.steps': 4 }
  expect(input('openai_api_key webhook_url steps:n', { facts })).toEqual({ steps: 4 })
})

test('what an endpoint requires has its usual value', () => {
  expect(input('mode!(std|pro)=pro sound!:b=false steps!:n=20 prompt!', {})).toEqual({
    mode: 'pro',
    sound: false,
    steps: 20,
  })
})

test('a fact is written once, in the signature’s order', () => {
  const made = input('text! prompt voice', { operation: 'speech', facts: { prompt: 'hello', voice: 'Aria' } })
  expect(JSON.stringify(made)).toBe('{"text":"hello","voice":"Aria"}')
})

describe('an option that a price did not recognize switches nothing on', () => {
  const sent = (signature: string, value: Json) =>
    input(signature, { facts: { 'option.extra': value } }).extra
  test.each([
    ['extra:b', true, true],
    ['extra:b', 'false', false],
    ['extra:n', '1.5', 1.5],
    ['extra', 'high', 'high'],
    ['extra', 2, 2],
    ['extra:l', ['a'], ['a']],
    ['extra:o', { a: 1 }, { a: 1 }],
  ])('%s takes %j', (signature, value, expected) => {
    expect(sent(signature, value)).toEqual(expected)
  })
  test.each([
    ['extra:b', 1],
    ['extra:b', 'yes'],
    ['extra:n', 'many'],
    ['extra:n', true],
    ['extra', ['HighPack']],
    ['extra', { a: 1 }],
  ])('%s refuses %j', (signature, value) => {
    expect(refusalOf(() => sent(signature, value))).toMatch(/^extra must be /)
  })
})
