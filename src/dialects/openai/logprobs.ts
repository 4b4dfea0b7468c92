/** Log probabilities as OpenAI writes them, in whole answers and in chunks. */
import type { TokenLogprob } from '#spec/chat.ts'

/** The `logprobs` of a choice: `null` where there are none. */
export function logprobsBody(logprobs: readonly TokenLogprob[] | undefined): object | null {
  if (logprobs === undefined) return null
  return {
    content: logprobs.map(({ top, ...sure }) => ({ ...tokenBody(sure), top_logprobs: top.map(tokenBody) })),
    refusal: null,
  }
}

function tokenBody({ token, logprob }: { readonly token: string; readonly logprob: number }) {
  return { token, logprob, bytes: [...Buffer.from(token)] }
}
