import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { imageSize, ratioOf, videoSize } from './sizes.ts'

const pixels = (widthPx: number, heightPx: number) => ({ widthPx, heightPx })

describe('a ratio', () => {
  it.each([
    ['16:9', 16, 9],
    ['9:16', 9, 16],
    ['1920:1080', 16, 9],
    ['19.5:9', 13, 6],
    ['4x3', 4, 3],
  ])('%s is %i to %i', (text, width, height) => {
    expect(ratioOf(text)).toEqual(pixels(width, height))
  })

  it.each([undefined, '', 'auto', 'adaptive', '0:1', '16:', 'a:b', '-1:2'])('is none in "%s"', text => {
    expect(ratioOf(text)).toBeUndefined()
  })
})

describe('the size of an image', () => {
  it('is exactly the pixels that were asked for', () => {
    expect(imageSize({ size: pixels(1_023, 577), aspectRatio: '1:1' }, undefined, true)).toEqual(
      pixels(1_023, 577),
    )
  })

  it.each([
    [{}, 1_024, 1_024],
    [{ aspectRatio: '16:9' }, 1_360, 765],
    [{ aspectRatio: '16:9', resolution: '2K' }, 2_736, 1_539],
    [{ aspectRatio: '1:1', resolution: '4K' }, 4_096, 4_096],
    [{ aspectRatio: '16:9', resolution: '720p' }, 1_280, 720],
    [{ aspectRatio: '9:16', resolution: '1080p' }, 1_080, 1_920],
    [{ aspectRatio: 'auto' }, 1_024, 1_024],
  ])('of %j is %i × %i', (asked, width, height) => {
    expect(imageSize(asked, undefined, false)).toEqual(pixels(width, height))
  })

  it('follows the source where no ratio is asked for', () => {
    expect(imageSize({ aspectRatio: 'auto' }, pixels(1_920, 1_080), false)).toEqual(pixels(1_360, 765))
    expect(imageSize({}, pixels(640, 333), true)).toEqual(pixels(640, 333))
    expect(imageSize({ aspectRatio: '1:1' }, pixels(640, 333), true)).toEqual(pixels(1_024, 1_024))
  })

  it('has exactly the ratio, is about as large as its class, and is one that can be made', () => {
    const side = fc.integer({ min: 1, max: 30 })
    const classes = fc.constantFrom(1, 2, 4)
    fc.assert(
      fc.property(side, side, classes, (width, height, thousands) => {
        const size = imageSize(
          { aspectRatio: `${width}:${height}`, resolution: `${thousands}K` },
          undefined,
          false,
        )
        const isWithin = Object.values(size).every(px => Number.isInteger(px) && px >= 16 && px <= 8_192)
        expect(isWithin).toBe(true)
        if (Math.max(width / height, height / width) > 3) return
        const ratio = size.widthPx / size.heightPx / (width / height)
        expect(Math.abs(ratio - 1)).toBeLessThan(0.005)
        const area = (size.widthPx * size.heightPx) / (thousands * 1_024) ** 2
        expect(Math.abs(area - 1)).toBeLessThan(0.2)
      }),
    )
  })
})

describe('the size of a video', () => {
  it.each([
    [{}, 1_280, 720],
    [{ aspectRatio: '9:16', resolution: '1080p' }, 1_080, 1_920],
    [{ aspectRatio: '16:9', resolution: '4k' }, 3_840, 2_160],
    [{ aspectRatio: '21:9', resolution: '4K' }, 4_096, 1_756],
    [{ aspectRatio: '1:1', resolution: '480p' }, 480, 480],
    [{ aspectRatio: '16:9', resolution: '480p' }, 854, 480],
    [{ aspectRatio: 'adaptive', resolution: 'auto' }, 1_280, 720],
    [{ aspectRatio: '4:3', resolution: '768P' }, 1_024, 768],
    [{ aspectRatio: '16:9', resolution: '2K' }, 2_560, 1_440],
  ])('of %j is %i × %i', (asked, width, height) => {
    expect(videoSize(asked, undefined, false)).toEqual(pixels(width, height))
  })

  it('follows the source, and keeps the size of a film that is changed', () => {
    expect(videoSize({ aspectRatio: 'auto', resolution: '480p' }, pixels(1_000, 2_000), false)).toEqual(
      pixels(480, 960),
    )
    expect(videoSize({}, pixels(641, 361), true)).toEqual(pixels(642, 362))
  })

  it('is even on both sides and within what can be encoded, whatever goes in', () => {
    const side = fc.integer({ min: 1, max: 20_000 })
    fc.assert(
      fc.property(
        side,
        side,
        fc.boolean(),
        fc.constantFrom(undefined, '360p', '4k', '8k'),
        (width, height, keeps, resolution) => {
          const size = videoSize({ resolution }, pixels(width, height), keeps)
          const isMade = Object.values(size).every(px => px % 2 === 0 && px >= 16 && px <= 4_096)
          expect(isMade).toBe(true)
          expect(size.widthPx * size.heightPx).toBeLessThan(4_096 * 2_304 * 1.01)
        },
      ),
    )
  })
})
