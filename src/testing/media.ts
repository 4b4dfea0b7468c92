/** What tasks need, as it is: files in a folder of this test run, callbacks in the database, fetches by the real door. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MediaParts, MediaSettings } from '#gateway/index.ts'
import { createFileStore } from '#modules/files/index.ts'
import { createHourlyBuckets } from '#modules/limits/index.ts'
import { createTaskStore } from '#modules/tasks/index.ts'
import { createOutbox, createWebhookDesk, createWebhookStore } from '#modules/webhooks/index.ts'
import { createImageProcessor } from '#platform/image/processor.ts'
import { createMeshPreviewer } from '#platform/mesh-preview/previewer.ts'
import { createSafeFetch } from '#platform/network/safe-fetch.ts'
import { openDiskStore } from '#platform/object-store/disk-store.ts'
import type { Database } from '#platform/postgres/database.ts'
import { createPosterMaker } from '#platform/video-poster/poster-maker.ts'
import type { Dialect } from '#spec/dialect.ts'
import type { ObjectStore } from '#spec/object-store.ts'
import type { Clock, Ids } from '#spec/ports.ts'
import { createTaskBell } from '../app/task-bell.ts'

export const TEST_MEDIA_SETTINGS: MediaSettings = {
  publicUrl: 'http://gateway.test',
  filesUrl: 'http://gateway.test',
  isPublic: false,
  creationRateLimit: { calls: 1_000, windowMs: 1_000 },
  planHourlyLimits: new Map([['free', 100]]),
  allowFixedPriceLoss: false,
  allowedPrivateHosts: new Set(),
  maxUploadBytes: 10_000_000,
  maxArtifactBytes: 10_000_000,
  copyPatienceMs: 60_000,
  maxTasks: new Map(),
}

/** A store in a fresh folder of the system's temporary one, until who opened it removes it. */
export async function openTestObjects(): Promise<{ readonly store: ObjectStore; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-files-'))
  const store = await openDiskStore({ folder })
  return { store, remove: () => rm(folder, { recursive: true, force: true }) }
}

export function createTestMedia(given: {
  readonly database: Database
  readonly clock: Clock
  readonly ids: Ids
  readonly objects: ObjectStore
  readonly dialects?: readonly Pick<Dialect, 'id' | 'renderCallback'>[] | undefined
  readonly settings?: Partial<MediaSettings> | undefined
}): MediaParts {
  const { database, clock, ids, objects } = given
  const settings = { ...TEST_MEDIA_SETTINGS, ...given.settings }
  const webhooks = createWebhookStore(database)
  const wake = () => {}
  return {
    tasks: createTaskStore(database),
    files: createFileStore(database),
    outbox: createOutbox(webhooks, ids, wake),
    webhookDesk: account => createWebhookDesk(webhooks, account, { ids, refuseUrl: () => undefined, wake }),
    objects,
    images: createImageProcessor(),
    // It drops each thread with its picture, so a test need not close it. Machines that test are slow at times.
    meshPreviewer: createMeshPreviewer({ timeoutMs: 60_000 }),
    // What a machine has installed is no matter of these tests.
    posterMaker: createPosterMaker({ ffmpeg: undefined }),
    safeFetch: createSafeFetch({
      allowedPrivateHosts: settings.allowedPrivateHosts,
      plainHttp: true,
      userAgent: 'Tollgate',
    }),
    ids,
    hourly: createHourlyBuckets({ liveNodes: () => 1, clock }),
    bell: createTaskBell(clock),
    wakeWorker: wake,
    dialects: new Map((given.dialects ?? []).map(dialect => [dialect.id, dialect])),
    settings,
  }
}
