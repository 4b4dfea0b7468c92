import { describe, expect, it } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import { parseTaskId } from '#spec/ids.ts'
import type { Model } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'
import { completeMedia } from './complete-media.ts'
import { files, image, mediaModel, mesh, music, speech, video } from './media.fixture.ts'

function refusal(model: Model, request: MediaOperation, aliasAction?: string): GatewayError {
  try {
    completeMedia(model, request, aliasAction)
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const pictures = mediaModel('image', {
  actions: ['text2img', 'img2img', 'inpaint', 'upscale'],
  aspect_ratios: ['1:1', '16:9', 'auto'],
  resolutions: ['1K', '2K', '4K'],
  max_prompt_chars: 20,
})
const clips = mediaModel('video', {
  actions: ['text2video', 'image2video', 'first_last_frame2video', 'reference2video', 'extend_video'],
  aspect_ratios: ['16:9', '9:16'],
  resolutions: ['720p', '1080p', '4k'],
  durations_seconds: [4, 6, 8],
  default_duration_seconds: 8,
  audio: 'optional',
  max_count: 1,
})

describe('what a client leaves out', () => {
  it('of a picture is the first of each list, once', () => {
    expect(completeMedia(pictures, image())).toEqual(
      image({ action: 'text2img', aspectRatio: '1:1', resolution: '1K' }),
    )
  })

  it('of a picture made of another follows that one', () => {
    expect(completeMedia(pictures, image({ inputs: files('image') }))).toMatchObject({
      action: 'img2img',
      aspectRatio: 'auto',
    })
  })

  it('stays left out where exact pixels say it', () => {
    const size = { widthPx: 640, heightPx: 480 }
    expect(completeMedia(pictures, image({ size }))).toMatchObject({
      size,
      aspectRatio: undefined,
      resolution: undefined,
    })
  })

  it('of a video is the default length, and sound where it can have any', () => {
    expect(completeMedia(clips, video())).toMatchObject({
      action: 'text2video',
      aspectRatio: '16:9',
      resolution: '720p',
      durationSeconds: 8,
      audio: true,
    })
    expect(completeMedia(clips, video({ audio: false }))).toMatchObject({ audio: false })
    const animated = completeMedia(clips, video({ inputs: files('image') }))
    expect(animated).toMatchObject({ action: 'image2video', aspectRatio: undefined, durationSeconds: 8 })
  })

  it('is nothing where the model has no rules for it, and length where an input decides it', () => {
    const open = mediaModel('video', { actions: ['video2video'], durations_seconds: [5] })
    expect(completeMedia(open, video({ inputs: files('video') }))).toMatchObject({
      aspectRatio: undefined,
      resolution: undefined,
      durationSeconds: undefined,
      audio: undefined,
    })
  })

  it('is a length of its own where a video is only to be followed or gone on from', () => {
    for (const role of ['reference_video', 'video'] as const) {
      expect(completeMedia(clips, video({ inputs: files(role) }))).toMatchObject({ durationSeconds: 8 })
    }
  })

  it('of a song that always comes in two tracks is two', () => {
    const songs = mediaModel('music', { actions: ['text2music', 'lyrics2music'], tracks: 2, max_count: 2 })
    expect(completeMedia(songs, music())).toMatchObject({ action: 'text2music', count: 2 })
    expect(completeMedia(songs, music({ lyrics: 'La la' }))).toMatchObject({ action: 'lyrics2music' })
  })
})

describe('the action', () => {
  it.each([
    [[], 'text2video'],
    [['image'], 'image2video'],
    [['first_frame'], 'image2video'],
    [['first_frame', 'last_frame'], 'first_last_frame2video'],
    [['reference_image'], 'reference2video'],
    [['reference_image', 'reference_video'], 'reference2video'],
    [['video'], 'extend_video'],
  ] as const)('for a video from %j is %s', (roles, action) => {
    expect(completeMedia(clips, video({ inputs: files(...roles) })).action).toBe(action)
  })

  it.each([
    [['image', 'mask'], 'inpaint'],
    [['image'], 'img2img'],
    [['reference_image'], 'img2img'],
  ] as const)('for a picture from %j is %s', (roles, action) => {
    expect(completeMedia(pictures, image({ inputs: files(...roles) })).action).toBe(action)
  })

  it('for sound and shapes follows what is sent', () => {
    const sounds = mediaModel('speech', { actions: ['text2sfx', 'video2audio'] })
    expect(completeMedia(sounds, speech({ inputs: files('video') })).action).toBe('video2audio')
    expect(completeMedia(sounds, speech()).action).toBe('text2sfx')
    const shapes = mediaModel('mesh', { actions: ['image2_3d', 'text2_3d', 'multiview2_3d'] })
    expect(completeMedia(shapes, mesh()).action).toBe('text2_3d')
    expect(completeMedia(shapes, mesh({ inputs: files('image') })).action).toBe('image2_3d')
    expect(completeMedia(shapes, mesh({ inputs: files('image', 'image') })).action).toBe('multiview2_3d')
  })

  it('is what the client says, then what the name says, then what fits', () => {
    const upscale = image({ inputs: files('image') })
    expect(completeMedia(pictures, { ...upscale, action: 'img2img' }, 'upscale').action).toBe('img2img')
    expect(completeMedia(pictures, upscale, 'upscale').action).toBe('upscale')
    expect(completeMedia(pictures, upscale, 'an ability of the model that retired').action).toBe('img2img')
  })

  it('may work on an earlier task instead of a file', () => {
    const request = video({ action: 'extend_video', parentTask: parseTaskId('0'.repeat(32)) })
    expect(completeMedia(clips, request).action).toBe('extend_video')
    const upscaler = mediaModel('image', { actions: ['upscale'] })
    expect(completeMedia(upscaler, image({ options: { task_id: 'task' } })).action).toBe('upscale')
  })
})

describe('what the model does not allow is refused by name, with what it allows', () => {
  it.each([
    [image({ aspectRatio: '7:5' }), 'aspect_ratio', '1:1, 16:9, auto'],
    [image({ resolution: '8K' }), 'resolution', '1K, 2K, 4K'],
    [image({ count: 5 }), 'count', '1 to 4'],
    [image({ count: 0 }), 'count', '1 to 4'],
    [image({ count: 1.5 }), 'count', '1 to 4'],
    [image({ prompt: 'x'.repeat(21) }), 'prompt', 'at most 20'],
    [image({ prompt: ' ' }), 'prompt', 'empty'],
    [image({ action: 'text2video' }), 'action', 'text2img, img2img, inpaint, upscale'],
    [image({ action: 'img2img' }), 'image', 'an image'],
    [image({ action: 'text2img', inputs: files('image') }), 'input.image', 'words alone'],
    [video(), 'model', 'makes images, not videos'],
  ] as const)('%#: %j', (request, param, words) => {
    const error = refusal(pictures, request)
    expect(error).toMatchObject({ code: 'invalid_request', param })
    expect(error.message).toContain(words)
  })

  it.each([
    [video({ durationSeconds: 5 }), 'duration', '4, 6, 8'],
    [video({ durationSeconds: -1 }), 'duration', 'above 0'],
    [video({ durationSeconds: Number.NaN }), 'duration', 'above 0'],
    [video({ action: 'extend_video' }), 'video', 'a video or a finished task'],
    [video({ action: 'first_last_frame2video', inputs: files('image') }), 'image', 'two images'],
  ] as const)('video %#', (request, param, words) => {
    const error = refusal(clips, request)
    expect(error).toMatchObject({ code: 'invalid_request', param })
    expect(error.message).toContain(words)
  })

  it('names the input that a model of words has no use for, and the one that another lacks', () => {
    const words = mediaModel('image', { actions: ['text2img'] })
    expect(refusal(words, image({ inputs: files('image') }))).toMatchObject({ param: 'input.image' })
    const avatars = mediaModel('video', { actions: ['audio2video'] })
    expect(refusal(avatars, video())).toMatchObject({ param: 'audio' })
  })

  it('counts a prompt as people do', () => {
    expect(completeMedia(pictures, image({ prompt: '🦊'.repeat(20) })).prompt).toHaveLength(40)
  })

  it('holds a range to its ends', () => {
    const ranged = mediaModel('video', {
      actions: ['text2video'],
      duration_range_seconds: { min: 1, max: 10 },
    })
    expect(completeMedia(ranged, video({ durationSeconds: 2.5 }))).toMatchObject({ durationSeconds: 2.5 })
    expect(refusal(ranged, video({ durationSeconds: 11 })).message).toContain('1 to 10 seconds')
  })
})

describe('spellings that mean the same', () => {
  it('become those of the catalogue', () => {
    expect(completeMedia(clips, video({ resolution: '4K' }))).toMatchObject({ resolution: '4k' })
    expect(completeMedia(clips, video({ resolution: '2160p' }))).toMatchObject({ resolution: '4k' })
    expect(completeMedia(clips, video({ resolution: '1080P' }))).toMatchObject({ resolution: '1080p' })
    expect(completeMedia(pictures, image({ aspectRatio: 'adaptive' }))).toMatchObject({ aspectRatio: 'auto' })
  })

  it('pass as they are where the model has no list', () => {
    const open = mediaModel('image', { actions: ['text2img'] })
    const asked = image({ aspectRatio: '7:5', resolution: '3K' })
    expect(completeMedia(open, asked)).toMatchObject({ aspectRatio: '7:5', resolution: '3K' })
  })
})

it('a scene list stands in for a prompt', () => {
  const request = video({ prompt: '', options: { multi_prompt: [{ prompt: 'One', duration: 3 }] } })
  expect(completeMedia(clips, request).action).toBe('text2video')
})
