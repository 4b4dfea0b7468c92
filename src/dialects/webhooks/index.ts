/** Our own pages about callbacks: where they go, what signs them, and what became of each. */
import { defineDialect } from '#dialect-kit/define-dialect.ts'
import { errorObject } from '#dialect-kit/error-object.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { listDeliveries, replayDelivery, retrieveDelivery } from './deliveries.ts'
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  retrieveEndpoint,
  rotateSecret,
} from './endpoints.ts'
import { callbackSecret, rotateCallbackSecret } from './secret.ts'

export default defineDialect({
  id: 'webhooks',
  endpoints: [
    ...[listEndpoints, createEndpoint, retrieveEndpoint, changeEndpoint, deleteEndpoint, rotateSecret],
    ...[callbackSecret, rotateCallbackSecret, listDeliveries, retrieveDelivery, replayDelivery],
  ],
  renderError: (error, _call, gateway) => jsonAnswer(error.status, errorObject(error, gateway.credits)),
})
