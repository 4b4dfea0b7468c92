/** What the gateway needs for tasks, beside what every call needs. */
import type { FileStore } from '#modules/files/index.ts'
import type { HourlyBuckets } from '#modules/limits/index.ts'
import type { TaskStore } from '#modules/tasks/index.ts'
import type { CallbackOutbox } from '#modules/webhooks/index.ts'
import type { AccountRef, RateLimit } from '#spec/account.ts'
import type { Dialect } from '#spec/dialect.ts'
import type { Uuid } from '#spec/ids.ts'
import type { ImageProcessor } from '#spec/image-processing.ts'
import type { MeshPreviewer } from '#spec/mesh-preview.ts'
import type { ObjectStore } from '#spec/object-store.ts'
import type { Ids } from '#spec/ports.ts'
import type { SafeFetch } from '#spec/safe-fetch.ts'
import type { PosterMaker } from '#spec/video-poster.ts'
import type { WebhookDesk } from '#spec/webhook.ts'

export interface MediaSettings {
  /** Where clients reach us, without a slash at its end. */
  readonly publicUrl: string
  /** Where files are served from: the same, or a CDN in front of it. */
  readonly filesUrl: string
  /** Whether vendors can reach `publicUrl`: then they get our callbacks' address and our files' URLs. */
  readonly isPublic: boolean
  /** Media creations by one key. */
  readonly creationRateLimit: RateLimit
  /** Requests an hour by plan, for the formats that promise such a limit. */
  readonly planHourlyLimits: ReadonlyMap<string, number>
  /** Prices fixed by (dialect, model) are honoured at an offering that costs more. */
  readonly allowFixedPriceLoss: boolean
  /** host:port pairs that may be fetched although they are private. */
  readonly allowedPrivateHosts: ReadonlySet<string>
  readonly maxUploadBytes: number
  /** The largest file that is taken from a provider. */
  readonly maxArtifactBytes: number
  /** How long the copy of a finished file is tried before the task is given up. */
  readonly copyPatienceMs: number
  /** The operator's word on how many jobs a provider (by id) may have at once; 0: no limit. */
  readonly maxTasks: ReadonlyMap<string, number>
}

/** Told in this process when a task has changed, so that who waits for it need not ask the database. */
export interface TaskBell {
  ring(id: Uuid): void
  /** Resolves at the next ring for the task, after the delay, or when the signal aborts. */
  wait(id: Uuid, delayMs: number, signal: AbortSignal): Promise<void>
}

export interface MediaParts {
  readonly tasks: TaskStore
  readonly files: FileStore
  readonly outbox: CallbackOutbox
  readonly webhookDesk: (account: AccountRef) => WebhookDesk
  readonly objects: ObjectStore
  readonly images: ImageProcessor
  readonly meshPreviewer: MeshPreviewer
  readonly posterMaker: PosterMaker
  readonly safeFetch: SafeFetch
  readonly ids: Ids
  readonly hourly: HourlyBuckets
  readonly bell: TaskBell
  /** Called when a task is due at once, so that this process's worker need not wait for its next look. */
  readonly wakeWorker: () => void
  readonly dialects: ReadonlyMap<string, Pick<Dialect, 'renderCallback'>>
  readonly settings: MediaSettings
}
