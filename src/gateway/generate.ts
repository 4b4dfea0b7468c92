/** A call that is answered whole: admit, ask, settle, answer. */
import type { StoredAnswer } from '#modules/idempotency/index.ts'
import { coveredOutputTokens } from '#modules/pricing/index.ts'
import type { ChatRequest, ChatResult, ChatStreamPart } from '#spec/chat.ts'
import type { EmbedRequest, EmbedResult } from '#spec/embed.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, WireAnswer } from '#spec/gateway.ts'
import type { InlineOperation } from '#spec/operation.ts'
import type { ProviderContext } from '#spec/provider.ts'
import type { Outcome, TokenUsage } from '#spec/receipt.ts'
import type { Admission, Candidate } from './admission.ts'
import { admit } from './admit.ts'
import { AttemptsFailed, askCandidates, openCallsOf } from './attempt.ts'
import type { Circuits } from './circuit.ts'
import { type Bill, billOf, keepAnswer, releaseCall, settleCall, type Work, workOf } from './finish.ts'
import type { GatewayParts } from './parts.ts'
import { StreamRun } from './stream-run.ts'

/** What a provider gave for a call, before it is charged. */
interface Given<Result> {
  readonly candidate: Candidate
  readonly result: Result
  readonly usage: TokenUsage | undefined
  readonly outputBytes: number
  readonly outcome: Outcome
  readonly firstByteMs: number | undefined
}

export async function chat(
  parts: GatewayParts,
  circuits: Circuits,
  call: Call,
  request: ChatRequest,
  render: (result: ChatResult, chargedNanoUsd: bigint) => WireAnswer,
): Promise<WireAnswer> {
  const admission = await admit(parts, call, request, false)
  if ('replay' in admission) return admission.replay
  const ask = growsWhileItRuns(admission) ? askByStream : askWhole
  return conclude(parts, admission, () => ask(parts, circuits, admission), render)
}

export async function embed(
  parts: GatewayParts,
  circuits: Circuits,
  call: Call,
  request: EmbedRequest,
  render: (result: EmbedResult) => WireAnswer,
): Promise<WireAnswer> {
  const admission = await admit(parts, call, request, false)
  if ('replay' in admission) return admission.replay
  return conclude(parts, admission, () => askEmbed(parts, circuits, admission), render)
}

/** Settles what was given and answers with it, or gives the hold back and throws what the client is told. */
async function conclude<
  Request extends InlineOperation,
  Result extends { readonly usage: TokenUsage | undefined },
>(
  parts: GatewayParts,
  admission: Admission<Request>,
  ask: () => Promise<Given<Result>>,
  render: (result: Result, chargedNanoUsd: bigint) => WireAnswer,
): Promise<WireAnswer> {
  try {
    const given = await ask()
    const work = workOf(admission, given.candidate, given)
    const bill = billOf(admission, work)
    const answerFor = (chargedNanoUsd: bigint) =>
      render({ ...given.result, usage: work.usage }, chargedNanoUsd)
    const answer = answerFor(bill.payableNanoUsd)
    if (admission.idempotent) await keepAnswer(parts, admission, toStored(answer))
    return await settled(parts, admission, work, bill, { answer, answerFor })
  } catch (thrown) {
    if (thrown instanceof SettleFailed) throw thrown.cause
    const failed = thrown instanceof AttemptsFailed ? thrown : undefined
    const left = admission.call.signal.aborted
    const outcome = left ? 'client_left' : (failed?.outcome ?? 'internal_failure')
    await releaseCall(parts, admission, outcome, failed?.candidate)
    throw failed?.error ?? thrown
  }
}

/** The settle itself failed: whether the hold is still open is not known, so it must not be released. */
class SettleFailed extends Error {}

async function settled(
  parts: GatewayParts,
  admission: Admission,
  work: Work,
  bill: Bill,
  rendered: { readonly answer: WireAnswer; readonly answerFor: (chargedNanoUsd: bigint) => WireAnswer },
): Promise<WireAnswer> {
  let { answer } = rendered
  try {
    const { chargedNanoUsd } = await settleCall(parts, admission, work, bill)
    if (chargedNanoUsd !== bill.payableNanoUsd) answer = rendered.answerFor(chargedNanoUsd)
  } catch (cause) {
    throw new SettleFailed('a call could not be settled', { cause })
  }
  parts.crashPoint('before-answer')
  return answer
}

function toStored(answer: WireAnswer): StoredAnswer {
  return {
    status: answer.status,
    headers: answer.headers ?? {},
    contentType: answer.contentType,
    body: Buffer.from(answer.body),
  }
}

/** A hold that does not cover everything at every candidate is raised while the answer comes: it is streamed inside. */
function growsWhileItRuns({ plan, hold, candidates }: Admission): boolean {
  if (plan.growth !== 'steps' || !hold) return false
  return candidates.some(
    one => coveredOutputTokens(one.plan, hold.amountNanoUsd, one.offering) < one.plan.outputTokens,
  )
}

async function askWhole(
  parts: GatewayParts,
  circuits: Circuits,
  admission: Admission<ChatRequest>,
): Promise<Given<ChatResult>> {
  const { candidate, result } = await askInline(parts, circuits, admission, (one, context) => {
    const capability = one.provider.capabilities.chat
    if (!capability) throw new Error(`${one.offering.provider} offers a chat model and has no chat`)
    return capability.chat(admission.request, context)
  })
  const { usage, outputBytes } = result
  return { candidate, result, usage, outputBytes, outcome: 'succeeded', firstByteMs: undefined }
}

async function askByStream(
  parts: GatewayParts,
  circuits: Circuits,
  admission: Admission<ChatRequest>,
): Promise<Given<ChatResult>> {
  const collected: ChatStreamPart[] = []
  const run = new StreamRun(parts, circuits, admission, {
    deliver: part => {
      collected.push(part)
      return undefined
    },
  })
  const done = await run.run()
  // Nothing was delivered, so nothing is charged.
  if (done.clientLeft && !done.result) throw new AttemptsFailed(clientGone(), 'client_left', done.candidate)
  const capability = done.candidate.provider.capabilities.chat
  if (!capability) throw new Error(`${done.candidate.offering.provider} has no chat`)
  const result = capability.assemble(admission.request, [...collected, ...done.heldBack], done.result)
  return {
    candidate: done.candidate,
    result: { ...result, cut: done.cut && { code: done.cut.code, message: done.cut.message } },
    usage: done.result?.usage,
    outputBytes: run.outputBytes,
    outcome: done.cut ? 'cut_by_limit' : done.clientLeft ? 'client_left' : 'succeeded',
    firstByteMs: run.firstByteMs,
  }
}

/** Told to nobody. */
function clientGone(): GatewayError {
  return new GatewayError('request_timeout', 'The client left before the answer was whole.')
}

async function askEmbed(
  parts: GatewayParts,
  circuits: Circuits,
  admission: Admission<EmbedRequest>,
): Promise<Given<EmbedResult>> {
  const { candidate, result } = await askInline(parts, circuits, admission, (one, context) => {
    const capability = one.provider.capabilities.embed
    if (!capability)
      throw new Error(`${one.offering.provider} offers an embedding model and has no embeddings`)
    return capability.embed(admission.request, context)
  })
  return {
    candidate,
    result,
    usage: result.usage,
    outputBytes: 0,
    outcome: 'succeeded',
    firstByteMs: undefined,
  }
}

/** Asks until an answer is there. A client that leaves ends it, where hanging up ends the bill too. */
async function askInline<Result>(
  parts: GatewayParts,
  circuits: Circuits,
  admission: Admission,
  ask: (candidate: Candidate, context: ProviderContext) => Promise<Result>,
) {
  const work = new AbortController()
  let asked: Candidate | undefined
  const onStopping = () => work.abort()
  const onClientGone = () => {
    if (asked?.provider.definition.stopsBillingOnAbort ?? true) work.abort()
  }
  const askOne = (candidate: Candidate, context: ProviderContext) => {
    asked = candidate
    return ask(candidate, context)
  }
  const { signal } = admission.call
  signal.addEventListener('abort', onClientGone)
  const openCalls = openCallsOf(parts)
  openCalls.add(onStopping)
  if (signal.aborted || parts.stopping.aborted) work.abort()
  try {
    return await askCandidates(parts, circuits, admission, work.signal, askOne, () => !signal.aborted)
  } finally {
    signal.removeEventListener('abort', onClientGone)
    openCalls.delete(onStopping)
  }
}
