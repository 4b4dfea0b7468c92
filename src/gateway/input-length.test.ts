/** A price by the second of what goes in: held for what was measured where the file is ours, else for the longest there can be. */
import { expect, test } from 'vitest'
import type { MediaInput } from '#spec/media.ts'
import type { SpeechRequest } from '#spec/speech.ts'
import type { ModelSource } from '#testing/catalog-source.ts'
import type { Payer } from '#testing/payer.ts'
import { ScriptedTasks } from '#testing/scripted-tasks.ts'
import type { House } from '#testing/world.ts'
import { worldOfFile } from '#testing/world-of-file.ts'
import { answerOf, errorOf } from './tasks.fixture.ts'

/** $0.001 a second with the 40 % of the first tier. */
const SECOND_NANO_USD = 1_400_000n

const world = worldOfFile()

const model = (id: string, media: Partial<NonNullable<ModelSource['media']>>): ModelSource => ({
  id,
  name: id,
  vendor: 'acme',
  operation: 'speech',
  media: { actions: ['speech2text'], ...media },
  offerings: [{ provider: 'alpha', upstream_model: 'alpha-ears', price: { unit: 'second', usd: '0.001' } }],
})

function open(): { house: House; alpha: ScriptedTasks } {
  const alpha = new ScriptedTasks('alpha')
  const house = world.open({
    models: [
      model('ears', { max_input_seconds: 600 }),
      model('changed', { actions: ['dubbing'] }),
      model('longer', { actions: ['extend_audio'], max_input_seconds: 600 }),
    ],
    replace: () => ({ providers: new Map([[alpha.id, alpha.registered]]) }),
  })
  return { house, alpha }
}

/** Silence, a byte a sample and eight thousand a second. */
function wav(seconds: number): Buffer {
  const data = Buffer.alloc(Math.round(seconds * 8_000), 128)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + data.length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8_000, 24)
  head.writeUInt32LE(8_000, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36)
  head.writeUInt32LE(data.length, 40)
  return Buffer.concat([head, data])
}

const audio = (url: string, param = 'audio'): MediaInput => ({ role: 'audio', url, param })
const inline = (seconds: number, param?: string) =>
  audio(`data:audio/wav;base64,${wav(seconds).toString('base64')}`, param)

function heard(inputs: readonly MediaInput[], name = 'ears'): SpeechRequest {
  return {
    operation: 'speech',
    model: name,
    action: undefined,
    prompt: '',
    negativePrompt: undefined,
    inputs,
    count: 1,
    seed: undefined,
    options: {},
    voice: undefined,
    dialogue: [],
    languageCode: undefined,
    durationSeconds: undefined,
    format: undefined,
  }
}

async function submit(house: House, payer: Payer, request: SpeechRequest) {
  const call = await payer.call('/task')
  const submission = { request, family: 'test', wire: {}, callbackUrl: undefined }
  await house.gateway.submit(call, submission, answerOf)
  return async () => {
    const found = await house.gateway.findTask(await payer.call('/look'), call.requestId)
    if (!found) throw new Error('a task that was submitted is not found')
    return found
  }
}

async function stored(house: House, payer: Payer, seconds: number): Promise<string> {
  const { url } = await house.gateway.storeFile(
    await payer.call('/files'),
    { bytes: wav(seconds) },
    { param: 'audio', role: 'audio' },
  )
  return url
}

test('a sound of ours is held and charged by its own length, though only words come out', async () => {
  const { house, alpha } = open()
  const payer = await house.payer()
  alpha.willCheck({ kind: 'succeeded', outputs: [], result: { text: 'la' } })
  const look = await submit(house, payer, heard([inline(7.2)]))
  expect(await look()).toMatchObject({ heldNanoUsd: 8n * SECOND_NANO_USD })
  await house.step()
  await house.step()
  expect(await look()).toMatchObject({ state: 'succeeded', chargedNanoUsd: 8n * SECOND_NANO_USD })
  expect(await payer.spent()).toBe(8n * SECOND_NANO_USD)
})

test('an upload that is named by its address counts likewise, and a quote says the same', async () => {
  const { house, alpha } = open()
  const payer = await house.payer()
  alpha.willCheck({ kind: 'succeeded', outputs: [], result: { text: 'la' } })
  const request = heard([audio(await stored(house, payer, 3.5))])
  const quoted = await house.gateway.quote(await payer.call('/quote'), request)
  expect(quoted).toMatchObject({ highestNanoUsd: 4n * SECOND_NANO_USD })
  const look = await submit(house, payer, request)
  expect(await look()).toMatchObject({ heldNanoUsd: 4n * SECOND_NANO_USD })
  await house.step()
  await house.step()
  expect(await payer.spent()).toBe(4n * SECOND_NANO_USD)
})

test.each([
  // Ten minutes of sound is what a model is held for that says no length.
  [5, 600n],
  [700, 700n],
])(
  'a sound of %d s that becomes a sound is held for %d: more than usual, and never less',
  async (lasts, seconds) => {
    const { house, alpha } = open()
    const payer = await house.payer()
    alpha.willCheck({ kind: 'succeeded', outputs: [], result: { text: 'la' } })
    const look = await submit(house, payer, heard([inline(lasts)], 'changed'))
    expect(await look()).toMatchObject({ heldNanoUsd: seconds * SECOND_NANO_USD })
    await house.step()
    await house.step()
  },
)

test.each([
  ['behind somebody else’s address', () => heard([audio('https://example.com/a.wav')])],
  [
    'of which one is behind somebody else’s address',
    () => heard([inline(2), audio('https://example.com/a.wav')]),
  ],
  ['that is gone on from', () => heard([inline(2)], 'longer')],
])('a sound %s is held for the longest that the model takes', async (_name, request) => {
  const { house, alpha } = open()
  const payer = await house.payer()
  alpha.willCheck({ kind: 'succeeded', outputs: [], result: { text: 'la' } })
  const look = await submit(house, payer, request())
  expect(await look()).toMatchObject({ heldNanoUsd: 600n * SECOND_NANO_USD })
  await house.step()
  await house.step()
})

test('a sound that is longer than the model takes is refused before anything is held', async () => {
  const { house } = open()
  const payer = await house.payer()
  const refused = submit(house, payer, heard([inline(602, 'audio_url')]))
  expect(await errorOf(refused)).toMatchObject({ code: 'input_rejected', param: 'audio_url' })
  expect(await payer.spent()).toBe(0n)
})
