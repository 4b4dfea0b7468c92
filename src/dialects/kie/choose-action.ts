/** Picks the action that a model of the catalogue has. */
import type { EndpointExchange } from '#spec/dialect.ts'
import type { Model } from '#spec/offering.ts'

/** The first of the wished-for actions that the model has; `undefined` where it has none: then its inputs decide. */
export function chooseAction(model: Model, wishes: readonly (string | undefined)[]): string | undefined {
  return wishes.find(wish => wish !== undefined && model.media?.actions.includes(wish))
}

/** The same, by the model's name. Throws model_not_found. */
export function actionOf(
  { gateway, call }: Pick<EndpointExchange, 'gateway' | 'call'>,
  model: string,
  wishes: readonly string[],
): string | undefined {
  return chooseAction(gateway.model(call, model), wishes)
}
