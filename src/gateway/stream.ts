/** A chat, streamed: admit, run, settle, and only then the end of the answer. */
import { MAX_STORED_BYTES } from '#modules/idempotency/index.ts'
import type { ChatRequest, ChatStreamPart } from '#spec/chat.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Call, ChatStreamRenderer, StreamCharge, WireReply, WireStream } from '#spec/gateway.ts'
import type { Outcome } from '#spec/receipt.ts'
import type { Admission } from './admission.ts'
import { admit } from './admit.ts'
import { AttemptsFailed } from './attempt.ts'
import type { Circuits } from './circuit.ts'
import { billOf, keepAnswer, releaseCall, settleCall, type Work, workOf } from './finish.ts'
import type { GatewayParts } from './parts.ts'
import { type StreamDone, StreamRun } from './stream-run.ts'

export async function streamChat(
  parts: GatewayParts,
  circuits: Circuits,
  call: Call,
  request: ChatRequest,
  renderer: ChatStreamRenderer,
  reply: WireReply,
): Promise<void> {
  const admission = await admit(parts, call, request, true)
  if ('replay' in admission) {
    reply.send(admission.replay)
    return
  }
  const stream = reply.stream({ contentType: renderer.contentType })
  const kept = admission.idempotent ? new KeptAnswer() : undefined
  const run = new StreamRun(parts, circuits, admission, {
    deliver: part => deliver(stream, renderer, kept, part),
  })
  let done: StreamDone
  try {
    done = await run.run()
  } catch (thrown) {
    await fail(parts, admission, renderer, stream, run, thrown)
    return
  }
  if (done.clientLeft && !run.begun) {
    await releaseCall(parts, admission, 'client_left', done.candidate)
    return
  }
  await finish(parts, admission, renderer, stream, kept, run, done)
}

function deliver(
  stream: WireStream,
  renderer: ChatStreamRenderer,
  kept: KeptAnswer | undefined,
  part: ChatStreamPart,
): Promise<void> | undefined {
  const bytes = renderer.part(part)
  kept?.add(bytes)
  return stream.write(bytes)
}

async function finish(
  parts: GatewayParts,
  admission: Admission<ChatRequest>,
  renderer: ChatStreamRenderer,
  stream: WireStream,
  kept: KeptAnswer | undefined,
  run: StreamRun,
  done: StreamDone,
): Promise<void> {
  const outcome: Outcome = done.clientLeft ? 'client_left' : done.cut ? 'cut_by_limit' : 'succeeded'
  const { outputBytes, firstByteMs } = run
  const work = workOf(admission, done.candidate, {
    usage: done.result?.usage,
    outputBytes,
    outcome,
    firstByteMs,
  })
  const bill = billOf(admission, work)
  const heldBack = done.heldBack.map(part => renderer.part(part))
  let tail = render(renderer, heldBack, done, work, bill.payableNanoUsd)
  try {
    // What broke off because the client had gone is no answer that a repeat could be given.
    if (kept && (done.result || done.cut)) await storeStream(parts, admission, renderer, kept, tail)
  } catch (error) {
    await releaseCall(parts, admission, 'internal_failure', done.candidate)
    endWithError(renderer, stream, error instanceof GatewayError ? error : internalFailure())
    return
  }
  try {
    const settlement = await settleCall(parts, admission, work, bill)
    if (settlement.chargedNanoUsd !== bill.payableNanoUsd && !done.cut) {
      tail = render(renderer, heldBack, done, work, settlement.chargedNanoUsd)
    }
    parts.crashPoint('before-answer')
    if (done.clientLeft && !done.result) endWithError(renderer, stream, notRead())
    else {
      stream.write(tail)
      stream.end({})
    }
  } catch (error) {
    parts.logger.error({ requestId: admission.call.requestId, error }, 'a stream could not be settled')
    endWithError(renderer, stream, error instanceof GatewayError ? error : settleFailed())
  }
}

/** Everything that waited for the settle, as one write. */
function render(
  renderer: ChatStreamRenderer,
  heldBack: readonly (string | Buffer)[],
  done: StreamDone,
  work: Work,
  chargedNanoUsd: bigint,
): Buffer {
  const charge: StreamCharge = {
    chargedNanoUsd,
    usageEstimated: work.estimated,
    cut: done.cut && { code: done.cut.code, message: done.cut.message },
    usage: work.usage,
  }
  const end = renderer.finish(done.result ?? { usage: undefined }, charge)
  return Buffer.concat([...heldBack, end].map(bytes => Buffer.from(bytes)))
}

async function storeStream(
  parts: GatewayParts,
  admission: Admission,
  renderer: ChatStreamRenderer,
  kept: KeptAnswer,
  tail: Buffer,
): Promise<void> {
  kept.add(tail)
  await keepAnswer(parts, admission, {
    status: 200,
    headers: {},
    contentType: renderer.contentType,
    body: kept.bytes(),
  })
}

/** No provider brought the answer to an end: everything is given back, and the client told where it listens. */
async function fail(
  parts: GatewayParts,
  admission: Admission,
  renderer: ChatStreamRenderer,
  stream: WireStream,
  run: StreamRun,
  thrown: unknown,
): Promise<void> {
  const failed = thrown instanceof AttemptsFailed ? thrown : undefined
  const left = admission.call.signal.aborted && !run.begun
  await releaseCall(
    parts,
    admission,
    left ? 'client_left' : (failed?.outcome ?? 'internal_failure'),
    failed?.candidate,
  )
  const error = failed?.error ?? thrown
  if (!stream.headSent) throw error
  if (!failed) parts.logger.error({ requestId: admission.call.requestId, error }, 'a stream failed')
  endWithError(renderer, stream, error instanceof GatewayError ? error : internalFailure())
}

function endWithError(renderer: ChatStreamRenderer, stream: WireStream, error: GatewayError): void {
  stream.write(renderer.error(error))
  stream.end({})
}

function internalFailure(): GatewayError {
  return new GatewayError('internal_error', 'The gateway failed. Nothing was charged.')
}

/** For a client that is still there and did not read. */
function notRead(): GatewayError {
  return new GatewayError(
    'request_timeout',
    'The answer was not read in time. What had been sent by then was charged.',
  )
}

function settleFailed(): GatewayError {
  return new GatewayError(
    'outcome_unknown',
    'The charge for this answer could not be written. Look at its receipt before you repeat the call.',
  )
}

/** The bytes of a streamed answer, and no more than it takes to know that they are too many to be stored. */
class KeptAnswer {
  readonly #chunks: Buffer[] = []
  #length = 0

  add(bytes: string | Buffer): void {
    if (this.#length > MAX_STORED_BYTES) return
    const chunk = Buffer.from(bytes)
    this.#length += chunk.length
    this.#chunks.push(chunk)
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }
}
