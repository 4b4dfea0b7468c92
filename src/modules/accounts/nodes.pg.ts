/** The table `node`: which processes live. Inline holds and running idempotency keys belong to one of them. */
import type { Queryable } from '#platform/postgres/database.ts'
import type { Uuid } from '#spec/ids.ts'

/** A node that was silent for this long is dead, whatever it may still do. */
export const NODE_DEAD_AFTER_MS = 20_000
/** How often a node says that it lives. */
export const HEARTBEAT_EVERY_MS = 5_000

export interface Heartbeat {
  /** False where the others took this node for dead since its last heartbeat, and may have released its holds. */
  readonly inTime: boolean
  /** This one included. */
  readonly liveNodes: number
}

export interface Nodes {
  /** Before a node serves. Every start of a process is a node of its own, with an id of its own. */
  registerNode(id: Uuid): Promise<Heartbeat>
  /** To be called every HEARTBEAT_EVERY_MS. */
  heartbeat(id: Uuid): Promise<Heartbeat>
  liveNodeCount(): Promise<number>
  /** When a node stops in good order: nobody waits for it any more. */
  retireNode(id: Uuid): Promise<void>
  /** Forgets nodes that have been dead for an hour; gives how many. What is forgotten is as dead as before. */
  forgetDeadNodes(): Promise<number>
}

const BEAT = `
  with before as (
    select heartbeat_at > now() - $2 * interval '1 millisecond' as alive from node where id = $1
  ), beat as (
    insert into node (id) values ($1) on conflict (id) do update set heartbeat_at = now()
  )
  select coalesce((select alive from before), false) as in_time,
    (select count(*) from node where id <> $1 and heartbeat_at > now() - $2 * interval '1 millisecond')::int + 1 as live_nodes`

const COUNT = `
  select count(*)::int as live_nodes from node where heartbeat_at > now() - $1 * interval '1 millisecond'`

export function createNodes(database: Queryable): Nodes {
  async function beat(id: Uuid): Promise<Heartbeat> {
    const { rows } = await database.query<{ in_time: boolean; live_nodes: number }>('node_heartbeat', BEAT, [
      id,
      NODE_DEAD_AFTER_MS,
    ])
    return { inTime: rows[0]?.in_time ?? false, liveNodes: rows[0]?.live_nodes ?? 1 }
  }

  return {
    async registerNode(id) {
      return { ...(await beat(id)), inTime: true }
    },
    heartbeat: beat,
    async liveNodeCount() {
      const { rows } = await database.query<{ live_nodes: number }>('node_count', COUNT, [NODE_DEAD_AFTER_MS])
      return rows[0]?.live_nodes ?? 0
    },
    async retireNode(id) {
      await database.query('node_retire', 'delete from node where id = $1', [id])
    },
    async forgetDeadNodes() {
      const text = `delete from node where heartbeat_at < now() - interval '1 hour'`
      return (await database.query('node_forget', text)).rowCount
    },
  }
}
