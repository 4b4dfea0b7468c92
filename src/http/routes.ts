/** Every endpoint of every dialect under every mount, checked at boot; and who answers for the paths in between. */
import type { Dialect, Endpoint } from '#spec/dialect.ts'

/** A dialect and the path prefixes it is served under, such as `/v1`. */
export interface MountedDialect {
  readonly dialect: Dialect
  readonly mounts: readonly string[]
}

/** One endpoint at one full path. */
export interface MountedEndpoint {
  readonly dialect: Dialect
  readonly endpoint: Endpoint
  readonly mount: string
  /** Mount and pattern. */
  readonly url: string
}

/**
 * Lists every endpoint under every mount. Throws where two claim the same method and path (names of parameters do not
 * matter), where a mount or a pattern is not a path, or where a `*` is not at the end.
 */
export function mountedEndpoints(mounted: readonly MountedDialect[]): MountedEndpoint[] {
  const claims = new Map<string, MountedEndpoint>()
  for (const { dialect, mounts } of mounted) {
    for (const mount of mounts) {
      checkMount(mount, dialect)
      for (const endpoint of dialect.endpoints)
        claim(claims, { dialect, endpoint, mount, url: mount + endpoint.path })
    }
  }
  return [...claims.values()]
}

function claim(claims: Map<string, MountedEndpoint>, mine: MountedEndpoint): void {
  const { endpoint, dialect, url } = mine
  if (!/^\/(?:[^*]*|.*\/\*)$/.test(endpoint.path)) {
    throw new Error(
      `${dialect.id}: "${endpoint.path}" must begin with "/", and "*" may only be its last segment`,
    )
  }
  const key = `${endpoint.method} ${url.replace(/:[^/]+/g, ':')}`
  const other = claims.get(key)
  if (other) {
    throw new Error(
      `two endpoints claim ${endpoint.method} ${url}: "${other.dialect.id}" (${other.url}) and "${dialect.id}" (${url})`,
    )
  }
  claims.set(key, mine)
}

function checkMount(mount: string, dialect: Dialect): void {
  if (/^(\/[\w.-]+)*$/.test(mount)) return
  throw new Error(`${dialect.id}: the mount "${mount}" must be a path without a slash at its end`)
}

/** Answers questions about paths that no endpoint took. Slow, and only asked on errors. */
export class PathGuide {
  readonly #endpoints: readonly { readonly of: MountedEndpoint; readonly segments: readonly string[] }[]

  constructor(endpoints: readonly MountedEndpoint[]) {
    this.#endpoints = endpoints.map(of => ({ of, segments: segmentsOf(of.url) }))
  }

  /** The methods that this very path has endpoints for, `HEAD` where there is a `GET`; empty where there are none. */
  methodsAt(path: string): string[] {
    const asked = segmentsOf(path)
    const methods = new Set<string>()
    for (const { of, segments } of this.#endpoints) {
      if (!matches(segments, asked)) continue
      methods.add(of.endpoint.method)
      if (of.endpoint.method === 'GET') methods.add('HEAD')
    }
    return [...methods].sort()
  }

  /**
   * Whose client this probably is: the dialect under the path's mount whose endpoints share the longest beginning with
   * it, or the first one mounted there. `undefined` outside every mount.
   */
  ownerOf(path: string): Dialect | undefined {
    const asked = segmentsOf(path)
    let owner: Dialect | undefined
    let longest = -1
    for (const { of, segments } of this.#endpoints) {
      const shared = knownSegments(segments, sharedSegments(segments, asked))
      if (shared < segmentsOf(of.mount).length || shared <= longest) continue
      owner = of.dialect
      longest = shared
    }
    return owner
  }
}

function segmentsOf(path: string): string[] {
  const query = path.indexOf('?')
  return (query === -1 ? path : path.slice(0, query)).split('/').filter(segment => segment !== '')
}

function matches(pattern: readonly string[], asked: readonly string[]): boolean {
  const open = pattern.at(-1) === '*'
  const fixed = open ? pattern.slice(0, -1) : pattern
  if (open ? asked.length < fixed.length : asked.length !== fixed.length) return false
  return sharedSegments(fixed, asked) === fixed.length
}

/** Up to the last that is more than a parameter: anything at all matches one of those. */
function knownSegments(pattern: readonly string[], shared: number): number {
  return pattern.slice(0, shared).findLastIndex(segment => !segment.startsWith(':')) + 1
}

function sharedSegments(pattern: readonly string[], asked: readonly string[]): number {
  let shared = 0
  while (shared < pattern.length && shared < asked.length) {
    const segment = pattern[shared]
    if (segment !== asked[shared] && !segment?.startsWith(':')) break
    shared += 1
  }
  return shared
}
