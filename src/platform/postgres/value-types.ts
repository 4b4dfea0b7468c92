/**
 * How values arrive from PostgreSQL, per connection: the driver's global table stays as it is, since other
 * libraries in the process may rely on it.
 */
import pg from 'pg'

const INT8 = 20
const INT8_ARRAY = 1016
const DATE = 1082
const DATE_ARRAY = 1182

const asText = (text: string): string => text

/** For `types` of a driver's configuration: int8 as bigint, date as `YYYY-MM-DD`, the rest as the driver has it. */
export const valueTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format === 'binary') return pg.types.getTypeParser(oid, format)
    if (oid === INT8) return BigInt
    if (oid === DATE) return asText
    if (oid === INT8_ARRAY) return arrayOf(BigInt)
    if (oid === DATE_ARRAY) return arrayOf(asText)
    return pg.types.getTypeParser(oid)
  }) as typeof pg.types.getTypeParser,
}

function arrayOf<Item>(readItem: (text: string) => Item): (text: string) => unknown {
  const parserOf = pg.types.getTypeParser as (oid: number) => (text: string) => unknown
  return text => deep(parserOf(TEXT_ARRAY)(text), readItem)
}

const TEXT_ARRAY = 1009

function deep<Item>(value: unknown, readItem: (text: string) => Item): unknown {
  if (Array.isArray(value)) return value.map(item => deep(item, readItem))
  return typeof value === 'string' ? readItem(value) : value
}
