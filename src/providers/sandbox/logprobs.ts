/** Log probabilities of tokens, drawn from the tokens themselves: the same answer is always equally sure of itself. */
import type { ChatRequest, TokenLogprob } from '#spec/chat.ts'
import { randomOf } from './random.ts'

/** What a model might have said instead. */
const OTHERS = [
  ' the',
  ' a',
  ' of',
  ' and',
  ' to',
  ' in',
  ' is',
  ' it',
  ' that',
  ' for',
  ' on',
  ' as',
  ' with',
  ' by',
  ' at',
  ' an',
  ' be',
  ' or',
  ' from',
  ' not',
]

/** For each piece, where the request asks for them; `undefined` otherwise. */
export function logprobsOf(pieces: readonly string[], request: ChatRequest): TokenLogprob[] | undefined {
  if (request.logprobs !== true) return undefined
  return pieces.map((token, at) => {
    const random = randomOf('logprob', token, String(at))
    const logprob = -random.next() * 0.7
    const others = random
      .shuffle(OTHERS.filter(other => other !== token))
      .slice(0, Math.max(0, (request.topLogprobs ?? 0) - 1))
    let least = logprob
    const top = others.map(other => {
      least -= 0.5 + random.next()
      return { token: other, logprob: least }
    })
    return { token, logprob, top: request.topLogprobs ? [{ token, logprob }, ...top] : [] }
  })
}
