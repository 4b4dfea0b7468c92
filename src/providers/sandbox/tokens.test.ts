import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chatRequest, user, WEATHER } from './bench.fixture.ts'
import { cutToTokens, inputTokensOf, tokensOfText } from './tokens.ts'

const anyText = fc.string({ unit: fc.constantFrom('a', 'é', '中', '🎈', ' ') })

describe('tokens', () => {
  it('of a cut text are never more than asked, and no character is torn', () => {
    fc.assert(
      fc.property(anyText, fc.nat(20), (text, tokens) => {
        const cut = cutToTokens(text, tokens)
        expect(text.startsWith(cut)).toBe(true)
        expect(cut.isWellFormed()).toBe(true)
        expect(tokensOfText(cut)).toBeLessThanOrEqual(tokens)
        const next = [...text.slice(cut.length)][0] ?? ''
        if (next !== '') expect(tokensOfText(cut + next)).toBeGreaterThan(tokens)
      }),
    )
  })

  it('of an input are never more than its bytes and a constant for each message, tool and attachment', () => {
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 1, maxLength: 5 }), texts => {
        const tokens = inputTokensOf(chatRequest(texts.map(user), { tools: [WEATHER] }))
        const bytes = Buffer.byteLength(texts.join('')) + Buffer.byteLength(JSON.stringify(WEATHER))
        expect(tokens).toBeLessThanOrEqual(bytes + 3 + 3 * texts.length + 8)
      }),
    )
  })

  it('of an image, a sound and a file are 85 each, whatever their size', () => {
    const image = { type: 'image', url: `data:image/png;base64,${'A'.repeat(100_000)}` } as const
    const request = chatRequest([{ role: 'user', content: [image] }])
    expect(inputTokensOf(request)).toBe(3 + 3 + 85)
  })
})
