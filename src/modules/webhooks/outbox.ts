/** From news to deliveries. */
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Ids } from '#spec/ports.ts'
import type { StatementPart } from '#spec/statement.ts'
import type { WebhookEndpoint } from '#spec/webhook.ts'
import { laneOf, type NewDelivery } from './record.ts'
import type { WebhookStore } from './store.pg.ts'

/** Something to tell about a task. */
export interface TaskNews {
  readonly account: AccountRef
  readonly taskId: Uuid
  /** The dialect the body is written in; it may sign in its own way too. */
  readonly dialect: string
  /** `task.text`, `task.first`, or `task.succeeded`, `task.failed` … */
  readonly event: string
  /** JSON, as it will be sent in every try. */
  readonly body: string
  /** The URL that the request itself named. */
  readonly callbackUrl: string | undefined
}

export interface CallbackOutbox {
  /**
   * The deliveries of this news, one to the request's URL and one to each endpoint of its account that is on, as an
   * INSERT … SELECT … WHERE that is open for one more condition; `undefined` where nobody wants to hear.
   */
  partFor(news: readonly TaskNews[]): Promise<StatementPart | undefined>
  /** Something was committed: look at once. */
  wake(): void
}

/** `wake` is the deliverer's, in a process that has one. */
export function createOutbox(store: WebhookStore, ids: Ids, wake: () => void): CallbackOutbox {
  return {
    async partFor(news) {
      const deliveries: NewDelivery[] = []
      for (const one of news) {
        const { callbackUrl } = one
        const endpoints = (await store.endpoints(one.account)).filter(
          endpoint => endpoint.disabledReason === undefined,
        )
        if (callbackUrl !== undefined) deliveries.push(deliveryOf(ids.next(), one, callbackUrl, undefined))
        deliveries.push(...endpoints.map(endpoint => toEndpoint(ids.next(), one, endpoint)))
      }
      return deliveries.length === 0 ? undefined : store.insertPart(deliveries)
    },
    wake,
  }
}

function toEndpoint(id: Uuid, news: TaskNews, endpoint: WebhookEndpoint): NewDelivery {
  return deliveryOf(id, news, endpoint.url, endpoint.id)
}

function deliveryOf(id: Uuid, news: TaskNews, url: string, endpointId: Uuid | undefined): NewDelivery {
  const { account, taskId, event, dialect, body } = news
  const lane = laneOf(account.workspaceId, url, endpointId)
  return { account, id, taskId, endpointId, url, lane, event, dialect, body }
}
