/** The tables `workspace` and `account`. */
import type { Queryable } from '#platform/postgres/database.ts'
import type { AccountRef } from '#spec/account.ts'
import { GatewayError } from '#spec/errors.ts'
import { parseId, type Uuid } from '#spec/ids.ts'
import type { Ids } from '#spec/ports.ts'
import { MOST_KEEP_FILES_DAYS, PLANS, type Plan, type Tier, type Workspace } from './account.ts'

export interface Workspaces {
  /** A workspace with a live and a test account, both at the given rung of the ladder. Throws `invalid_request`. */
  createWorkspace(workspace: { readonly name: string; readonly tier: string }): Promise<Workspace>
  /** By id (`ws_…` or a bare UUID) or exact name. Throws `invalid_request` where several have the name. */
  findWorkspace(idOrName: string): Promise<Workspace | undefined>
  /** Oldest first, so that the first workspace is the first. */
  listWorkspaces(page?: {
    readonly after?: Uuid | undefined
    readonly limit?: number | undefined
  }): Promise<readonly Workspace[]>
  /** `undefined` where there is no such workspace. Throws `invalid_request` for an unknown plan. */
  setPlan(workspaceId: Uuid, plan: Plan): Promise<Workspace | undefined>
  /**
   * How long its files are kept: 1 to 36,500 days from each one's making, `undefined` for ever. Files that are older go
   * with the next sweep. `undefined` where there is no such workspace. Throws `invalid_request`.
   */
  setKeepFilesDays(workspaceId: Uuid, days: number | undefined): Promise<Workspace | undefined>
  tierOf(account: AccountRef): Promise<Tier | undefined>
  /** Sets a tier by hand; false where there is no such account. */
  setTier(account: AccountRef, tier: string): Promise<boolean>
}

interface WorkspaceRow {
  id: Uuid
  name: string
  plan: Plan
  keep_files_days: number | null
  created_at: Date
}

const COLUMNS = 'id, name, plan, keep_files_days, created_at'

const CREATE = `
  with created as (
    insert into workspace (id, name) values ($1, $2) returning ${COLUMNS}
  ), accounts as (
    insert into account (workspace_id, mode, tier) select id, mode, $3 from created
    cross join unnest(enum_range(null::account_mode)) as mode
  )
  select ${COLUMNS} from created`

export function createWorkspaces(database: Queryable, ids: Ids): Workspaces {
  return {
    async createWorkspace({ name, tier }) {
      if (name.length < 1 || name.length > 200) {
        throw new GatewayError('invalid_request', 'A workspace needs a name of 1 to 200 characters.', {
          param: 'name',
        })
      }
      const { rows } = await database.query<WorkspaceRow>('workspace_create', CREATE, [
        ids.next(),
        name,
        tier,
      ])
      const created = rows.map(workspaceOf)[0]
      if (created === undefined) throw new Error('an insert returned nothing')
      return created
    },
    findWorkspace: idOrName => findWorkspace(database, idOrName),
    async listWorkspaces({ after, limit = 1000 } = {}) {
      const { rows } = await database.query<WorkspaceRow>(
        'workspace_list',
        `select ${COLUMNS} from workspace where $1::uuid is null or id > $1 order by id limit $2`,
        [after ?? null, limit],
      )
      return rows.map(workspaceOf)
    },
    async setPlan(workspaceId, plan) {
      if (!PLANS.includes(plan)) {
        throw new GatewayError('invalid_request', `A plan is one of: ${PLANS.join(', ')}.`, { param: 'plan' })
      }
      const { rows } = await database.query<WorkspaceRow>(
        'workspace_set_plan',
        `update workspace set plan = $2 where id = $1 returning ${COLUMNS}`,
        [workspaceId, plan],
      )
      return rows.map(workspaceOf)[0]
    },
    async setKeepFilesDays(workspaceId, days) {
      if (days !== undefined && !(Number.isInteger(days) && days >= 1 && days <= MOST_KEEP_FILES_DAYS)) {
        throw new GatewayError('invalid_request', `Files are kept 1 to ${MOST_KEEP_FILES_DAYS} days.`, {
          param: 'keep_files_days',
        })
      }
      const { rows } = await database.query<WorkspaceRow>(
        'workspace_set_keep_files',
        `update workspace set keep_files_days = $2 where id = $1 returning ${COLUMNS}`,
        [workspaceId, days ?? null],
      )
      return rows.map(workspaceOf)[0]
    },
    async tierOf(account) {
      const { rows } = await database.query<{ tier: string; tier_changed_at: Date }>(
        'account_tier',
        'select tier, tier_changed_at from account where workspace_id = $1 and mode = $2',
        [account.workspaceId, account.mode],
      )
      return rows.map(row => ({ tier: row.tier, changedAt: row.tier_changed_at }))[0]
    },
    async setTier(account, tier) {
      const { rowCount } = await database.query(
        'account_set_tier',
        `update account set tier = $3, tier_changed_at = case when tier = $3 then tier_changed_at else now() end
         where workspace_id = $1 and mode = $2`,
        [account.workspaceId, account.mode, tier],
      )
      return rowCount === 1
    },
  }
}

async function findWorkspace(database: Queryable, idOrName: string): Promise<Workspace | undefined> {
  const id = parseId('workspace', idOrName)
  const { rows } = await database.query<WorkspaceRow>(
    'workspace_find',
    `select ${COLUMNS} from workspace
     where case when $1::uuid is null then name = $2 else id = $1 end order by id limit 2`,
    [id ?? null, idOrName],
  )
  if (rows.length > 1) {
    throw new GatewayError(
      'invalid_request',
      `Several workspaces are named "${idOrName}": give the id of one.`,
    )
  }
  return rows.map(workspaceOf)[0]
}

function workspaceOf(row: WorkspaceRow): Workspace {
  return {
    id: row.id,
    name: row.name,
    plan: row.plan,
    keepFilesDays: row.keep_files_days ?? undefined,
    createdAt: row.created_at,
  }
}
