/** How the fields of one market model are written down as data, and the reader of that data. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** An inclusive range; a missing end is open. Characters of a string, items of an array, or a number's value. */
const bounds = z.strictObject({ min: z.number().optional(), max: z.number().optional() })
export type Bounds = z.infer<typeof bounds>

/** What one field may hold. `items` describes the members of an array, `fields` those of an object. */
export interface FieldRule {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'any'
  readonly required?: boolean | undefined
  readonly enum?: readonly (string | number)[] | undefined
  readonly default?: string | number | boolean | undefined
  readonly range?: Bounds | undefined
  readonly length?: Bounds | undefined
  readonly count?: Bounds | undefined
  readonly items?: FieldRule | undefined
  readonly fields?: FieldRules | undefined
}

export type FieldRules = Readonly<Record<string, FieldRule>>

const fieldRule: z.ZodType<FieldRule> = z.strictObject({
  type: z.enum(['string', 'integer', 'number', 'boolean', 'array', 'object', 'any']),
  required: z.boolean().optional(),
  enum: z.array(z.union([z.string(), z.number()])).optional(),
  default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  range: bounds.optional(),
  length: bounds.optional(),
  count: bounds.optional(),
  get items() {
    return fieldRule.optional()
  },
  get fields() {
    return z.record(z.string(), fieldRule).optional()
  },
})

const marketModel = z.strictObject({
  /** The page it was written from, under `docs.kie.ai/market/`. */
  page: z.string(),
  /** What the id asks of the model, in the catalogue's words; absent where the inputs decide. */
  action: z.string().optional(),
  /** Alternatives: a body must keep to one of them. */
  inputs: z.array(z.record(z.string(), fieldRule)).min(1),
})

/** One id of `jobs/createTask`: the alternatives that its `input` may keep to. */
export interface MarketModel {
  readonly page: string
  readonly action?: string | undefined
  readonly inputs: readonly FieldRules[]
}

/** Every market id there are rules for. Throws where a data file is not well formed or an id is in two files. */
export function readMarket(folder: string): ReadonlyMap<string, MarketModel> {
  const market = new Map<string, MarketModel>()
  for (const file of readdirSync(folder).filter(name => name.endsWith('.json'))) {
    const models = z
      .record(z.string(), marketModel)
      .parse(JSON.parse(readFileSync(join(folder, file), 'utf8')))
    for (const [id, model] of Object.entries(models)) {
      if (market.has(id)) throw new Error(`${file}: "${id}" has rules in another file too`)
      market.set(id, model)
    }
  }
  return market
}

export const MARKET = readMarket(import.meta.dirname)
