import { monitorEventLoopDelay } from 'node:perf_hooks'
import sharp from 'sharp'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { bumpyBall, CUBE, floats, glbOf, glbWith } from './glb.fixture.ts'
import { createMeshPreviewer, type MeshPreviewerOptions } from './previewer.ts'
import { four, sheetGlb } from './sheet.fixture.ts'

// The threads give way to everything else that runs on the machine.
vi.setConfig({ testTimeout: 60_000 })

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

function previewerOf(options: MeshPreviewerOptions = {}) {
  const previewer = createMeshPreviewer({ timeoutMs: 60_000, ...options })
  open.push(previewer)
  return previewer
}

/** Two million triangles: about a second of work. */
const large = () => glbOf(bumpyBall(999))

/** Eight images that take a while, on a surface. */
async function manyImages() {
  const image = await sharp({ create: { width: 4_096, height: 4_096, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  const eight = Array.from({ length: 8 }, (_, nth) => nth)
  return glbWith(CUBE, { TEXCOORD_0: floats(Array(16).fill(0)) }, [image], {
    images: eight.map(() => ({ bufferView: 3 })),
    textures: eight.map(source => ({ source })),
    materials: eight.map(index => ({ pbrMetallicRoughness: { baseColorTexture: { index } } })),
    meshes: [
      {
        primitives: eight.map(material => ({
          attributes: { POSITION: 0, TEXCOORD_0: 2 },
          indices: 1,
          material,
        })),
      },
    ],
  })
}

describe('a mesh previewer', () => {
  it('gives a PNG of 512 × 512 pixels that is not blank', async () => {
    const picture = await previewerOf().render(glbOf(CUBE))
    expect(picture).toMatchObject({ contentType: 'image/png', extension: 'png', width: 512, height: 512 })
    expect(await sharp(picture?.bytes).metadata()).toMatchObject({ format: 'png', width: 512, height: 512 })
    const { channels } = await sharp(picture?.bytes).stats()
    for (const { stdev } of channels) expect(stdev).toBeGreaterThan(20)
  })

  it('shows the textures that are in a file, the same each time', async () => {
    const previewer = previewerOf()
    const glb = sheetGlb({ images: [await four()] })
    const [one, again] = [await previewer.render(glb.slice()), await previewer.render(glb)]
    expect(Buffer.from(again?.bytes ?? []).equals(Buffer.from(one?.bytes ?? [1]))).toBe(true)
    const { dominant } = await sharp(
      await sharp(one?.bytes).extract({ left: 160, top: 160, width: 50, height: 50 }).toBuffer(),
    ).stats()
    expect(dominant.r).toBeGreaterThan(200)
    expect(Math.max(dominant.g, dominant.b)).toBeLessThan(50)
  })

  it('gives nothing when it is aborted or out of time amid images, and goes on with the next', async () => {
    const file = await manyImages()
    expect(await previewerOf().render(file.slice())).toBeDefined()
    expect(await previewerOf({ timeoutMs: 200 }).render(file.slice())).toBeUndefined()
    const previewer = previewerOf()
    const stopping = new AbortController()
    const running = previewer.render(file, stopping.signal)
    const next = previewer.render(glbOf(CUBE))
    setTimeout(() => stopping.abort(), 200)
    expect(await running).toBeUndefined()
    expect(await next).toBeDefined()
  })

  it('draws several one after the other, each its own', async () => {
    const previewer = previewerOf()
    const shapes = [CUBE, bumpyBall(20), CUBE].map(surface => previewer.render(glbOf(surface)))
    const [cube, ball, again] = (await Promise.all(shapes)).map(one => Buffer.from(one?.bytes ?? []))
    expect(again?.equals(cube ?? Buffer.alloc(0))).toBe(true)
    expect(ball?.equals(cube ?? Buffer.alloc(0))).toBe(false)
  })

  it('leaves what stands beside the file in its buffer where it is', async () => {
    const file = glbOf(CUBE)
    const buffer = new Uint8Array(file.length + 100).fill(7)
    buffer.set(file, 50)
    expect(await previewerOf().render(buffer.subarray(50, 50 + file.length))).toBeDefined()
    expect(buffer[0]).toBe(7)
    expect(buffer.at(-1)).toBe(7)
  })

  it('draws two million triangles while the event loop stays free', async () => {
    const previewer = previewerOf()
    const file = large()
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const began = performance.now()
    expect(await previewer.render(file)).toBeDefined()
    const tookMs = performance.now() - began
    delay.disable()
    // Drawn on the loop, it would be one pause of nearly all that time, however slow the machine is.
    expect(delay.max / 1e6).toBeLessThan(tookMs / 3)
  })

  it('gives nothing for what is no binary glTF, or is broken', async () => {
    const previewer = previewerOf()
    expect(await previewer.render(new Uint8Array(0))).toBeUndefined()
    expect(await previewer.render(Buffer.from('solid cube\nendsolid cube\n'))).toBeUndefined()
    expect(await previewer.render(glbOf(CUBE).slice(0, 200))).toBeUndefined()
    expect(await previewer.render(glbOf(CUBE, { scene: 9 }))).toBeUndefined()
    expect(await previewer.render(glbOf(CUBE))).toBeDefined()
  })

  it('gives nothing for what takes too long, and goes on with the next', async () => {
    const hasty = previewerOf({ timeoutMs: 1 })
    expect(await hasty.render(large())).toBeUndefined()
    expect(await previewerOf().render(glbOf(CUBE))).toBeDefined()
  })

  it('gives nothing when it is aborted, running or waiting, and nothing keeps the others from theirs', async () => {
    const previewer = previewerOf()
    const [first, second] = [new AbortController(), new AbortController()]
    const running = previewer.render(large(), first.signal)
    const waiting = previewer.render(glbOf(CUBE), second.signal)
    const other = previewer.render(glbOf(CUBE))
    second.abort()
    expect(await waiting).toBeUndefined()
    first.abort()
    expect(await running).toBeUndefined()
    expect(await other).toBeDefined()
    expect(await previewer.render(glbOf(CUBE), AbortSignal.abort())).toBeUndefined()
  })

  it('gives nothing at once where too many wait', async () => {
    const previewer = previewerOf({ mostWaiting: 1 })
    const [first, second, third] = [CUBE, CUBE, CUBE].map(surface => previewer.render(glbOf(surface)))
    expect(await third).toBeUndefined()
    expect(await first).toBeDefined()
    expect(await second).toBeDefined()
  })

  it('ends with nothing for all when it is closed', async () => {
    const previewer = previewerOf()
    const [running, waiting] = [previewer.render(large()), previewer.render(glbOf(CUBE))]
    await previewer.close()
    expect(await running).toBeUndefined()
    expect(await waiting).toBeUndefined()
    expect(await previewer.render(glbOf(CUBE))).toBeUndefined()
  })
})
