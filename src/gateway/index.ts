/** The gateway: the only place that knows the order of things. */

import type { Gateway } from '#spec/gateway.ts'
import { accountOf } from './admission.ts'
import { Circuits } from './circuit.ts'
import { chat, embed } from './generate.ts'
import type { GatewayParts } from './parts.ts'
import { findModel, listModels, quote, readAccount, readReceipt } from './read.ts'
import { streamChat } from './stream.ts'

export type { GatewayParts, GatewaySettings, Registered } from './parts.ts'

export function createGateway(parts: GatewayParts): Gateway {
  const circuits = new Circuits(parts.clock, parts.settings.maxConcurrentPerProvider)
  return {
    credits: parts.settings.credits,
    async authenticate(call, authorization) {
      call.principal = await parts.authenticator.authenticate(authorization)
    },
    async balance(call) {
      if (!call.principal) return undefined
      const { balanceNanoUsd, heldNanoUsd } = await parts.ledger.balance(accountOf(call.principal))
      return balanceNanoUsd - heldNanoUsd
    },
    chat: (call, request, render) => chat(parts, circuits, call, request, render),
    streamChat: (call, request, renderer, reply) =>
      streamChat(parts, circuits, call, request, renderer, reply),
    embed: (call, request, render) => embed(parts, circuits, call, request, render),
    quote: (call, request) => quote(parts, call, request),
    account: call => readAccount(parts, call),
    receipt: (call, requestId) => readReceipt(parts, call, requestId),
    models: call => listModels(parts, call),
    model: (call, name) => findModel(parts, call, name),
  }
}
