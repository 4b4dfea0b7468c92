/** What the pages of the task and image APIs promise, asked of the catalogue as it is. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { task } from '#dialect-kit/task.fixture.ts'
import imgeo from '#dialects/imgeo/index.ts'
import studio from '#dialects/studio/index.ts'
import tasks from '#dialects/tasks/index.ts'
import { completeMedia, loadCatalog } from '#modules/catalog/index.ts'
import { fixedPriceOf } from '#modules/pricing/index.ts'
import type { Dialect } from '#spec/dialect.ts'
import type { Call, Submission } from '#spec/gateway.ts'
import type { Model } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'
import { ROOT } from './config.ts'

const catalog = loadCatalog({ folders: [join(ROOT, 'catalog')], extraModels: [] })

/** A gateway whose catalogue is the real one. */
class CatalogueGateway extends ScriptedGateway {
  override models(): readonly Model[] {
    return catalog.list('test')
  }
  override publicModels(): readonly Model[] {
    return catalog.publicModels()
  }
  override model(_call: Call, name: string): Model {
    const model = catalog.find(name, 'test')
    if (model === undefined) throw new Error(`the catalogue has no ${name}`)
    return model
  }
  override fixedPrice(dialect: string, model: string): bigint | undefined {
    return fixedPriceOf(dialect, model)
  }
}

/** What the gateway makes of a call: the request with its model's defaults. */
async function completed(dialect: Dialect, path: string, body: object): Promise<MediaOperation> {
  // What is answered is of no interest: the scripted task is an image, whatever was asked for.
  const gateway = new CatalogueGateway({ submitted: [task()] })
  await serveInMemory(dialect, gateway, {
    method: 'POST',
    url: path,
    headers: { authorization: `Bearer ${GOOD_KEY}` },
    body: JSON.stringify(body),
  }).catch(() => undefined)
  const asked = gateway.asked.find(({ method }) => method.startsWith('submit'))
  if (asked === undefined) throw new Error('nothing was submitted')
  const { request } = asked.argument as Submission
  const { model, action } = catalog.resolve(request.model, { mode: 'test', today: '2026-01-01' })
  return completeMedia(model, request, action)
}

interface Listed {
  readonly id: string
  readonly modes: readonly string[]
  readonly aspect_ratios: readonly string[]
  readonly max_count: number
  readonly negative_prompt: boolean
}

async function listed(): Promise<readonly Listed[]> {
  const answer = await serveInMemory(imgeo, new CatalogueGateway(), { method: 'GET', url: '/models' })
  return JSON.parse(answer.body.toString())
}

describe('every model of /models can be asked for everything it lists', async () => {
  it.each(await listed())('$id', async model => {
    const prompt = 'A cat'
    expect(model.aspect_ratios).toContain('1:1')
    expect(model.max_count).toBeGreaterThanOrEqual(1)
    for (const mode of model.modes) {
      const image = mode === 'img2img' ? 'https://example.com/a.png' : undefined
      for (const aspect_ratio of model.aspect_ratios) {
        const sent = { model: model.id, prompt, mode, image, aspect_ratio, count: model.max_count }
        expect(await completed(imgeo, '/generate', sent)).toMatchObject({
          action: mode,
          aspectRatio: aspect_ratio,
        })
      }
    }
  })
})

describe('studio', () => {
  it.each(['png', 'jpeg', 'webp'])('%s', async output_format => {
    const request = await completed(studio, '/images', { prompt: 'A sunset', output_format, num_images: 4 })
    expect(request).toMatchObject({ format: output_format, count: 4, aspectRatio: '1:1' })
  })

  it.each(['1:1', '16:9', '4:3'])('an image of %s', async aspect_ratio => {
    const request = await completed(studio, '/images', { prompt: 'A sunset', aspect_ratio })
    expect(request).toMatchObject({ aspectRatio: aspect_ratio })
  })

  it.each(['360p', '520p', '720p', '1080p'])('a video of %s', async resolution => {
    const request = await completed(studio, '/videos', { prompt: 'waves', resolution })
    expect(request).toMatchObject({ resolution, durationSeconds: 4, aspectRatio: '16:9' })
  })

  it('each of the two video models with nothing but a prompt', async () => {
    const shape = async (model: string) => {
      const request = await completed(studio, '/videos', { prompt: 'waves', model })
      return (
        request.operation === 'video' && [request.durationSeconds, request.resolution, request.aspectRatio]
      )
    }
    expect(await shape('vidu-q2')).toEqual([4, '720p', '16:9'])
    expect(await shape('ltx-2')).toEqual([6, '1080p', '16:9'])
  })

  it('what a model does not take is refused with what it takes', async () => {
    const request = completed(studio, '/videos', { prompt: 'waves', model: 'ltx-2', resolution: '720p' })
    await expect(request).rejects.toThrow('1080p, 1440p, 2160p')
  })

  it('a shape without a model', async () => {
    const image_url = 'https://example.com/object.jpg'
    expect(await completed(studio, '/3d', { image_url })).toMatchObject({
      model: 'trellis',
      action: 'image2_3d',
    })
  })
})

describe('tasks', () => {
  const ids = ['seedance-2', 'gpt-image-2', 'nano-banana-2']
  const picture = 'https://example.com/a.png'
  it.each(ids)('%s from words and from pictures', async model_id => {
    const isVideo = model_id === 'seedance-2'
    const actionOf = async (image_urls: readonly string[]) =>
      (
        await completed(tasks, '/tasks/create', {
          model_id,
          prompt: 'a garden',
          image_urls,
          aspect_ratio: '16:9',
        })
      ).action
    expect(await actionOf([])).toBe(isVideo ? 'text2video' : 'text2img')
    expect(await actionOf([picture])).toBe(isVideo ? 'image2video' : 'img2img')
    expect(await actionOf([picture, picture])).toBe(isVideo ? 'reference2video' : 'img2img')
  })

  it('a video is five seconds at 720p', async () => {
    const request = await completed(tasks, '/tasks/create', { model_id: 'seedance-2', prompt: 'waves' })
    expect(request).toMatchObject({ durationSeconds: 5, resolution: '720p' })
  })
})
