/**
 * `Idempotency-Key` of calls that make or change something and hold no money. Their answers hold secrets, so what is kept of
 * them can be read with the client's key alone, of which the database has a hash.
 */
import { seal, unseal } from '#lib/seal.ts'
import type { KeyedCall, StoredAnswer } from '#modules/idempotency/index.ts'
import type { Call, KeepAnswer, WireAnswer } from '#spec/gateway.ts'
import { accountOf, principalOf } from './admission.ts'
import { KeyLost } from './finish.ts'
import type { GatewayParts } from './parts.ts'

export async function keyed(
  parts: GatewayParts,
  call: Call,
  work: (keep: KeepAnswer) => Promise<WireAnswer>,
  digest: string | undefined,
): Promise<WireAnswer> {
  const { idempotencyKey: key, requestId } = call
  if (key === undefined) return work(() => undefined)
  const account = accountOf(principalOf(call))
  const begun = await parts.idempotency.begin(keyedCallOf(parts, call, key, digest))
  if (begun.state === 'replay') return replayOf(begun, key)
  let isKept = false
  const keep: KeepAnswer = answer => {
    isKept = true
    return parts.idempotency.answerPart(account, requestId, sealedAnswer(answer, key))
  }
  try {
    const answer = await work(keep)
    if (!isKept) {
      const stored = await parts.idempotency.storeAnswer(account, requestId, sealedAnswer(answer, key))
      if (!stored) throw new KeyLost()
      await parts.idempotency.finishFree(account, requestId)
    }
    return answer
  } catch (error) {
    // A part that was committed although its commit was not heard of has ended the key already: that stays.
    await parts.idempotency.release(account, requestId)
    throw error
  }
}

function keyedCallOf(parts: GatewayParts, call: Call, key: string, digest = call.bodyDigest()): KeyedCall {
  const account = accountOf(principalOf(call))
  const { route, requestId } = call
  return { account, route, key, bodyDigest: digest, requestId, owner: parts.node, isFree: true }
}

function sealedAnswer({ status, headers = {}, contentType, body }: WireAnswer, key: string): StoredAnswer {
  return { status, headers, contentType, body: seal(Buffer.from(body), key) }
}

function replayOf({ status, headers, contentType, body }: StoredAnswer, key: string): WireAnswer {
  return {
    status,
    headers: { ...headers, 'idempotent-replayed': 'true' },
    contentType,
    body: unseal(body, key),
  }
}
