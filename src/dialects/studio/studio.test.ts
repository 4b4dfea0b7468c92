import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { task } from '#dialect-kit/task.fixture.ts'
import { transcript } from '#dialect-kit/transcript.fixture.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Submission } from '#spec/gateway.ts'
import type { TaskQuery } from '#spec/task.ts'
import studio from './index.ts'
import { IMAGES, SCRIPT, SHAPE, VIDEO } from './script.fixture.ts'

async function ask(
  request: string,
  body?: unknown,
  script: GatewayScript = SCRIPT,
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${GOOD_KEY}` },
) {
  const [method = '', url = ''] = request.split(' ')
  const gateway = new ScriptedGateway(script)
  const text = body === undefined ? undefined : JSON.stringify(body)
  const answer = await serveInMemory(studio, gateway, { method, url, headers, body: text })
  const asked = gateway.asked.find(({ method: name }) => name === 'submitAndWait')
  const submission = asked?.argument as Submission | undefined
  return { answer, status: answer.status, body: JSON.parse(answer.body.toString()), submission, gateway }
}

const sunset = {
  prompt: 'A beautiful sunset over mountains with reflection in a lake',
  aspect_ratio: '16:9',
  output_format: 'webp',
  num_images: 2,
}
const spaceship = {
  prompt: 'A spaceship flying through a colorful nebula with stars in background',
  model: 'vidu-q2',
  duration: 4,
  resolution: '720p',
  aspect_ratio: '16:9',
}
const object = {
  image_url: 'https://example.com/object.jpg',
  texture_quality: 'standard',
  texture_alignment: 'original_image',
  orientation: 'default',
}

const failed = new GatewayError('generation_failed', 'The provider failed. Nothing was charged.')
const EXCHANGES = [
  { name: 'images', request: 'POST /images', body: sunset, script: SCRIPT },
  { name: 'videos', request: 'POST /videos', body: spaceship, script: { ...SCRIPT, submitted: [VIDEO] } },
  { name: '3d', request: 'POST /3d', body: object, script: { ...SCRIPT, submitted: [SHAPE] } },
  {
    name: 'projects',
    request: 'GET /projects?type=images&page=1&limit=10&sort=createdAt&order=desc',
    script: SCRIPT,
  },
  { name: 'failed', request: 'POST /images', body: sunset, script: { ...SCRIPT, refuse: failed } },
  { name: 'no-key', request: 'POST /images', body: sunset, script: SCRIPT, headers: {} },
  {
    name: 'hour-used-up',
    request: 'GET /projects',
    script: {
      ...SCRIPT,
      hourly: { limit: 100, remaining: 0, resetsAtUnixSeconds: 1_767_229_200, allowed: false },
    },
  },
]

describe('a client sees exactly', () => {
  it.each(EXCHANGES)('fixtures/$name.http', async ({ name, ...exchange }) => {
    await expect(await transcript(studio, exchange)).toMatchFileSnapshot(`fixtures/${name}.http`)
  })
})

describe('images', () => {
  it('what is left out is one PNG of 1:1 by nano-banana', async () => {
    const { submission } = await ask('POST /images', { prompt: 'A sunset' })
    expect(submission).toMatchObject({
      family: 'studio.images',
      callbackUrl: undefined,
      request: { operation: 'image', model: 'nano-banana', aspectRatio: '1:1', format: 'png', count: 1 },
    })
  })

  it('what is sent is asked for as it is, whether the model takes it or not', async () => {
    const sent = { ...sunset, aspect_ratio: '7:5', num_images: 4 }
    const { submission } = await ask('POST /images', sent)
    expect(submission?.request).toMatchObject({ aspectRatio: '7:5', format: 'webp', count: 4 })
  })

  it('files are called by the generation and their place in it', async () => {
    const { body } = await ask('POST /images', sunset)
    expect(body.data.images.map((image: { file_name: string }) => image.file_name)).toEqual([
      'generated-image-019b76daa800700080000123456789ab-1.webp',
      'generated-image-019b76daa800700080000123456789ab-2.webp',
    ])
  })

  it('the time is that of the generation, and points are whole and rounded down', async () => {
    const { data } = (await ask('POST /images', sunset)).body
    expect([data.generation_time, data.remaining_points]).toEqual([2_450, 92])
  })
})

describe('videos', () => {
  const shape = async (body: object) => {
    const { submission } = await ask('POST /videos', body, { ...SCRIPT, submitted: [VIDEO] })
    const request = submission?.request
    if (request?.operation !== 'video') throw new Error('no video was asked for')
    return [request.model, request.durationSeconds, request.resolution, request.aspectRatio]
  }

  it('what is left out is the page’s default', async () => {
    expect(await shape({ prompt: 'waves' })).toEqual(['vidu-q2', 4, '720p', '16:9'])
  })

  it('where the model does not take the default, it is the model’s smallest', async () => {
    expect(await shape({ prompt: 'waves', model: 'ltx-2' })).toEqual(['ltx-2', 6, '1080p', '16:9'])
  })

  it('what is sent is asked for as it is', async () => {
    const sent = { prompt: 'waves', model: 'ltx-2', duration: 4, resolution: '360p', aspect_ratio: '1:1' }
    expect(await shape(sent)).toEqual(['ltx-2', 4, '360p', '1:1'])
  })
})

describe('3d', () => {
  const script = { ...SCRIPT, submitted: [SHAPE] }

  it('without a model it is the cheapest', async () => {
    const { submission } = await ask('POST /3d', { image_url: 'https://example.com/a.jpg' }, script)
    expect(submission?.request).toMatchObject({
      model: 'trellis',
      action: 'image2_3d',
      textureQuality: 'standard',
      inputs: [{ role: 'image', url: 'https://example.com/a.jpg', param: 'image_url' }],
    })
  })

  it('an image in the body is an input, and is not echoed but by what it is stored under', async () => {
    for (const image of ['aGVsbG8=', 'data:application/octet-stream;base64,aGVsbG8=']) {
      const { submission } = await ask('POST /3d', { image_base64: image, model: 'trellis' }, script)
      const url = 'data:application/octet-stream;base64,aGVsbG8='
      expect(submission?.request.inputs).toEqual([{ role: 'image', url, param: 'image_base64' }])
      expect(submission?.wire.image_base64).toBe(url)
    }
  })

  it('the picture is the cover, else the thumbnail', async () => {
    const bare = {
      ...SHAPE,
      artifacts: SHAPE.artifacts.slice(0, 1).map(one => ({ ...one, thumbnailUrl: 'https://x.test/t.webp' })),
    }
    const pictureOf = async (shape: typeof SHAPE) =>
      (await ask('POST /3d', object, { ...SCRIPT, submitted: [shape] })).body.data.model.preview_image
    expect(await pictureOf(SHAPE)).toBe('https://tollgate.test/files/c0/preview.jpg')
    expect(await pictureOf(bare)).toBe('https://x.test/t.webp')
  })
})

describe('a bad body is a 400 that names the field, and no generation is asked for', () => {
  it.each([
    ['POST /images', {}, 'prompt'],
    ['POST /images', { prompt: '' }, 'prompt'],
    ['POST /images', { ...sunset, output_format: 'gif' }, '"png", "jpeg", "webp"'],
    ['POST /images', { ...sunset, num_images: 5 }, 'num_images'],
    ['POST /images', { ...sunset, num_images: 0 }, 'num_images'],
    ['POST /images', { ...sunset, num_images: 1.5 }, 'num_images'],
    ['POST /images', { ...sunset, model: 'no-such-model' }, 'no model'],
    ['POST /videos', { ...spaceship, duration: '4' }, 'duration'],
    ['POST /videos', { ...spaceship, duration: -4 }, 'duration'],
    ['POST /videos', { ...spaceship, resolution: 720 }, 'resolution'],
    ['POST /videos', { ...spaceship, model: 'no-such-model' }, 'no model'],
    ['POST /3d', {}, 'image_url'],
    ['POST /3d', { image_url: '', image_base64: '' }, 'image_url'],
    ['POST /3d', { ...object, image_base64: 'aGVsbG8=' }, 'not both'],
    ['POST /3d', { ...object, image_url: 'object.jpg' }, 'image_url'],
    ['POST /3d', { ...object, texture_quality: 'high' }, '"no", "standard"'],
    ['POST /3d', { ...object, texture_alignment: 'geometry' }, 'original_image'],
    ['POST /3d', { ...object, orientation: 'up' }, 'default'],
  ])('%s %j', async (request, sent, words) => {
    const { status, body, submission } = await ask(request, sent)
    expect([status, body]).toEqual([400, { success: false, error: expect.stringContaining(words) }])
    expect(submission).toBeUndefined()
  })
})

describe('projects', () => {
  const queryOf = async (query: string) => {
    const { gateway } = await ask(`GET /projects${query}`)
    return gateway.asked[0]?.argument as TaskQuery
  }

  it('are finished generations, newest first, twenty a page, without sounds', async () => {
    expect(await queryOf('')).toEqual({
      operations: ['image', 'video', 'mesh'],
      states: ['succeeded'],
      sort: 'created_at',
      order: 'desc',
      offset: 0,
      limit: 20,
    })
  })

  it.each([
    ['?type=images', { operations: ['image'] }],
    ['?type=videos', { operations: ['video'] }],
    ['?type=3d', { operations: ['mesh'] }],
    ['?type=audio', { operations: ['music', 'speech'] }],
    ['?sort=file_size&order=asc', { sort: 'size_bytes', order: 'asc' }],
    ['?page=3&limit=10', { offset: 20, limit: 10 }],
    ['?limit=1000', { limit: 100 }],
  ])('%s', async (query, part) => {
    expect(await queryOf(query)).toMatchObject(part)
  })

  it.each(['type=music', 'page=0', 'page=-1', 'page=1.5', 'limit=0', 'limit=x', 'sort=id', 'order=up'])(
    '%s is a 400',
    async query => {
      const { status, gateway } = await ask(`GET /projects?${query}`)
      expect(status).toBe(400)
      expect(gateway.asked).toEqual([])
    },
  )

  it('pages are counted, and the last one says so', async () => {
    const page = async (query: string) => (await ask(`GET /projects${query}`)).body.data.pagination
    expect(await page('?limit=2')).toEqual({ page: 1, limit: 2, total: 3, pages: 2, has_more: true })
    expect(await page('?limit=2&page=2')).toEqual({ page: 2, limit: 2, total: 3, pages: 2, has_more: false })
  })

  it('a generation without a file, such as words of a song, is listed without one', async () => {
    const words = task({ artifacts: [], result: { text: 'la' } })
    const { data } = (await ask('GET /projects', undefined, { tasks: [words] })).body
    expect(data.projects[0]).toMatchObject({ url: null, thumbnail: null })
  })
})

describe('the callback', () => {
  const credits = { nanoUsdPerCredit: 10_000_000n }

  it.each([
    ['images', IMAGES],
    ['video', VIDEO],
    ['model', SHAPE],
  ])('of %s has what the answer has', (name, made) => {
    expect(studio.renderCallback?.(made, undefined, credits)).toMatchObject({
      success: true,
      data: { [name]: expect.anything(), generation_id: '019b76daa800700080000123456789ab' },
    })
  })

  it('of a failure says why', () => {
    const expired = task({ state: 'expired', artifacts: [] })
    expect(studio.renderCallback?.(expired, undefined, credits)).toEqual({
      success: false,
      error: 'The task took too long and was ended.',
      data: { generation_id: '019b76daa800700080000123456789ab', generation_time: 2_450 },
    })
  })
})
