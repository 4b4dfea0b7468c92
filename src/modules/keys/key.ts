/** A key, as the rest of the module speaks of it. */
import type { Mode, RateLimit } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'

/** Names one key. The workspace is part of it, so that nobody reaches another's key by its id. */
export interface KeyRef {
  readonly workspaceId: Uuid
  readonly id: Uuid
}

/** What a key may spend in a UTC day and month, in nano-dollars; `undefined`: no limit of its own. */
export interface KeyCaps {
  readonly dailyNanoUsd: bigint | undefined
  readonly monthlyNanoUsd: bigint | undefined
}

/** What to do with a key's caps: a number sets one, `null` removes it, `undefined` leaves it as it is. */
export interface CapChange {
  readonly dailyNanoUsd?: bigint | null | undefined
  readonly monthlyNanoUsd?: bigint | null | undefined
}

/** What to do with a key after it was made: a value sets it, `null` removes it, `undefined` leaves it as it is. */
export interface KeyChange {
  /** 1 to 200 characters. */
  readonly name?: string | undefined
  /** Canonical ids and `vendor/*`; `null` allows every model. */
  readonly allowedModels?: readonly string[] | null | undefined
  readonly rateLimit?: RateLimit | null | undefined
  /** A time that has passed ends the key at once. */
  readonly expiresAt?: Date | null | undefined
  readonly defaultDialect?: string | null | undefined
}

/** A key as its owner sees it. The secret is not in it: it is shown once and kept nowhere. */
export interface KeyView extends KeyRef {
  readonly mode: Mode
  readonly name: string
  /** Prefix and last four characters. */
  readonly display: string
  readonly caps: KeyCaps
  readonly allowedModels: readonly string[] | undefined
  readonly rateLimit: RateLimit | undefined
  /** The dialect its clients speak, where a request alone does not tell; `undefined`: not said. */
  readonly defaultDialect: string | undefined
  readonly expiresAt: Date | undefined
  readonly revokedAt: Date | undefined
  /** Late by up to about a minute; `undefined`: never. */
  readonly lastUsedAt: Date | undefined
  readonly createdAt: Date
}

/** What the authenticator reads of a key that was not revoked, with what its principal needs to know. */
export interface KeyRecord {
  readonly workspaceId: Uuid
  readonly keyId: Uuid
  readonly mode: Mode
  readonly digest: Buffer
  readonly keyName: string
  readonly workspaceName: string
  readonly plan: string
  readonly tier: string
  readonly allowedModels: readonly string[] | undefined
  readonly rateLimit: RateLimit | undefined
  readonly defaultDialect: string | undefined
  /** By the database's clock at the time of reading; zero or less: it has expired. `undefined`: it never does. */
  readonly expiresInMs: number | undefined
}

/** That a key was used so long ago. */
export interface KeyUse extends KeyRef {
  readonly agoMs: number
}
