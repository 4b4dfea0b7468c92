import { expect, test } from 'vitest'
import { ruleSentences } from './collision-rules.ts'

test('every rule is a sentence, in their order', () => {
  const sentences = ruleSentences(
    {
      method: 'POST',
      path: '/generate',
      rules: [
        { claimant: 'one', anyField: ['style', 'title'] },
        { claimant: 'two', fields: { model: /\// }, query: { v: '2' } },
        { claimant: 'one', anyField: ['seconds'], refuses: 'Use another path.' },
        { byKey: true },
        { claimant: 'two', header: 'authorization' },
      ],
      otherwise: 'one',
    },
    id => id.toUpperCase(),
  )
  expect(sentences).toEqual([
    'The body has `style` or `title`: ONE.',
    '`model` matches `\\/` and the query has `v=2`: TWO.',
    'The body has `seconds`: refused. Use another path.',
    'The key has a default dialect that serves this path: that one.',
    'There is a header `authorization`: TWO.',
    'Anything else: ONE.',
  ])
})
