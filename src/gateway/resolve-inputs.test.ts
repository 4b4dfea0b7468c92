/** Files behind others' addresses, as a provider is given them: looked at first, and never anything but what was looked at. */
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { FileRecord } from '#modules/files/index.ts'
import type { Uuid } from '#spec/ids.ts'
import { type SafeFetch, SafeFetchError } from '#spec/safe-fetch.ts'
import type { InputForm } from '#spec/task-provider.ts'
import { PIXEL } from '#testing/scripted-tasks.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { resolveInputs } from './resolve-inputs.ts'

const world = worldOfFile()

const PAGE = Buffer.from('<html>gone</html>')

type Reply =
  | { readonly status?: number; readonly bytes: Buffer; readonly announced?: number }
  | SafeFetchError

/** Resolves one image behind an address that gives these replies in turn, and tells how often it was asked. */
function resolve(forms: readonly InputForm[], ...replies: Reply[]) {
  let asked = 0
  const safeFetch: SafeFetch = async url => {
    const reply = replies[asked++]
    if (reply === undefined) throw new Error('asked once too often')
    if (reply instanceof SafeFetchError) throw reply
    const { status = 200, bytes, announced = bytes.length } = reply
    const headers = { 'content-length': String(announced) }
    return { status, headers, contentType: undefined, finalUrl: url, body: Readable.from([bytes]) }
  }
  const { parts } = world.open({ replace: ({ media }) => ({ media: { ...media, safeFetch } }) })
  const account = { workspaceId: '01980000-0000-7000-8000-000000000001' as Uuid, mode: 'live' as const }
  const input = { role: 'image', url: 'https://pictures.test/a.png', param: 'image_url' } as const
  const resolved = resolveInputs(parts, account, [input], forms, new AbortController().signal)
  return { resolved: resolved.then(([one]) => one), asked: () => asked }
}

test('a provider that fetches by itself is given the address, once it was looked at', async () => {
  const { resolved, asked } = resolve(['url', 'data-uri'], { bytes: PIXEL })
  expect(await resolved).toMatchObject({ url: 'https://pictures.test/a.png', contentType: 'image/png' })
  expect(asked()).toBe(1)
})

test('a provider that takes bytes is given the very ones that were looked at', async () => {
  const { resolved, asked } = resolve(['data-uri'], { bytes: PIXEL })
  const input = await resolved
  expect(input?.url).toBe(`data:image/png;base64,${PIXEL.toString('base64')}`)
  expect(await input?.read()).toEqual(PIXEL)
  expect(asked()).toBe(1)
})

test('a provider that looks at nothing makes nobody be asked', async () => {
  const { resolved, asked } = resolve([])
  expect(await resolved).toMatchObject({ url: 'https://pictures.test/a.png' })
  expect(asked()).toBe(0)
})

const REFUSED: readonly (readonly [string, readonly InputForm[], Reply, RegExp])[] = [
  ['a page instead of a picture', ['url'], { bytes: PAGE }, /image_url is not an image file/],
  ['a page instead of a picture, as bytes', ['bytes'], { bytes: PAGE }, /image_url is not an image file/],
  ['an error of its server', ['url'], { status: 404, bytes: PAGE }, /its server answered 404/],
  ['an error of its server, as bytes', ['bytes'], { status: 403, bytes: PIXEL }, /its server answered 403/],
  ['one that says it is too long', ['url'], { bytes: PIXEL, announced: 2 ** 40 }, /is larger than \d+ bytes/],
  [
    'one that may not be reached',
    ['url'],
    new SafeFetchError('blocked_address', 'points to a private address'),
    /could not be fetched: it points to a private address/,
  ],
]
test.each(REFUSED)('%s is said to the client by its field', async (_, forms, reply, message) => {
  await expect(resolve(forms, reply).resolved).rejects.toMatchObject({
    name: 'InputUnusable',
    param: 'image_url',
    message: expect.stringMatching(message),
  })
})

test('a file of ours that is larger than what may be sent is not read into memory for a provider that takes bytes', async () => {
  const account = { workspaceId: '01980000-0000-7000-8000-000000000001' as Uuid, mode: 'live' as const }
  const { parts } = world.open({
    replace: ({ media }) => {
      const { maxUploadBytes } = media.settings
      const film = {
        account,
        contentType: 'video/mp4',
        sizeBytes: maxUploadBytes + 1,
        objectKey: 'files/of/ours.bin',
      }
      const files = { ...media.files, findByToken: async () => film as FileRecord }
      const objects = { ...media.objects, get: () => expect.unreachable('it is not read') }
      return { media: { ...media, files, objects } }
    },
  })
  const url = `${parts.media.settings.publicUrl}/files/${'a'.repeat(43)}/film.mp4`
  const inputs = [{ role: 'video', url, param: 'video_url' }] as const
  const { signal } = new AbortController()
  await expect(resolveInputs(parts, account, inputs, ['data-uri'], signal)).rejects.toMatchObject({
    name: 'InputUnusable',
    message: expect.stringMatching(/video_url is larger than \d+ bytes/),
  })
  expect(await resolveInputs(parts, account, inputs, [], signal)).toMatchObject([{ url }])
})
