/** The table `file`. */
import type { Queryable } from '#platform/postgres/database.ts'
import { orUnavailable } from '#platform/postgres/or-unavailable.ts'
import type { AccountRef, Mode } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { StatementPart } from '#spec/statement.ts'
import { type FileKind, type FileRecord, type FileRole, readObjectKey } from './record.ts'

export interface FileStore {
  insert(file: FileRecord): Promise<void>
  /** An INSERT … SELECT … WHERE, open for one more condition. */
  insertPart(files: readonly FileRecord[]): StatementPart
  findByToken(token: string): Promise<FileRecord | undefined>
  /** The files of tasks, in order: results before covers, by index. */
  ofTasks(account: AccountRef, taskIds: readonly Uuid[]): Promise<FileRecord[]>
  /** Files that are older than their workspace keeps them; some at a time. */
  expired(limit: number): Promise<FileRecord[]>
  remove(files: readonly FileRecord[]): Promise<void>
  /**
   * Of the objects those that no file has and none will: no row names them, and no task of their account that may still
   * write its rows is as old as they are. Objects of workspaces that are not here may be another installation's. Both are judged at one moment, so that a task which ends meanwhile is seen either
   * open or with its rows.
   */
  ownerless(objects: readonly ObjectSeen[]): Promise<string[]>
}

/** An object as the store lists it. */
export interface ObjectSeen {
  readonly key: string
  readonly modifiedAt: Date
}

interface FileRow {
  workspace_id: Uuid
  mode: Mode
  id: Uuid
  token: string
  task_id: Uuid | null
  kind: FileKind
  role: FileRole
  index: number
  object_key: string
  thumbnail_key: string | null
  content_type: string
  file_name: string
  size_bytes: bigint
  sha256: string
  width_px: number | null
  height_px: number | null
  duration_ms: number | null
  metadata: JsonObject
  created_at: Date
}

/** By how much the clock of the object store may be behind the database's. */
const CLOCKS_DIFFER = `interval '1 hour'`

const OWNERLESS = `
  select o.key
  from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
    as o(key, workspace_id, mode, object_key, modified_at)
  where exists (select from workspace w where w.id = o.workspace_id)
    and not exists (select from file f where f.object_key = o.object_key and o.key in (f.object_key, f.thumbnail_key))
    and not exists (select from task t where t.workspace_id = o.workspace_id and t.mode = o.mode::account_mode
      and t.state in ('queued', 'running') and t.created_at <= o.modified_at + ${CLOCKS_DIFFER})`

const INSERT = `
  insert into file (workspace_id, mode, id, token, task_id, kind, role, index, object_key, thumbnail_key, content_type, file_name,
    size_bytes, sha256, width_px, height_px, duration_ms, metadata)
  select workspace_id, mode, id, token, task_id, kind, role, index, object_key, thumbnail_key, content_type, file_name,
    size_bytes, sha256, width_px, height_px, duration_ms, metadata`
const ROWS = `as f(workspace_id uuid, mode account_mode, id uuid, token text, task_id uuid, kind text, role text, index int,
    object_key text, thumbnail_key text, content_type text, file_name text, size_bytes bigint, sha256 text, width_px int,
    height_px int, duration_ms int, metadata json)`

/** Every function throws `database_unavailable` where the database cannot be reached. */
export function createFileStore(connection: Queryable): FileStore {
  const database = orUnavailable(connection)

  async function files(name: string, text: string, values: readonly unknown[]): Promise<FileRecord[]> {
    return (await database.query<FileRow>(name, text, values)).rows.map(fileOf)
  }

  const insertPart = (records: readonly FileRecord[]): StatementPart => ({
    text: first => `${INSERT} from json_to_recordset($${first}::json) ${ROWS} where true`,
    values: [JSON.stringify(records.map(rowOf))],
  })

  return {
    async insert(file) {
      const part = insertPart([file])
      await database.query('file_insert', part.text(1), part.values)
    },
    insertPart,
    async findByToken(token) {
      const found = await files('file_by_token', 'select * from file where token = $1', [token])
      return found[0]
    },
    ofTasks(account, taskIds) {
      if (taskIds.length === 0) return Promise.resolve([])
      const text = `select * from file where workspace_id = $1 and mode = $2 and task_id = any ($3) order by role desc, index, id`
      return files('file_of_tasks', text, [account.workspaceId, account.mode, taskIds])
    },
    expired(limit) {
      const text = `select f.* from workspace w join file f on f.workspace_id = w.id
          and f.created_at < now() - w.keep_files_days * interval '1 day'
        where w.keep_files_days is not null limit $1`
      return files('file_expired', text, [limit])
    },
    async remove(gone) {
      const text = `delete from file f using unnest($1::uuid[], $2::uuid[]) as g(workspace_id, id)
        where f.workspace_id = g.workspace_id and f.id = g.id`
      const values = [gone.map(file => file.account.workspaceId), gone.map(file => file.id)]
      await database.query('file_remove', text, values)
    },
    async ownerless(objects) {
      const ours = objects.flatMap(({ key, modifiedAt }) => {
        const read = readObjectKey(key)
        return read === undefined ? [] : [{ key, modifiedAt, ...read }]
      })
      const { rows } = await database.query<{ key: string }>('file_ownerless', OWNERLESS, [
        ours.map(({ key }) => key),
        ours.map(({ account }) => account.workspaceId),
        ours.map(({ account }) => account.mode),
        ours.map(({ objectKey }) => objectKey),
        ours.map(({ modifiedAt }) => modifiedAt),
      ])
      return rows.map(({ key }) => key)
    },
  }
}

function rowOf(file: FileRecord) {
  return {
    workspace_id: file.account.workspaceId,
    mode: file.account.mode,
    id: file.id,
    token: file.token,
    task_id: file.taskId,
    kind: file.kind,
    role: file.role,
    index: file.index,
    object_key: file.objectKey,
    thumbnail_key: file.thumbnailKey,
    content_type: file.contentType,
    file_name: file.fileName,
    size_bytes: file.sizeBytes,
    sha256: file.sha256,
    width_px: file.widthPx,
    height_px: file.heightPx,
    duration_ms: file.durationMs === undefined ? undefined : Math.round(file.durationMs),
    metadata: file.metadata,
  }
}

function fileOf(row: FileRow): FileRecord {
  return {
    account: { workspaceId: row.workspace_id, mode: row.mode },
    id: row.id,
    token: row.token,
    taskId: row.task_id ?? undefined,
    kind: row.kind,
    role: row.role,
    index: row.index,
    objectKey: row.object_key,
    thumbnailKey: row.thumbnail_key ?? undefined,
    contentType: row.content_type,
    fileName: row.file_name,
    sizeBytes: Number(row.size_bytes),
    sha256: row.sha256,
    widthPx: row.width_px ?? undefined,
    heightPx: row.height_px ?? undefined,
    durationMs: row.duration_ms ?? undefined,
    metadata: row.metadata,
    createdAt: row.created_at,
  }
}
