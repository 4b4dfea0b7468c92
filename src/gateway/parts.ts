/** Everything the gateway is made of. `app/wire.ts` builds it once; tests replace what they need. */
import type { Accounts } from '#modules/accounts/index.ts'
import type { Catalog } from '#modules/catalog/index.ts'
import type { Idempotency } from '#modules/idempotency/index.ts'
import type { Authenticator } from '#modules/keys/index.ts'
import type { Ledger } from '#modules/ledger/index.ts'
import type { RateLimiter } from '#modules/limits/index.ts'
import type { TierLadder } from '#modules/pricing/index.ts'
import type { RateLimit } from '#spec/account.ts'
import type { Events } from '#spec/events.ts'
import type { Uuid } from '#spec/ids.ts'
import type { CreditScale } from '#spec/money.ts'
import type { Clock, CrashPoint, Logger, Timeouts } from '#spec/ports.ts'
import type { Capabilities, ProviderDefinition } from '#spec/provider.ts'
import type { MediaParts } from './media-parts.ts'

/** A provider that this installation can call. */
export interface Registered {
  readonly definition: ProviderDefinition
  readonly capabilities: Capabilities
}

export interface GatewaySettings {
  readonly credits: CreditScale
  readonly ladder: TierLadder
  /** Chat and embedding calls by plan, for keys without a limit of their own. */
  readonly planRateLimits: ReadonlyMap<string, RateLimit>
  /** Of one call, its failovers together bounded by `totalMs`. */
  readonly timeouts: Timeouts
  /** The most tries of one call, the first included. */
  readonly maxAttempts: number
  /** Calls one provider may have open at once from this process; 0 is no bound. */
  readonly maxConcurrentPerProvider: number
  /** Whether a substitute may cost more than the model that was asked for. */
  readonly dearerSubstitutes: boolean
}

export interface GatewayParts {
  readonly authenticator: Authenticator
  readonly accounts: Accounts
  readonly catalog: Catalog
  readonly ledger: Ledger
  readonly limiter: RateLimiter
  readonly idempotency: Idempotency
  readonly providers: ReadonlyMap<string, Registered>
  readonly clock: Clock
  readonly logger: Logger
  readonly events: Events
  readonly crashPoint: CrashPoint
  /** This process's incarnation: it owns the holds it takes. */
  readonly node: Uuid
  /** Aborted when a drain has run out of patience: open calls end with server_draining and are released. */
  readonly stopping: AbortSignal
  readonly media: MediaParts
  readonly settings: GatewaySettings
}
