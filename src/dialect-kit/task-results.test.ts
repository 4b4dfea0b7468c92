import { expect, it } from 'vitest'
import { TASK_STATES } from '#spec/task.ts'
import { balanceNumber, chargedNumber, wholeCreditsNumber } from './credit-number.ts'
import { artifact, task } from './task.fixture.ts'
import { failureSentence, msTaken, pictureUrlOf, resultsOf, takenNanoUsd } from './task-results.ts'
import { isWebUrl } from './web-url.ts'

it('results come in their order, without covers', () => {
  const made = task({
    artifacts: [
      artifact({ index: 1, kind: 'audio' }),
      artifact({ role: 'cover' }),
      artifact({ index: 0, kind: 'audio' }),
      artifact({ index: 2 }),
    ],
  })
  expect(resultsOf(made).map(({ index }) => index)).toEqual([0, 1, 2])
  expect(resultsOf(made, 'audio').map(({ index }) => index)).toEqual([0, 1])
})

it('a picture is the cover of the very result, else its thumbnail, else none', () => {
  const [first, second] = [artifact({ index: 0, thumbnailUrl: 'https://x.test/t' }), artifact({ index: 1 })]
  const cover = artifact({ role: 'cover', index: 1, url: 'https://x.test/c' })
  const made = task({ artifacts: [first, second, cover] })
  expect(pictureUrlOf(made, second)).toBe('https://x.test/c')
  expect(pictureUrlOf(made, first)).toBe('https://x.test/t')
  expect(pictureUrlOf(made, artifact({ thumbnailUrl: undefined }))).toBeUndefined()
})

it('what is taken is what was held, then what was charged, then nothing', () => {
  const taken = TASK_STATES.map(state =>
    takenNanoUsd(task({ state, heldNanoUsd: 5n, chargedNanoUsd: state === 'succeeded' ? 3n : 0n })),
  )
  expect(taken).toEqual([5n, 5n, 3n, 0n, 0n, 0n])
})

it('only an end without a result has a sentence', () => {
  const sentences = TASK_STATES.map(state => failureSentence(task({ state })) !== undefined)
  expect(sentences).toEqual([false, false, false, true, true, true])
})

it('the time taken is from the create call to the end', () => {
  expect(msTaken(task())).toBe(2_450)
  expect(msTaken(task({ endedAt: undefined }))).toBeUndefined()
})

it('credits are written digit for digit', () => {
  const credits = { nanoUsdPerCredit: 10_000_000n }
  const amounts = [
    chargedNumber(1n, credits),
    balanceNumber(90_071_992_547_409_930_000_001n, credits),
    wholeCreditsNumber(929_999_999n, credits),
    wholeCreditsNumber(0n, credits),
    wholeCreditsNumber(-1n, credits),
    wholeCreditsNumber(-20_000_000n, credits),
  ]
  expect(JSON.stringify(amounts)).toBe('[0.0000001,9007199254740993.0000001,92,0,-1,-2]')
})

it.each([
  ['https://example.com/a.png', true],
  ['http://example.com', true],
  ['ftp://example.com/a', false],
  ['file:///etc/passwd', false],
  ['javascript:alert(1)', false],
  ['example.com/a.png', false],
  ['', false],
  [`https://example.com/${'a'.repeat(8_192)}`, false],
])('%j is an address of the web: %s', (text, is) => {
  expect(isWebUrl(text)).toBe(is)
})
