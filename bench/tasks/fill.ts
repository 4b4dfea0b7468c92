/** Fills the tables with rows such as Tollgate writes: four tasks that it has run itself, copied with ids and times of their own. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '#platform/postgres/database.ts'
import { parseTaskId } from '#spec/ids.ts'
import { getJson, postJson } from './calls.ts'

/** Pictures, a video and a voice: what four clients may ask for, with files that differ in kind and number. */
const PATTERN_BODIES = [
  {
    model: 'google/nano-banana',
    input: {
      prompt: 'A gate at the end of a road at dawn, in the manner of a travel poster',
      output_format: 'png',
      image_size: '1:1',
    },
  },
  {
    model: 'bytedance/v1-pro-text-to-video',
    input: { prompt: 'A boat on a lake', duration: '5', resolution: '720p' },
  },
  { model: 'flux-schnell', input: { prompt: 'A lighthouse in the rain' } },
  { model: 'elevenlabs/text-to-speech-turbo-2-5', input: { text: 'The gate is open from six to ten.' } },
]
const PATTERN_MS = 30_000

/** Has a server with workers run the patterns; gives their ids as the database has them. */
export async function runPatterns(port: number, key: string): Promise<string[]> {
  const wireIds: string[] = []
  for (const body of PATTERN_BODIES) {
    const { data } = await postJson(port, '/v1/jobs/createTask', key, body)
    if (typeof data?.taskId !== 'string') throw new Error(`${body.model} could not be submitted`)
    wireIds.push(data.taskId)
  }
  const giveUpAtMs = performance.now() + PATTERN_MS
  for (const wireId of wireIds) {
    for (;;) {
      const { data } = await getJson(port, `/v1/jobs/recordInfo?taskId=${wireId}`, key)
      if (data?.state === 'success') break
      if (data?.state === 'fail' || performance.now() > giveUpAtMs) {
        throw new Error(`a task to copy did not succeed: ${JSON.stringify(data)}`)
      }
      await delay(50)
    }
  }
  return wireIds.map(wireId => parseTaskId(wireId) ?? '')
}

/** Rows of one statement, which must end within the pool's patience. */
const CHUNK = 50_000
const DAYS = 90

/** Copies the patterns until so many tasks have ended; tasks and their files at once, on a connection each. */
export async function fillTables(database: Database, patternIds: readonly string[], count: number) {
  const run = (text: string, values: readonly unknown[] = []) => database.query('', text, values)
  await run(
    `create table bench_pattern as select row_number() over (order by id) - 1 as n, t.* from task t where id = any ($1)`,
    [patternIds],
  )
  await run('create table bench_file as select p.n, f.* from bench_pattern p join file f on f.task_id = p.id')
  await run('analyze bench_pattern, bench_file')
  // The trigger would add up one by one what is added up below.
  await run('alter table task disable trigger ended_task_is_tallied')
  const end = new Date().toISOString()
  const chunks = Array.from({ length: Math.ceil(count / CHUNK) }, (_, at) => at * CHUNK + 1)
  const copy = async (statement: (series: string) => string) => {
    for (const first of chunks) {
      await run(block(statement(series(first, Math.min(count, first + CHUNK - 1), count, end))))
    }
  }
  await Promise.all([copy(TASKS), copy(FILES)])
  await run(
    `insert into task_tally select p.workspace_id, p.mode, p.operation, s.state, sum(s.made) from bench_pattern p
     join (select n, state, count(*) as made from ${series(1, count, count, end)} group by n, state) s on s.n = p.n
     group by 1, 2, 3, 4`,
  )
  await run('alter table task enable trigger ended_task_is_tallied')
  await run('drop table bench_pattern, bench_file')
  // What is measured next must not pay for what was written here, by the autovacuum or by the next checkpoint.
  for (const table of ['task', 'file', 'task_tally']) await run(`vacuum (analyze) ${table}`)
  await run('checkpoint')
}

/**
 * Number, pattern, id, creation and end of so many tasks, evenly over the last days: 70 % pictures by one model, then
 * videos, pictures by another, voices; 92 % succeeded. Ids are as those of Tollgate: ascending with time.
 */
function series(first: number, last: number, count: number, end: string): string {
  return `(
    select g, at, (g * 7919 % 20 >= 14)::int + (g * 7919 % 20 >= 17)::int + (g * 7919 % 20 >= 19)::int as n,
      uuid_in((lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(g::text), 1, 3) || '8'
        || substr(md5(g::text), 4, 15))::cstring) as id,
      (case when g * 31 % 50 < 46 then 'succeeded' when g * 31 % 50 < 49 then 'failed' else 'cancelled' end)::task_state as state
    from (select g, timestamptz '${end}' - interval '${DAYS} days' * (1 - g::float8 / ${count + 1}) as at
      from generate_series(${first}::bigint, ${last}::bigint) g) made)`
}

const TASKS = (series: string) => `
  insert into task (workspace_id, mode, id, key_id, state, operation, dialect, family, requested_model, model, request, wire, terms,
    held_nano_usd, charged_nano_usd, work, progress, result, provider, upstream_model, size_bytes, revision, due_at,
    lease_epoch, deadline_at, created_at, started_at, ended_at)
  select p.workspace_id, p.mode, s.id, p.key_id, s.state, p.operation, p.dialect, p.family, p.requested_model, p.model, p.request,
    p.wire, p.terms, p.held_nano_usd, case when s.state = 'succeeded' then p.charged_nano_usd else 0 end, p.work, p.progress,
    p.result, p.provider, p.upstream_model, case when s.state = 'succeeded' then 10000 + (hashint8(s.g) & 1048575) else 0 end,
    p.revision, s.at, p.lease_epoch, s.at + interval '2 minutes', s.at, s.at, s.at + interval '5 seconds'
  from ${series} s join bench_pattern p on p.n = s.n`

const FILES = (series: string) => `
  insert into file (workspace_id, mode, id, token, task_id, kind, role, index, object_key, thumbnail_key, content_type, file_name,
    size_bytes, sha256, width_px, height_px, duration_ms, metadata, created_at)
  select f.workspace_id, f.mode, uuid_in((left(s.id::text, 24) || substr(md5(s.g || f.role || f.index), 1, 12))::cstring),
    md5(s.g || f.role || f.index) || 'abcdefghijk', s.id, f.kind, f.role, f.index, f.object_key, f.thumbnail_key, f.content_type,
    f.file_name, f.size_bytes, f.sha256, f.width_px, f.height_px, f.duration_ms, f.metadata, s.at
  from ${series} s join bench_file f on f.n = s.n where s.state = 'succeeded'`

/** With settings of its own: the series, which is large, is read in its order, and four rows are looked up. */
function block(statement: string): string {
  return `do $fill$ begin
    set local enable_mergejoin = off; set local enable_nestloop = off; set local synchronous_commit = off;
    ${statement};
  end $fill$`
}
