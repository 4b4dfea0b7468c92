import { describe, expect, it } from 'vitest'
import { fieldsBeyondPrice } from './beyond-price.ts'
import { chat, wireChat } from './pricing.fixture.ts'

describe('fields that change the price', () => {
  it.each([
    [{ service_tier: 'priority' }, ['service_tier']],
    [{ web_search_options: {} }, ['web_search_options']],
    [{ modalities: ['text', 'audio'], audio: { voice: 'alloy' } }, ['audio', 'modalities']],
    [{ plugins: [{ id: 'web' }], models: ['other/model'] }, ['models', 'plugins']],
    [{ provider: { order: ['dear'] } }, ['provider']],
    [{ speed: 'fast' }, ['speed']],
    [{ tools: [{ type: 'function', function: { name: 'f' } }, { type: 'web_search' }] }, ['tools']],
  ])('are named for %j', (body, fields) => {
    expect(fieldsBeyondPrice(wireChat(body)).sort()).toEqual(fields)
  })

  it('are none in an ordinary call', () => {
    const ordinary = {
      service_tier: 'auto',
      modalities: ['text'],
      models: [],
      audio: null,
      tools: [{ type: 'function', function: { name: 'f' } }],
    }
    expect(fieldsBeyondPrice(wireChat(ordinary))).toEqual([])
    expect(fieldsBeyondPrice(chat())).toEqual([])
  })
})
