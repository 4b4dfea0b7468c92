/**
 * What the first start of a database makes: a workspace, credits and keys. Whatever moment it is killed at, the
 * next start does the rest: each step happens once, and the mark that it is done comes last. Two nodes that start at
 * once on one database wait for each other at the row of that mark.
 */
import type { Accounts } from '#modules/accounts/index.ts'
import type { KeyService } from '#modules/keys/index.ts'
import type { Ledger } from '#modules/ledger/index.ts'
import type { Database } from '#platform/postgres/database.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Config } from './config.ts'

export interface FirstBoot {
  /** Shown once, on the first boot only. */
  readonly testKey: string
  readonly testCreditsNanoUsd: bigint
}

const WORKSPACE = 'default'
/** Fixed, so that a grant repeated after a crash is the same grant. */
const TEST_GRANT = '00000000-0000-7000-8000-000000000001' as Uuid
const LIVE_GRANT = '00000000-0000-7000-8000-000000000002' as Uuid

/** Resolves with what was made, or `undefined` where the database had its first boot before. */
export async function firstBoot(parts: {
  readonly database: Database
  readonly accounts: Accounts
  readonly keys: KeyService
  readonly ledger: Ledger
  readonly config: Config
}): Promise<FirstBoot | undefined> {
  return await parts.database.transaction(
    async tx => {
      const { rows } = await tx.query<{ ready_at: Date | null }>(
        'first_boot_lock',
        'select ready_at from installation for update',
      )
      if (rows[0]?.ready_at) return undefined
      const made = await makeFirstWorkspace(parts)
      await tx.query('first_boot_done', 'update installation set ready_at = now()')
      return made
    },
    { lockTimeoutMs: 30_000 },
  )
}

async function makeFirstWorkspace(parts: {
  readonly accounts: Accounts
  readonly keys: KeyService
  readonly ledger: Ledger
  readonly config: Config
}): Promise<FirstBoot> {
  const { accounts, keys, ledger, config } = parts
  const workspace =
    (await accounts.findWorkspace(WORKSPACE)) ??
    (await accounts.createWorkspace({ name: WORKSPACE, tier: config.ladder[0].tier }))
  const live = { workspaceId: workspace.id, mode: 'live' } as const
  const test = { workspaceId: workspace.id, mode: 'test' } as const
  if (config.testCreditsNanoUsd > 0n)
    await ledger.grant(test, TEST_GRANT, config.testCreditsNanoUsd, 'first boot')
  if (config.firstCreditsNanoUsd > 0n)
    await ledger.grant(live, LIVE_GRANT, config.firstCreditsNanoUsd, 'first boot')
  if (config.firstKey !== undefined) {
    await keys.importSecret({ ...live, name: 'TOLLGATE_API_KEY', secret: config.firstKey })
  }
  const { secret } = await keys.create({ ...test, name: 'first test key' })
  return { testKey: secret, testCreditsNanoUsd: config.testCreditsNanoUsd }
}
