/** The tables `webhook_endpoint`, `delivery` and `delivery_try`. */
import type { Queryable } from '#platform/postgres/database.ts'
import { orUnavailable } from '#platform/postgres/or-unavailable.ts'
import { createDeliveryStore, type DeliveryStore } from './deliveries.pg.ts'
import { createEndpointStore, type EndpointStore } from './endpoints.pg.ts'

export type { SecretChange } from './endpoints.pg.ts'

export interface WebhookStore extends EndpointStore, DeliveryStore {}

/** Every function throws `database_unavailable` where the database cannot be reached. */
export function createWebhookStore(connection: Queryable): WebhookStore {
  const database = orUnavailable(connection)
  return { ...createEndpointStore(database), ...createDeliveryStore(database) }
}
