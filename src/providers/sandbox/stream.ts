/** An answer in pieces, in the order and at the pace in which a vendor would send it. */
import type { ChatRequest, ChatStreamPart } from '#spec/chat.ts'
import { type ChatStreamReceiver, ProviderFailure } from '#spec/provider.ts'
import type { FaultEffect } from './faults.ts'
import { logprobsOf } from './logprobs.ts'
import type { VendorTime } from './pace.ts'
import type { ChatPlan, PlannedChoice } from './plan.ts'
import { tokensOfBytes, tokensOfText } from './tokens.ts'

interface Piece {
  readonly part: ChatStreamPart
  readonly tokens: number
}

/** Sends the plan. A `break` or `silence` effect ends it after its share, by a ProviderFailure. */
export async function sendPlan(
  plan: ChatPlan,
  request: ChatRequest,
  time: VendorTime,
  receive: ChatStreamReceiver,
  effect: FaultEffect | undefined,
): Promise<void> {
  const all = interleaved(plan.choices.map(choice => piecesOf(choice, request)))
  const share = effect?.kind === 'break' || effect?.kind === 'silence' ? effect.share : undefined
  const sent = share === undefined ? all : all.slice(0, lengthOfShare(all, share))
  await time.untilFirstByte(plan.usage.reasoningTokens)
  for (const write of writesOf(sent, time.tokensPerWrite)) {
    await time.untilTokens(tokensIn(write), plan.choices.length)
    await receive(write.map(piece => piece.part))
    time.throwIfAborted()
  }
  if (effect?.kind === 'silence') await time.silence(sent.length > 0)
  if (effect?.kind === 'break') throw new ProviderFailure('interrupted', effect.message)
}

/** At least one piece, and never a finish. */
function lengthOfShare(pieces: readonly Piece[], share: number): number {
  const unfinished = pieces.findIndex(piece => piece.part.type === 'finish')
  return Math.min(unfinished, Math.max(1, Math.floor(pieces.length * share)))
}

function tokensIn(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.tokens, 0)
}

/** Groups of pieces with about so many tokens each, at least one piece. */
function* writesOf(pieces: readonly Piece[], tokens: number): Generator<readonly Piece[]> {
  let write: Piece[] = []
  let gathered = 0
  for (const piece of pieces) {
    write.push(piece)
    gathered += piece.tokens
    if (gathered < tokens) continue
    yield write
    write = []
    gathered = 0
  }
  if (write.length > 0) yield write
}

/** One piece of each choice in turn, as vendors send choices side by side. */
function interleaved(choices: readonly (readonly Piece[])[]): Piece[] {
  const longest = choices.reduce((most, pieces) => Math.max(most, pieces.length), 0)
  return Array.from({ length: longest }, (_, at) =>
    choices.flatMap(pieces => pieces.slice(at, at + 1)),
  ).flat()
}

function piecesOf(choice: PlannedChoice, request: ChatRequest): Piece[] {
  const { index, text, toolCalls, finishReason } = choice
  const logprobs = textLogprobs(text, request)
  return [
    ...pieced(text ?? '').map((piece, at) => ({
      part: {
        type: 'text-delta',
        choice: index,
        text: piece.text,
        logprobs: logprobs?.slice(at, at + 1),
      } as const,
      tokens: piece.tokens,
    })),
    ...toolCalls.flatMap((call, at) => piecesOfCall(index, at, call)),
    { part: { type: 'finish', choice: index, reason: finishReason }, tokens: 0 },
  ]
}

/** How sure the sandbox is of a text, piece by piece as it is streamed. */
export function textLogprobs(text: string | null, request: ChatRequest) {
  if (request.logprobs !== true || text === null) return undefined
  return logprobsOf(
    pieced(text).map(piece => piece.text),
    request,
  )
}

/** Id and name come first and once, then the arguments in fragments. */
function piecesOfCall(choice: number, index: number, call: PlannedChoice['toolCalls'][number]): Piece[] {
  const { id, name } = call
  return [
    { part: { type: 'tool-call-delta', choice, index, id, name, arguments: '' }, tokens: tokensOfText(name) },
    ...pieced(call.arguments).map(({ text, tokens }) => ({
      part: { type: 'tool-call-delta', choice, index, arguments: text } as const,
      tokens,
    })),
  ]
}

/** Cuts a text before its words, and long words into lengths; the pieces' tokens sum to the text's. */
function pieced(text: string): { text: string; tokens: number }[] {
  let bytes = 0
  let counted = 0
  return (text.match(/\s*\S{1,12}|\s+$/gu) ?? []).map(piece => {
    bytes += Buffer.byteLength(piece)
    const tokens = tokensOfBytes(bytes) - counted
    counted += tokens
    return { text: piece, tokens }
  })
}
