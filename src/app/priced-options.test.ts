/** What a client says beside our own fields can make a call cheaper only where the vendor is told of it. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { completeMedia, loadCatalog } from '#modules/catalog/index.ts'
import { mediaBound } from '#modules/pricing/index.ts'
import { startRequest } from '#provider-kit/task-conformance/bench.suite.ts'
import {
  anImage,
  aShape,
  aSong,
  aSpeech,
  aVideo,
  file,
} from '#provider-kit/task-conformance/requests.fixture.ts'
import { createCall, type TaskProviderSpec } from '#provider-kit/task-spec/index.ts'
import { FAL } from '#providers/fal/index.ts'
import { KIE } from '#providers/kie/index.ts'
import { REPLICATE } from '#providers/replicate/index.ts'
import type { Json } from '#spec/json.ts'
import type { InputRole } from '#spec/media.ts'
import { priceOf } from '#spec/money.ts'
import type { MediaPrice, Model, Offering } from '#spec/offering.ts'
import { MEDIA_OPERATIONS, type MediaOperation, type MediaOperationName } from '#spec/operation.ts'
import { ROOT } from './config.ts'

const SPECS: Readonly<Record<string, TaskProviderSpec>> = { fal: FAL, kie: KIE, replicate: REPLICATE }
/** Fields of ours: dialects never leave them among the options. */
const OURS = new Set(['resolution', 'duration', 'audio', 'size', 'image_size', 'video_input'])
const FILES: readonly (readonly InputRole[])[] = [
  [],
  ['image'],
  ['image', 'image'],
  ['first_frame', 'last_frame'],
  ['reference_image'],
  ['video'],
  ['image', 'video'],
  ['audio'],
  ['image', 'audio'],
  ['video', 'audio'],
]
const REQUESTS: Readonly<Record<MediaOperationName, (parts: object) => MediaOperation>> = {
  image: anImage,
  video: aVideo,
  music: aSong,
  speech: aSpeech,
  mesh: aShape,
}

const catalog = loadCatalog({ folders: [join(ROOT, 'catalog')] })

interface Ask {
  readonly model: Model
  readonly offering: Offering & { readonly mediaPrice: MediaPrice }
  readonly spec: TaskProviderSpec
  readonly action: string
}

/** What is sent, and what is held for it; `undefined` where this cannot be asked of it. */
function asked({ model, offering, spec, action }: Ask, roles: readonly InputRole[], options: object) {
  const inputs = roles.map((role, at) => ({ role, url: `https://in.test/${at}`, param: role }))
  try {
    const plain = REQUESTS[model.operation as MediaOperationName]({
      model: model.id,
      action,
      inputs,
      options,
    })
    const request = completeMedia(model, plain)
    const sent = { ...request, options: { ...request.options, ...offering.options } }
    const call = createCall(
      spec,
      startRequest(offering.endpoints[action] ?? offering.upstreamModel, {
        request: sent,
        action,
        inputs: roles.map((role, at) => file(role, String(at))),
      }),
    )
    const held = priceOf(mediaBound({ request, model, offering }), 0).chargeNanoUsd
    return { body: JSON.stringify(call?.body), held }
  } catch {
    return undefined
  }
}

function* asks(): Generator<Ask> {
  for (const model of MEDIA_OPERATIONS.flatMap(operation =>
    catalog.list('live').filter(one => one.operation === operation),
  )) {
    for (const offering of model.offerings) {
      const { mediaPrice, provider, endpoints } = offering
      const spec = SPECS[provider]
      if (spec === undefined || mediaPrice === undefined) continue
      const named = Object.keys(endpoints)
      for (const action of named.length > 0 ? named : (model.media?.actions ?? []))
        yield { model, offering: { ...offering, mediaPrice }, spec, action }
    }
  }
}

/** The words of its price that are no fields of ours, and two that every price of frames once believed. */
function wordsOf({ offering: { mediaPrice }, action }: Ask): [string, Json][] {
  const { variants } = mediaPrice.byAction[action] ?? mediaPrice
  const words = variants.flatMap(({ when }) => Object.entries(when)).filter(([name]) => !OURS.has(name))
  const typed = words.map(([name, text]): [string, Json] => {
    if (text === 'true' || text === 'false') return [name, text === 'true']
    return [name, /^\d+$/.test(text) ? Number(text) : text]
  })
  return [...words, ...typed, ['fps', 1], ['frames_per_second', 1]]
}

test('an option makes no call cheaper that the vendor is not told of', () => {
  let looked = 0
  const unheard: string[] = []
  for (const ask of asks()) {
    const roles = FILES.find(one => asked(ask, one, {}) !== undefined)
    const plain = roles && asked(ask, roles, {})
    if (roles === undefined || plain === undefined) continue
    for (const [name, value] of wordsOf(ask)) {
      const said = asked(ask, roles, { [name]: value })
      if (said === undefined) continue
      looked += 1
      if (said.held < plain.held && said.body === plain.body)
        unheard.push(`${ask.offering.id} ${ask.action}: ${name} ${JSON.stringify(value)}`)
    }
  }
  expect(unheard).toEqual([])
  expect(looked).toBeGreaterThan(1_000)
})
