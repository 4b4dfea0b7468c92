/** The typed constructor of a dialect. What it refuses is a mistake in our own code, found at boot. */
import type { Dialect, Endpoint } from '#spec/dialect.ts'

const PATH = /^(\/[a-z0-9][a-zA-Z0-9.-]*|\/:[a-zA-Z_]+)+(\/\*)?$/

/** One endpoint. `access` is `'key'` and the body bound is 1 MB where nothing else is said. */
export function endpoint(
  definition: Pick<Endpoint, 'method' | 'path' | 'handle'> & Partial<Endpoint>,
): Endpoint {
  return { access: 'key', bodyLimitBytes: 1_000_000, ...definition }
}

/**
 * Freezes a dialect, and throws where its id or a path is not well formed or where two of its endpoints claim
 * one method and path.
 */
export function defineDialect(dialect: Dialect): Dialect {
  if (!/^[a-z][a-z0-9-]*$/.test(dialect.id)) throw new Error(`"${dialect.id}" is not a dialect id`)
  const seen = new Set<string>()
  for (const { method, path } of dialect.endpoints) {
    const route = `${method} ${path}`
    if (!PATH.test(path)) throw new Error(`${dialect.id}: "${path}" is not an endpoint path`)
    if (seen.has(route)) throw new Error(`${dialect.id}: ${route} is defined twice`)
    seen.add(route)
  }
  return Object.freeze({ ...dialect, endpoints: Object.freeze([...dialect.endpoints]) })
}
