/** What an owner or an operator does with keys. */
import { randomBytes } from 'node:crypto'
import type { Mode, RateLimit } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Ids } from '#spec/ports.ts'
import type { CapChange, KeyChange, KeyRef, KeyView } from './key.ts'
import {
  assertKeyPrefixes,
  createSecret,
  digestOf,
  displayOf,
  isImportable,
  isModelPattern,
  type KeyPrefixes,
} from './rules.ts'

export interface NewKey {
  readonly workspaceId: Uuid
  readonly mode: Mode
  /** 1 to 200 characters. */
  readonly name: string
  readonly caps?: CapChange | undefined
  /** Canonical ids and `vendor/*`; `undefined` allows every model. */
  readonly allowedModels?: readonly string[] | undefined
  readonly rateLimit?: RateLimit | undefined
  readonly defaultDialect?: string | undefined
  readonly expiresAt?: Date | undefined
}

export interface ImportedKey {
  readonly workspaceId: Uuid
  readonly mode: Mode
  readonly name: string
  readonly secret: string
}

export interface KeyService {
  /** Makes a key and gives its secret, which can never be read again. Throws `invalid_request`. */
  create(key: NewKey): Promise<{ readonly key: KeyView; readonly secret: string }>
  /**
   * Makes a key of a secret that the operator chose. Where a key has this secret already, nothing changes and that
   * key is given, whatever became of it. Throws `invalid_request`.
   */
  importSecret(key: ImportedKey): Promise<{ readonly key: KeyView; readonly created: boolean }>
  /** One key, of any workspace: for an operator. */
  find(id: Uuid): Promise<KeyView | undefined>
  /** The keys of a workspace, or of all, revoked ones too, oldest first. */
  list(workspaceId: Uuid | undefined): Promise<readonly KeyView[]>
  /** From its commit on the key takes no hold anywhere, and within a second it reads nothing. For ever. */
  revoke(ref: KeyRef): Promise<KeyView | undefined>
  /** A cap below what was spent stops new holds and changes nothing else. */
  setCaps(ref: KeyRef, caps: CapChange): Promise<KeyView | undefined>
  /** Changes a key, revoked or not, within a second on every node. Throws `invalid_request`. */
  change(ref: KeyRef, change: KeyChange): Promise<KeyView | undefined>
}

/** A new row, complete. */
export interface KeyToAdd extends NewKey {
  readonly id: Uuid
  readonly digest: Buffer
  readonly display: string
  readonly checksumExempt: boolean
  readonly caps: CapChange
}

export interface KeyStore {
  /** False where there is no such account, or a key has this digest already. */
  add(key: KeyToAdd): Promise<boolean>
  find(id: Uuid): Promise<KeyView | undefined>
  /** Revoked or not. */
  findIdByDigest(digest: Buffer): Promise<Uuid | undefined>
  list(workspaceId: Uuid | undefined): Promise<readonly KeyView[]>
  /** False where there is no such key. */
  revoke(ref: KeyRef): Promise<boolean>
  /** False where there is no such key. */
  setCaps(ref: KeyRef, caps: CapChange): Promise<boolean>
  /** False where there is no such key. */
  change(ref: KeyRef, change: KeyChange): Promise<boolean>
}

export interface KeyServiceOptions {
  readonly store: KeyStore
  readonly ids: Ids
  readonly prefixes: KeyPrefixes
  /** The dialects that a key may name as its own; left out: whatever is named. */
  readonly dialects?: readonly string[] | undefined
}

/** Throws a RangeError where the prefixes of the configuration cannot be told apart. */
export function createKeyService({ store, ids, prefixes, dialects }: KeyServiceOptions): KeyService {
  assertKeyPrefixes(prefixes)

  async function add(
    key: NewKey,
    secret: string,
    checksumExempt: boolean,
    prefix: string,
  ): Promise<KeyView | undefined> {
    assertSense(key, dialects)
    assertCaps(key.caps ?? {})
    const id = ids.next()
    const added = await store.add({
      ...key,
      id,
      caps: key.caps ?? {},
      digest: digestOf(secret),
      display: displayOf(secret, prefix),
      checksumExempt,
    })
    return added ? await present(id) : undefined
  }

  async function present(id: Uuid): Promise<KeyView> {
    const key = await store.find(id)
    if (key === undefined) throw new Error('a key that was just written is not there')
    return key
  }

  return {
    async create(key) {
      const secret = createSecret(randomBytes, prefixes[key.mode])
      const added = await add(key, secret, false, prefixes[key.mode])
      if (added === undefined) throw noWorkspace()
      return { key: added, secret }
    },
    async importSecret({ secret, ...key }) {
      if (!isImportable(secret)) {
        throw new GatewayError(
          'invalid_request',
          'A key to import must begin with "sk-" and have 24 to 256 visible ASCII characters.',
        )
      }
      const added = await add(key, secret, true, 'sk-')
      if (added !== undefined) return { key: added, created: true }
      const existing = await store.findIdByDigest(digestOf(secret))
      if (existing === undefined) throw noWorkspace()
      return { key: await present(existing), created: false }
    },
    find: id => store.find(id),
    list: workspaceId => store.list(workspaceId),
    async revoke(ref) {
      return (await store.revoke(ref)) ? await store.find(ref.id) : undefined
    },
    async setCaps(ref, caps) {
      assertCaps(caps)
      return (await store.setCaps(ref, caps)) ? await store.find(ref.id) : undefined
    },
    async change(ref, change) {
      assertSense(change, dialects)
      return (await store.change(ref, change)) ? await store.find(ref.id) : undefined
    },
  }
}

function noWorkspace(): GatewayError {
  return new GatewayError('invalid_request', 'There is no workspace with this id.')
}

function assertSense(key: KeyChange, dialects: readonly string[] | undefined): void {
  if (key.name !== undefined && (key.name.length < 1 || key.name.length > 200)) {
    throw refused('name', 'A key needs a name of 1 to 200 characters.')
  }
  const pattern = key.allowedModels?.find(text => !isModelPattern(text))
  if (pattern !== undefined) {
    throw refused('allowed_models', `"${pattern}" is neither a model's id nor "vendor/*".`)
  }
  if (key.rateLimit && !isPositive(key.rateLimit.calls, key.rateLimit.windowMs)) {
    throw refused('rate_limit', 'A rate limit needs a positive number of calls and milliseconds.')
  }
  const { defaultDialect } = key
  if (dialects && typeof defaultDialect === 'string' && !dialects.includes(defaultDialect)) {
    throw refused('default_dialect', `A key's dialect is one of: ${dialects.join(', ')}.`)
  }
}

function refused(param: string, message: string): GatewayError {
  return new GatewayError('invalid_request', message, { param })
}

function isPositive(...values: number[]): boolean {
  return values.every(value => Number.isInteger(value) && value > 0 && value < 2 ** 31)
}

function assertCaps(caps: CapChange): void {
  if ((caps.dailyNanoUsd ?? 0n) < 0n || (caps.monthlyNanoUsd ?? 0n) < 0n) {
    throw new GatewayError('invalid_request', 'A cap must not be negative.', { param: 'cap' })
  }
}
