/** The models a client may name, found by id or alias, with retirement applied. Read once, then only looked up. */
import { nearest as nearestNames } from '#lib/nearest.ts'
import type { Mode } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Model } from '#spec/offering.ts'

/** No id or alias is longer (the schema's bound), so a longer name is not looked for. */
const LONGEST_NAME = 200
const NEARBY_NAMES = 3

/** A name, and the model that serves calls for it. They differ where what was asked for has retired. */
export interface Resolved {
  /** The entry that was named: its id is what answers and key rules speak of. */
  readonly requested: Model
  readonly model: Model
  /** What the name itself asks for, where it is the name of one ability: `google/nano-banana-edit`. */
  readonly action?: string | undefined
}

export interface Catalog {
  /** Changes with the data: a hash of every file that was read. */
  readonly revision: string
  /** By id or alias, as written first, then without regard to case. A retired model is found too. */
  find(name: string, mode: Mode): Model | undefined
  /** Ids of models whose id or alias looks like the name, best first. */
  nearest(name: string, count: number, mode: Mode): string[]
  /** Every model, retired ones included, sorted by id. */
  list(mode: Mode): readonly Model[]
  /** The models that some offering has a price for, retired ones included, sorted by id: for public price lists. */
  publicModels(): readonly Model[]
  /**
   * The model that serves calls for a name on a day (UTC, `2026-12-11`). With a live key a model retires on its
   * `retires_on` and its successor serves; with a test key every model serves itself.
   * Throws model_not_found, or model_retired where no successor is known.
   */
  resolve(name: string, when: { readonly mode: Mode; readonly today: string }): Resolved
}

/** Builds the look-up. `testOnly` models exist for test keys alone. Names must be unique already. */
export function createCatalog(
  models: readonly Model[],
  testOnly: readonly Model[],
  revision: string,
): Catalog {
  const live = indexOf(models)
  const test = testOnly.length === 0 ? live : indexOf([...models, ...testOnly])
  const priced = live.sorted.filter(({ offerings }) =>
    offerings.some(({ price, mediaPrice }) => price !== undefined || mediaPrice !== undefined),
  )
  const of = (mode: Mode) => (mode === 'live' ? live : test)
  return {
    revision,
    find: (name, mode) => find(of(mode), name),
    nearest: (name, count, mode) => nearby(of(mode), name, count),
    list: mode => of(mode).sorted,
    publicModels: () => priced,
    resolve: (name, when) => resolve(of(when.mode), name, when),
  }
}

interface NameIndex {
  readonly exact: ReadonlyMap<string, Model>
  readonly folded: ReadonlyMap<string, Model>
  readonly sorted: readonly Model[]
}

function indexOf(models: readonly Model[]): NameIndex {
  const exact = new Map<string, Model>()
  const folded = new Map<string, Model>()
  for (const model of models) {
    for (const name of [model.id, ...model.aliases]) {
      exact.set(name, model)
      folded.set(name.toLowerCase(), model)
    }
  }
  return { exact, folded, sorted: [...models].sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

function find(index: NameIndex, name: string): Model | undefined {
  if (name.length > LONGEST_NAME) return undefined
  return index.exact.get(name) ?? index.folded.get(name.toLowerCase())
}

function nearby(index: NameIndex, name: string, count: number): string[] {
  const ids = new Set<string>()
  for (const close of nearestNames(name, index.exact.keys(), count * 4)) {
    const model = index.exact.get(close)
    if (model !== undefined) ids.add(model.id)
  }
  return [...ids].slice(0, count)
}

function resolve(index: NameIndex, name: string, when: { mode: Mode; today: string }): Resolved {
  const requested = find(index, name)
  if (requested === undefined) {
    const near = nearby(index, name, NEARBY_NAMES)
    throw new GatewayError(
      'model_not_found',
      `The model "${name.slice(0, LONGEST_NAME)}" does not exist.${suggestion(near)}`,
      { param: 'model', nearby: near },
    )
  }
  const action = actionOf(index, requested, name)
  if (when.mode === 'test') return { requested, model: requested, action }
  const model = serving(index, requested, when.today)
  if (model !== undefined) return { requested, model, action }
  const near = nearby(index, requested.id, NEARBY_NAMES + 1).filter(id => isServed(index, id, when.today))
  throw new GatewayError(
    'model_retired',
    `The model "${requested.id}" was retired on ${requested.retiresOn}.${suggestion(near)}`,
    { param: 'model', nearby: near.slice(0, NEARBY_NAMES) },
  )
}

/** The action of the alias that was written, in whatever case. */
function actionOf(index: NameIndex, model: Model, name: string): string | undefined {
  const actions = model.aliasActions
  if (actions === undefined) return undefined
  if (index.exact.has(name)) return Object.hasOwn(actions, name) ? actions[name] : undefined
  const folded = name.toLowerCase()
  return Object.entries(actions).find(([alias]) => alias.toLowerCase() === folded)?.[1]
}

/** The first of a model and its successors that has not retired. The chain has no cycle: that was checked. */
function serving(index: NameIndex, requested: Model, today: string): Model | undefined {
  let model: Model | undefined = requested
  while (model !== undefined && hasRetired(model, today)) {
    model = model.successor === undefined ? undefined : index.exact.get(model.successor)
  }
  return model
}

function isServed(index: NameIndex, id: string, today: string): boolean {
  const model = index.exact.get(id)
  return model !== undefined && !hasRetired(model, today)
}

function hasRetired(model: Model, today: string): boolean {
  return model.retiresOn !== undefined && model.retiresOn <= today
}

function suggestion(near: readonly string[]): string {
  return near.length === 0 ? '' : ` Close names: ${near.slice(0, NEARBY_NAMES).join(', ')}.`
}
