/** A task store on a real database, with workspaces and tasks to fill it. */
import { onTestFinished } from 'vitest'
import { createClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import { createPool } from '#platform/postgres/pool.ts'
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import { createTestDatabase } from '#testing/postgres.ts'
import type { NewTask } from './record.ts'
import { createTaskStore } from './store.pg.ts'

const ids = createIds(createClock())

export async function openTaskStore() {
  const created = await createTestDatabase()
  const database = createPool({ address: created.config, max: 8, applicationName: 'tasks' })
  onTestFinished(async () => {
    await database.end()
    await created.drop()
  })
  return { store: createTaskStore(database), database, workspace: () => addWorkspace(database) }
}

async function addWorkspace(database: ReturnType<typeof createPool>): Promise<AccountRef> {
  const workspaceId = ids.next()
  await database.query('', 'insert into workspace (id, name) values ($1, $2)', [workspaceId, 'one'])
  await database.query('', `insert into account (workspace_id, mode, tier) values ($1, 'live', 'starter')`, [
    workspaceId,
  ])
  return { workspaceId, mode: 'live' }
}

export function freshId(): Uuid {
  return ids.next()
}

export function newTask(account: AccountRef, fields: Partial<NewTask> = {}): NewTask {
  return {
    account,
    id: ids.next(),
    keyId: ids.next(),
    operation: 'image',
    dialect: 'kie',
    family: 'jobs',
    requestedModel: 'one',
    model: 'one',
    request: {
      operation: 'image',
      model: 'one',
      action: 'text2img',
      prompt: 'a fox',
      negativePrompt: undefined,
      inputs: [],
      count: 1,
      seed: undefined,
      options: {},
      aspectRatio: '1:1',
      resolution: undefined,
      size: undefined,
      format: undefined,
    },
    wire: { prompt: 'a fox' },
    terms: {},
    callbackUrl: undefined,
    heldNanoUsd: 0n,
    deadlineMs: 60_000,
    ...fields,
  }
}
