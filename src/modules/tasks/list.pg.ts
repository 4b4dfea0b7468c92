/** Tasks as their owner lists them. */
import type { Queryable } from '#platform/postgres/database.ts'
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { TaskQuery } from '#spec/task.ts'
import type { StoredTask } from './record.ts'
import { COLUMNS, type TaskRow, taskOf } from './rows.ts'

/** A page of them, and how many there are in all. */
export interface ListedTasks {
  readonly tasks: StoredTask[]
  readonly total: number
}

export function listTasks(database: Queryable, account: AccountRef, query: TaskQuery): Promise<ListedTasks> {
  return query.parentTask === undefined
    ? listAll(database, account, query)
    : listChildren(database, account, query, query.parentTask)
}

const COUNT = `
  select coalesce((select sum(n.tasks) from task_tally n
      where n.workspace_id = $1 and n.mode = $2 and n.operation = any ($3) and n.state = any ($4)), 0)::bigint
    + (select count(*) from task t where t.workspace_id = $1 and t.mode = $2 and t.operation = any ($3)
      and t.state = any ($4) and t.state in ('queued', 'running') and $4::task_state[] && '{queued, running}') as total`

/** Neither the page nor the number of all grows dearer with the tasks that the account has had. */
async function listAll(database: Queryable, account: AccountRef, query: TaskQuery): Promise<ListedTasks> {
  const { operations, states, sort, order, limit, offset } = query
  const values = [account.workspaceId, account.mode, operations, states]
  const page = `select ${COLUMNS} from task_page($1, $2, $3, $4::task_state[], $5, $6, $7, $8) t`
  const [{ rows }, count] = await Promise.all([
    database.query<TaskRow>('task_page', page, [...values, sort, order, limit, offset]),
    database.query<{ total: bigint }>('task_count', COUNT, values),
  ])
  return { tasks: rows.map(taskOf), total: Number(count.rows[0]?.total ?? 0n) }
}

/** Of one task few go on, so they are all looked at. */
async function listChildren(
  database: Queryable,
  account: AccountRef,
  { operations, states, sort, order, limit, offset }: TaskQuery,
  parentTask: Uuid,
): Promise<ListedTasks> {
  const direction = order === 'asc' ? 'asc' : 'desc'
  const text = `select ${COLUMNS}, count(*) over () as total from task t
    where t.workspace_id = $1 and t.mode = $2 and t.request ->> 'parentTask' = $3 and t.operation = any ($4)
      and t.state = any ($5::task_state[])
    order by t.${sort} ${direction}, t.id ${direction} limit $6 offset $7`
  const values = [account.workspaceId, account.mode, parentTask, operations, states, limit, offset]
  const name = `task_children_${sort}_${direction}`
  const { rows } = await database.query<TaskRow & { total: bigint }>(name, text, values)
  return { tasks: rows.map(taskOf), total: Number(rows[0]?.total ?? 0n) }
}
