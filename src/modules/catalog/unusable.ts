/** Why no offering of a model can serve, as errors: what the client is told, and what only the log is told. */
import { GatewayError } from '#spec/errors.ts'
import type { Model, Offering } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'

/** The provider behind every test key. */
export const SANDBOX = 'sandbox'

export function withoutPrice(model: Model): GatewayError {
  return new GatewayError('model_without_price', 'This model has no known price and is not served.', {
    param: 'model',
    cause: new Error(
      `${model.id} has no price in the catalogue: add an entry with one to your own catalogue folder`,
    ),
  })
}

/** `offerings` are those that would serve if their provider were configured. */
export function notConfigured(model: Model, offerings: readonly Offering[]): GatewayError {
  return new GatewayError('model_unavailable', 'No provider for this model is configured on this gateway.', {
    param: 'model',
    cause: new Error(`${model.id} needs one of: ${settingsOf(offerings).join(', ')}`),
  })
}

/** Where no provider of the model does this with these options. */
export function notOffered(model: Model, { action }: MediaOperation): GatewayError {
  return new GatewayError(
    'model_unavailable',
    `No provider of the model "${model.id}" offers "${action}" with these options.`,
    { param: 'model' },
  )
}

function settingsOf(offerings: readonly Offering[]): string[] {
  return [
    ...new Set(
      offerings.map(({ provider }) => `${provider.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_API_KEY`),
    ),
  ]
}
