import { describe, expect, it } from 'vitest'
import { type ModelEntry, modelSchema } from '#spec/offering.ts'
import { mediaProblems } from './media-model.ts'

function entry(id: string, fields: object = {}): ModelEntry {
  return modelSchema.parse({ id, name: id, vendor: 'acme', operation: 'chat', ...fields })
}

describe('a mistake in the media half of an entry', () => {
  const media = (facts: object, fields: object = {}) =>
    entry('one', { operation: 'video', media: { actions: ['text2video'], ...facts }, ...fields })
  const row = (price: object) => ({ provider: 'a', upstream_model: 'up', price })

  it.each([
    [entry('one', { operation: 'image', offerings: [] }), /media: a model for image needs it/],
    [entry('one', { media: { actions: ['x'] } }), /media: only media models have it/],
    [media({ durations_seconds: [5], default_duration_seconds: 6 }), /default_duration_seconds: is none/],
    [media({}, { alias_actions: { uno: 'text2video' } }), /alias_actions: "uno" is none of the aliases/],
    [
      media({}, { aliases: ['uno'], alias_actions: { uno: 'x' } }),
      /alias_actions: "x" is none of the model's actions/,
    ],
    [
      media({}, { offerings: [{ provider: 'a', upstream_model: 'b', endpoints: { x: 'y' } }] }),
      /offerings\[0\]\.endpoints: "x"/,
    ],
    [
      media(
        {},
        { offerings: [{ provider: 'a', upstream_model: 'b', price_usd_per_million_tokens: { input: '1' } }] },
      ),
      /price_usd_per_million_tokens: is for chat and embeddings/,
    ],
    [entry('one', { offerings: [row({ unit: 'image', usd: '1' })] }), /offerings\[0\]\.price: is for media/],
    [
      media(
        {},
        { offerings: [row({ unit: 'second', usd: '1', variants: [{ when: { audio: 'true' }, usd: '2' }] })] },
      ),
      /price\.usd: is below a variant/,
    ],
    [
      media({}, { offerings: [row({ unit: 'second', usd: '1', by_action: { x: { usd: '1' } } })] }),
      /by_action: "x" is none/,
    ],
  ])('%# is refused', (bad, problem) => {
    expect(mediaProblems(bad).join('\n')).toMatch(problem)
  })

  it('is not seen where there is none', () => {
    const price = { unit: 'second', usd: '2', variants: [{ when: { audio: 'false' }, usd: '1' }] }
    const fields = { aliases: ['uno'], alias_actions: { uno: 'text2video' }, offerings: [row(price)] }
    expect(mediaProblems(media({ durations_seconds: [5, 6], default_duration_seconds: 6 }, fields))).toEqual(
      [],
    )
    expect(mediaProblems(entry('one'))).toEqual([])
  })
})
