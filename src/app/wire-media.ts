/** Builds what tasks need: files, the outbox of callbacks, the doors to others' addresses. */
import { join } from 'node:path'
import type { MediaParts } from '#gateway/index.ts'
import { checkUrl } from '#lib/public-url.ts'
import { createFileStore } from '#modules/files/index.ts'
import { createHourlyBuckets } from '#modules/limits/index.ts'
import { createTaskStore } from '#modules/tasks/index.ts'
import {
  createOutbox,
  createWebhookDesk,
  createWebhookStore,
  type WebhookStore,
} from '#modules/webhooks/index.ts'
import { createImageProcessor } from '#platform/image/processor.ts'
import { createMeshPreviewer } from '#platform/mesh-preview/previewer.ts'
import { createSafeFetch } from '#platform/network/safe-fetch.ts'
import { openDiskStore } from '#platform/object-store/disk-store.ts'
import { createS3Store } from '#platform/object-store/s3-store.ts'
import type { Database } from '#platform/postgres/database.ts'
import type { Valkey } from '#platform/valkey/client.ts'
import { createPosterMaker } from '#platform/video-poster/poster-maker.ts'
import type { Dialect } from '#spec/dialect.ts'
import type { ObjectStore } from '#spec/object-store.ts'
import type { Clock, Ids } from '#spec/ports.ts'
import type { Config } from './config.ts'
import { createTaskBell } from './task-bell.ts'

/** What only the running server knows, filled in as it comes up. */
export interface Live {
  /** Where it listens, once it does. */
  listeningUrl: string
  wakeWorker: () => void
  wakeDeliverer: () => void
}

export interface WiredMedia {
  readonly parts: MediaParts
  readonly webhooks: WebhookStore
  readonly live: Live
}

export async function wireMedia(
  config: Config,
  given: {
    readonly database: Database
    readonly clock: Clock
    readonly ids: Ids
    readonly valkey: Valkey | undefined
    readonly liveNodes: () => number
    readonly dialects: readonly Dialect[]
  },
): Promise<WiredMedia> {
  const { database, clock, ids, valkey, liveNodes } = given
  const live: Live = { listeningUrl: '', wakeWorker: () => {}, wakeDeliverer: () => {} }
  const { allowedPrivateHosts } = config
  const urlPolicy = { allowedPrivateHosts, plainHttp: true }
  const webhooks = createWebhookStore(database)
  const wake = () => live.wakeDeliverer()
  const refuseUrl = (url: string) => checkUrl(url, urlPolicy).refusal?.complaint
  const parts: MediaParts = {
    tasks: createTaskStore(database),
    files: createFileStore(database),
    outbox: createOutbox(webhooks, ids, wake),
    webhookDesk: account => createWebhookDesk(webhooks, account, { ids, refuseUrl, wake }),
    objects: await openObjects(config),
    images: createImageProcessor(),
    meshPreviewer: createMeshPreviewer(),
    posterMaker: createPosterMaker({ ffmpeg: config.ffmpeg }),
    safeFetch: createSafeFetch({ ...urlPolicy, userAgent: 'Tollgate' }),
    ids,
    hourly: createHourlyBuckets({ valkey, liveNodes, clock }),
    bell: createTaskBell(clock),
    wakeWorker: () => live.wakeWorker(),
    dialects: new Map(given.dialects.map(dialect => [dialect.id, dialect])),
    settings: {
      get publicUrl() {
        return config.publicUrl ?? live.listeningUrl
      },
      get filesUrl() {
        return config.filesUrl ?? config.publicUrl ?? live.listeningUrl
      },
      isPublic:
        config.publicUrl !== undefined &&
        checkUrl(config.publicUrl, { allowedPrivateHosts }).url !== undefined,
      creationRateLimit: config.creationRateLimit,
      planHourlyLimits: config.planHourlyLimits,
      allowFixedPriceLoss: config.allowFixedPriceLoss,
      allowedPrivateHosts,
      maxUploadBytes: config.maxUploadBytes,
      maxArtifactBytes: config.maxArtifactBytes,
      copyPatienceMs: config.copyPatienceMs,
      maxTasks: config.maxTasks,
    },
  }
  return { parts, webhooks, live }
}

async function openObjects(config: Config): Promise<ObjectStore> {
  const { s3 } = config
  if (s3 === undefined) return openDiskStore({ folder: join(config.dataDir, 'files') })
  return createS3Store({ ...s3, endpoint: s3.endpoint ?? `https://s3.${s3.region}.amazonaws.com` })
}
