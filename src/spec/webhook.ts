/** Callbacks as their owner sees them: where they go, and what became of each. */
import type { Uuid } from './ids.ts'
import type { StatementPart } from './statement.ts'

/** Where a workspace wants to hear of all its tasks in one mode. */
export interface WebhookEndpoint {
  readonly id: Uuid
  readonly url: string
  readonly description: string
  /** Signs every delivery (Standard Webhooks): `whsec_…`. */
  readonly secret: string
  /** Why nothing is sent there; `undefined`: it is on. */
  readonly disabledReason: string | undefined
  readonly createdAt: Date
}

export type DeliveryState =
  | 'pending'
  | 'delivered'
  /** Every try failed. */
  | 'exhausted'
  /** The receiver is gone (410), or its endpoint was taken away. */
  | 'dropped'

/** One callback to one place. Its id is the `webhook-id` of every try. */
export interface Delivery {
  readonly id: Uuid
  readonly taskId: Uuid
  readonly endpointId: Uuid | undefined
  readonly url: string
  readonly event: string
  readonly state: DeliveryState
  /** Made so far, over all its replays. */
  readonly tries: number
  readonly lastStatus: number | undefined
  readonly lastError: string | undefined
  /** When it is tried next; `undefined` once it is over. */
  readonly dueAt: Date | undefined
  readonly createdAt: Date
}

/** One try of a delivery, as it was written down. */
export interface DeliveryTry {
  /** From 1, over all replays. */
  readonly number: number
  readonly at: Date
  /** `undefined`: there was no answer. */
  readonly status: number | undefined
  readonly error: string | undefined
  readonly durationMs: number
}

/** What signs the callbacks of requests that name their own URL. */
export interface CallbackSecret {
  readonly secret: string
  /** Until when those it took the place of sign too; `undefined`: none does. */
  readonly oldSignUntil: Date | undefined
}

/** The part that stores the answer about what was made, written with it or not at all; `undefined`: nothing is stored. */
export type KeepMade<Made> = (made: Made) => StatementPart | undefined

export interface Rotation<Made> {
  /** How long the secrets before it sign too, so that receivers can change over; a day where left out, 0: not at all. */
  readonly overlapMs?: number | undefined
  readonly keep?: KeepMade<Made> | undefined
}

/** Managing callbacks. Ids of other workspaces are as if they did not exist: not_found. */
export interface WebhookDesk {
  listEndpoints(): Promise<readonly WebhookEndpoint[]>
  findEndpoint(id: Uuid): Promise<WebhookEndpoint>
  createEndpoint(
    endpoint: { readonly url: string; readonly description: string },
    keep?: KeepMade<WebhookEndpoint>,
  ): Promise<WebhookEndpoint>
  /**
   * Switches it on or off, or changes where it is: what is pending goes to the new address, and what is due while it is
   * off is dropped. Throws invalid_request for an address that may not be fetched.
   */
  changeEndpoint(
    id: Uuid,
    changes: {
      readonly url?: string | undefined
      readonly description?: string | undefined
      readonly enabled?: boolean | undefined
    },
  ): Promise<WebhookEndpoint>
  /** Its pending deliveries are dropped. */
  deleteEndpoint(id: Uuid): Promise<void>
  /** A new secret; the last three before it sign too for a while. */
  rotateSecret(id: Uuid, rotation?: Rotation<WebhookEndpoint>): Promise<WebhookEndpoint>
  /** Signs the callbacks of requests that name their own URL: the newest. It is the account's: each mode has its own. */
  callbackSecret(): Promise<string>
  readCallbackSecret(): Promise<CallbackSecret>
  /** As of an endpoint. A signature that has room for one is made with the new one at once. */
  rotateCallbackSecret(rotation?: Rotation<CallbackSecret>): Promise<CallbackSecret>
  /** The newest first. */
  listDeliveries(query: {
    readonly taskId?: Uuid | undefined
    readonly limit: number
  }): Promise<readonly Delivery[]>
  /** One delivery with its tries, the oldest first. */
  findDelivery(id: Uuid): Promise<Delivery & { readonly log: readonly DeliveryTry[] }>
  /**
   * Sends it once more from the beginning of its schedule, with the same id and body; a try that is under way counts as
   * that. Throws invalid_request where its endpoint is off or gone.
   */
  replay(id: Uuid): Promise<Delivery>
}
