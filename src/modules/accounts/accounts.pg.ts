/** The whole module over one database. */
import type { Queryable } from '#platform/postgres/database.ts'
import { orUnavailable } from '#platform/postgres/or-unavailable.ts'
import type { Ids } from '#spec/ports.ts'
import { type Caps, createCaps } from './caps.pg.ts'
import { createNodes, type Nodes } from './nodes.pg.ts'
import { createTiers, type Tiers } from './tiers.pg.ts'
import { createWorkspaces, type Workspaces } from './workspaces.pg.ts'

export interface Accounts extends Workspaces, Caps, Tiers, Nodes {}

/** Every function throws `database_unavailable` where the database cannot be reached. */
export function createAccounts(connection: Queryable, ids: Ids): Accounts {
  const database = orUnavailable(connection)
  return {
    ...createWorkspaces(database, ids),
    ...createCaps(database),
    ...createTiers(database),
    ...createNodes(database),
  }
}
