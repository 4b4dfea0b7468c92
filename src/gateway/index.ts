/** The gateway: the only place that knows the order of things. */

import { fixedPriceOf } from '#modules/pricing/index.ts'
import type { Gateway } from '#spec/gateway.ts'
import { isMedia } from '#spec/operation.ts'
import { accountOf, principalOf } from './admission.ts'
import { submitAndWait, watchTask } from './await-task.ts'
import { cancelTask } from './cancel.ts'
import { findArtifact, openFile, storeFile } from './files.ts'
import { chat, embed } from './generate.ts'
import { hourlyLimit } from './hourly-limit.ts'
import { keyed } from './keyed.ts'
import type { GatewayParts } from './parts.ts'
import { quoteMedia } from './quote-media.ts'
import { findModel, listModels, quote, readAccount, readReceipt } from './read.ts'
import { streamChat } from './stream.ts'
import { submit } from './submit.ts'
import { circuitsOf } from './task-health.ts'
import { findTask, listTasks } from './task-read.ts'

export { advance } from './advance.ts'
export { endTask } from './cancel.ts'
export type { MediaParts, MediaSettings, TaskBell } from './media-parts.ts'
export { removeOrphanObjects, type Swept } from './orphans.ts'
export type { GatewayParts, GatewaySettings, Registered } from './parts.ts'
export { receiveProviderCallback } from './provider-callback.ts'

export function createGateway(parts: GatewayParts): Gateway {
  const circuits = circuitsOf(parts)
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
    quote: (call, request) =>
      isMedia(request) ? quoteMedia(parts, call, request) : quote(parts, call, request),
    submit: (call, submission, render) => submit(parts, call, submission, render),
    submitAndWait: (call, submission, render) => submitAndWait(parts, call, submission, render),
    hourlyLimit: call => hourlyLimit(parts, call),
    findTask: (call, id) => findTask(parts, call, id),
    listTasks: (call, query) => listTasks(parts, call, query),
    cancelTask: (call, id) => cancelTask(parts, call, id),
    watchTask: (call, id, signal) => watchTask(parts, call, id, signal),
    keyed: (call, work, digest) => keyed(parts, call, work, digest),
    storeFile: (call, source, options) => storeFile(parts, call, source, options),
    findArtifact: (call, url) => findArtifact(parts, call, url),
    openFile: path => openFile(parts, path),
    webhooks: call => parts.media.webhookDesk(accountOf(principalOf(call))),
    publicModels: () => parts.catalog.publicModels(),
    fixedPrice: (dialect, model) => fixedPriceOf(dialect, model),
    account: call => readAccount(parts, call),
    receipt: (call, requestId) => readReceipt(parts, call, requestId),
    models: call => listModels(parts, call),
    model: (call, name) => findModel(parts, call, name),
  }
}
