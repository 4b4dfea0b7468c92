/** The desk for callbacks of the scripted gateway: it finds what its script says and remembers what it was asked. */
import { GatewayError } from '#spec/errors.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Delivery, DeliveryTry, WebhookDesk, WebhookEndpoint } from '#spec/webhook.ts'

export interface DeskScript {
  /** Those there are; what is made or changed looks like the first. */
  readonly endpoints?: readonly WebhookEndpoint[]
  readonly secret?: string
  readonly oldSignUntil?: Date
  readonly deliveries?: readonly Delivery[]
  /** Of every delivery. */
  readonly log?: readonly DeliveryTry[]
}

/** A function of the desk, and everything that it was given. */
export interface AskedOfDesk {
  readonly method: keyof WebhookDesk
  readonly argument: Readonly<Record<string, unknown>>
}

export function scriptedDesk(script: DeskScript, ask: (asked: AskedOfDesk) => void): WebhookDesk {
  const endpoint = (id?: Uuid) => found(script.endpoints, id)
  const delivery = (id: Uuid) => found(script.deliveries, id)
  return {
    async listEndpoints() {
      ask({ method: 'listEndpoints', argument: {} })
      return script.endpoints ?? []
    },
    async findEndpoint(id) {
      ask({ method: 'findEndpoint', argument: { id } })
      return endpoint(id)
    },
    async createEndpoint(argument, keep) {
      ask({ method: 'createEndpoint', argument })
      const made = { ...endpoint(), ...argument }
      keep?.(made)
      return made
    },
    async changeEndpoint(id, { url, description, enabled }) {
      ask({ method: 'changeEndpoint', argument: { id, url, description, enabled } })
      const { disabledReason, ...before } = endpoint(id)
      return {
        ...before,
        url: url ?? before.url,
        description: description ?? before.description,
        disabledReason: enabled === undefined ? disabledReason : enabled ? undefined : 'Switched off.',
      }
    },
    async deleteEndpoint(id) {
      ask({ method: 'deleteEndpoint', argument: { id } })
      endpoint(id)
    },
    async rotateSecret(id, { overlapMs, keep } = {}) {
      ask({ method: 'rotateSecret', argument: { id, overlapMs } })
      const rotated = { ...endpoint(id), secret: `${endpoint(id).secret}-rotated` }
      keep?.(rotated)
      return rotated
    },
    async callbackSecret() {
      ask({ method: 'callbackSecret', argument: {} })
      return script.secret ?? ''
    },
    async readCallbackSecret() {
      ask({ method: 'readCallbackSecret', argument: {} })
      return { secret: script.secret ?? '', oldSignUntil: script.oldSignUntil }
    },
    async rotateCallbackSecret({ overlapMs, keep } = {}) {
      ask({ method: 'rotateCallbackSecret', argument: { overlapMs } })
      const rotated = { secret: `${script.secret ?? ''}-rotated`, oldSignUntil: script.oldSignUntil }
      keep?.(rotated)
      return rotated
    },
    async findDelivery(id) {
      ask({ method: 'findDelivery', argument: { id } })
      return { ...delivery(id), log: script.log ?? [] }
    },
    async listDeliveries({ taskId, limit }) {
      ask({ method: 'listDeliveries', argument: { taskId, limit } })
      return (script.deliveries ?? []).slice(0, limit)
    },
    async replay(id) {
      ask({ method: 'replay', argument: { id } })
      return { ...delivery(id), state: 'pending' }
    },
  }
}

/** The one with the id, or the first. */
function found<T extends { readonly id: Uuid }>(all: readonly T[] = [], id?: Uuid): T {
  const one = id === undefined ? all[0] : all.find(candidate => candidate.id === id)
  if (one === undefined) throw new GatewayError('not_found', 'There is no such thing in this workspace.')
  return one
}
