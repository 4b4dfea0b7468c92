/** Where an account's callbacks are managed. */
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import { timeOfId } from '#spec/ids.ts'
import type { Ids } from '#spec/ports.ts'
import type { WebhookDesk } from '#spec/webhook.ts'
import { newSecret } from './sign.ts'
import type { SecretChange, WebhookStore } from './store.pg.ts'

const SECRET_OVERLAP_MS = 24 * 3_600_000
export const MAX_ENDPOINTS = 20
const MAX_URL_LENGTH = 2_048

export interface DeskParts {
  readonly ids: Ids
  /** What is wrong with the text of an address, to follow the word "url"; `undefined`: it may be sent to. */
  readonly refuseUrl: (url: string) => string | undefined
  /** The deliverer's, in a process that has one. */
  readonly wake: () => void
}

export function createWebhookDesk(store: WebhookStore, account: AccountRef, parts: DeskParts): WebhookDesk {
  const check = (url: string | undefined): void => {
    if (url === undefined) return
    const refusal =
      url.length > MAX_URL_LENGTH ? `must be at most ${MAX_URL_LENGTH} characters long` : parts.refuseUrl(url)
    if (refusal !== undefined) throw new GatewayError('invalid_request', `url ${refusal}.`, { param: 'url' })
  }
  const readSecret = async () => {
    const secret = await store.callbackSecret(account)
    if (secret === undefined) throw noWorkspace()
    return secret
  }
  return {
    listEndpoints: () => store.endpoints(account),
    async findEndpoint(id) {
      return found(await store.findEndpoint(account, id), 'endpoint')
    },
    async createEndpoint({ url, description }, keep) {
      check(url)
      if ((await store.endpoints(account)).length >= MAX_ENDPOINTS) throw tooMany()
      const id = parts.ids.next()
      const createdAt = new Date(timeOfId(id))
      const made = { id, url, description, secret: newSecret(), disabledReason: undefined, createdAt }
      await store.insertEndpoint(account, made, keep?.(made))
      return made
    },
    async changeEndpoint(id, changes) {
      check(changes.url)
      return found(await store.changeEndpoint(account, id, changes), 'endpoint')
    },
    async deleteEndpoint(id) {
      if (!(await store.deleteEndpoint(account, id))) throw missing('endpoint')
    },
    async rotateSecret(id, { overlapMs, keep } = {}) {
      const change = changeOf(parts.ids, overlapMs)
      // The answer is written before the row has changed; what else of it changes meanwhile is of the moment before.
      const kept = keep?.({
        ...found(await store.findEndpoint(account, id), 'endpoint'),
        secret: change.secret,
      })
      return found(await store.rotateSecret(account, id, change, kept), 'endpoint')
    },
    callbackSecret: async () => (await readSecret()).secret,
    readCallbackSecret: readSecret,
    async rotateCallbackSecret({ overlapMs, keep } = {}) {
      const change = changeOf(parts.ids, overlapMs)
      const rotated = await store.rotateCallbackSecret(account, change, keep?.(change))
      if (rotated === undefined) throw noWorkspace()
      return rotated
    },
    listDeliveries: ({ taskId, limit }) => store.deliveries(account, taskId, limit),
    async findDelivery(id) {
      const delivery = found(await store.findDelivery(account, id), 'delivery')
      return { ...delivery, log: await store.tries(account, id) }
    },
    async replay(id) {
      const delivery = await store.replay(account, id)
      if (delivery === undefined) throw await notReplayed(store, account, id)
      parts.wake()
      return delivery
    },
  }
}

function changeOf(ids: Ids, overlapMs = SECRET_OVERLAP_MS): SecretChange {
  const oldSignUntil = overlapMs > 0 ? new Date(timeOfId(ids.next()) + overlapMs) : undefined
  return { secret: newSecret(), oldSignUntil }
}

function noWorkspace(): GatewayError {
  return new GatewayError('not_found', 'There is no such workspace.')
}

async function notReplayed(
  store: WebhookStore,
  account: AccountRef,
  id: Parameters<WebhookDesk['replay']>[0],
) {
  const delivery = await store.findDelivery(account, id)
  if (!delivery) return missing('delivery')
  return new GatewayError(
    'invalid_request',
    'Its endpoint is off or was deleted, so nothing can be sent there. Switch the endpoint on first.',
  )
}

function tooMany(): GatewayError {
  return new GatewayError(
    'invalid_request',
    `A workspace has at most ${MAX_ENDPOINTS} endpoints in each mode. Delete one first.`,
  )
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw missing(what)
  return value
}

function missing(what: string): GatewayError {
  return new GatewayError('not_found', `There is no such ${what} in this workspace and mode.`)
}
