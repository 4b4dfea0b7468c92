-- Long operations, the files that come out of them, and the callbacks that tell of them. Three queues of one shape:
-- the row is the truth and the queue, due_at is both "not before" and the end of a lease, and a worker that lost its
-- lease finds another lease_epoch and can write nothing (docs/tasks.md).

create type task_state as enum ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired');

create table task (
  workspace_id uuid not null,
  mode account_mode not null,
  -- Of the request that made it; its hold has the same id.
  id uuid not null,
  key_id uuid not null,
  state task_state not null default 'queued',
  operation text not null,
  dialect text not null,
  family text not null,
  requested_model text not null,
  model text not null,
  -- What is to be made, every default filled in.
  request json not null,
  -- The client's body, for the endpoints that echo it.
  wire json not null,
  -- Everything that settling needs, frozen when it was submitted: tier, markup, offerings with their prices, the bound.
  terms json not null,
  callback_url text,
  held_nano_usd bigint not null check (held_nano_usd >= 0),
  charged_nano_usd bigint not null default 0 check (charged_nano_usd between 0 and held_nano_usd),
  -- The worker's notes: attempts and their handles.
  work json not null default '{"attempts":[]}',
  progress real check (progress between 0 and 1),
  stage text check (stage in ('text', 'first')),
  -- What came out that is no file, and what can be had of it before the end.
  result json,
  failure json,
  provider text,
  upstream_model text,
  size_bytes bigint not null default 0,
  -- Goes up with every change that a client can see.
  revision int not null default 0,
  due_at timestamptz not null default now(),
  lease_epoch int not null default 0,
  -- The node that works on it now; null between steps.
  leased_by uuid,
  -- Somebody has news of it: its next step must not wait.
  nudged boolean not null default false,
  deadline_at timestamptz not null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  primary key (workspace_id, id),
  check ((state in ('queued', 'running')) = (ended_at is null)),
  check (charged_nano_usd = 0 or state = 'succeeded')
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
-- Finished tasks are in neither, so a million of them cost the queue nothing.
create index task_due on task (due_at) where state in ('queued', 'running');
create index task_due_by_workspace on task (workspace_id, due_at) where state in ('queued', 'running');
-- Lists are read from these, a branch for each operation and state, so that page one of a million costs what page one
-- of ten does. Only what has ended is in them: a task enters once.
create index task_ended_by_age on task (workspace_id, mode, operation, state, created_at, id)
  where state not in ('queued', 'running');
create index task_ended_by_size on task (workspace_id, mode, operation, state, size_bytes, id)
  where state not in ('queued', 'running');
create index task_child on task (workspace_id, (request ->> 'parentTask')) where request ->> 'parentTask' is not null;

create function task_has_ended(p_state task_state) returns boolean language sql immutable parallel safe as $$
  select p_state not in ('queued', 'running')
$$;

-- States go forward only, whoever writes them.
create function refuse_going_back() returns trigger language plpgsql as $$
begin
  if task_has_ended(old.state) and new.state <> old.state or old.state = 'running' and new.state = 'queued' then
    raise exception 'a task cannot go from % to %', old.state, new.state;
  end if;
  if new.lease_epoch < old.lease_epoch then
    raise exception 'a lease epoch only goes up';
  end if;
  return new;
end $$;
create trigger task_goes_forward before update of state, lease_epoch on task
  for each row when (old.state is distinct from new.state or new.lease_epoch < old.lease_epoch)
  execute function refuse_going_back();

-- How many tasks of an account have ended, as numbers to add up: counting a million rows takes a second. Rows are only
-- added and folded, so that no end of a task waits for another's.
create table task_tally (
  workspace_id uuid not null,
  mode account_mode not null,
  operation text not null,
  state task_state not null,
  tasks bigint not null
);
create index task_tally_of on task_tally (workspace_id, mode, operation, state) include (tasks);

-- Makes one row of those that nobody else is folding.
create function task_tally_fold(p_workspace_id uuid, p_mode account_mode, p_operation text, p_state task_state)
returns void language plpgsql set enable_seqscan = off as $$
begin
  with folded as (
    delete from task_tally n using (
      select m.ctid from task_tally m
      where m.workspace_id = p_workspace_id and m.mode = p_mode and m.operation = p_operation and m.state = p_state
      for update skip locked) mine
    where n.ctid = mine.ctid returning n.tasks)
  insert into task_tally select p_workspace_id, p_mode, p_operation, p_state, sum(tasks) from folded having count(*) > 0;
end $$;

create function tally_ended_task() returns trigger language plpgsql as $$
begin
  insert into task_tally values (new.workspace_id, new.mode, new.operation, new.state, 1);
  -- Now and then, which keeps a sum to some hundred rows.
  if random() < 0.01 then
    perform task_tally_fold(new.workspace_id, new.mode, new.operation, new.state);
  end if;
  return null;
end $$;
create trigger task_is_tallied after update of state on task
  for each row when (old.state is distinct from new.state and task_has_ended(new.state))
  execute function tally_ended_task();
create trigger ended_task_is_tallied after insert on task
  for each row when (task_has_ended(new.state)) execute function tally_ended_task();

-- A page of an account's tasks, by created_at or size_bytes and then by id. Each branch reads its index in order and no
-- further than the page's end. Planned for each call, since a plan for any limit and offset would read the whole table.
create function task_page(p_workspace_id uuid, p_mode account_mode, p_operations text[], p_states task_state[], p_sort text,
  p_order text, p_limit int, p_offset int)
returns setof task language plpgsql stable as $$
begin
  if p_sort not in ('created_at', 'size_bytes') or p_order not in ('asc', 'desc') then
    raise exception 'tasks cannot be sorted by % %', p_sort, p_order;
  end if;
  return query execute format($page$
    select t.* from (
      select one.place, one.id
      from (select distinct unnest($3) as operation) o cross join (select distinct unnest($4) as state) s
      cross join lateral (
        select t.%1$I as place, t.id from task t
        where t.workspace_id = $1 and t.mode = $2 and t.operation = o.operation and t.state = s.state
          and t.state not in ('queued', 'running')
        order by t.%1$I %2$s, t.id %2$s limit $5 + $6) one
      union all
      select t.%1$I, t.id from task t
      where t.workspace_id = $1 and t.mode = $2 and t.operation = any ($3) and t.state = any ($4)
        and t.state in ('queued', 'running') and $4 && '{queued, running}'
      order by 1 %2$s, 2 %2$s limit $5 offset $6) page
    join task t on t.workspace_id = $1 and t.id = page.id
    order by page.place %2$s, page.id %2$s $page$, p_sort, p_order)
    using p_workspace_id, p_mode, p_operations, p_states, p_limit, p_offset;
end $$;

-- A file of ours: what a task made, or what a client sent. The bytes are in the object store under a key made of the id.
create table file (
  workspace_id uuid not null,
  mode account_mode not null,
  id uuid not null,
  -- Unguessable: who has it may read the file.
  token text not null,
  -- Null for an upload.
  task_id uuid,
  kind text not null check (kind in ('image', 'video', 'audio', 'mesh', 'text', 'other')),
  role text not null check (role in ('result', 'cover', 'upload')),
  index int not null default 0,
  object_key text not null,
  thumbnail_key text,
  content_type text not null,
  file_name text not null,
  size_bytes bigint not null check (size_bytes >= 0),
  sha256 text not null,
  width_px int,
  height_px int,
  duration_ms int,
  metadata json not null default '{}',
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create unique index file_token on file (token);
create index file_task on file (workspace_id, task_id, index) where task_id is not null;
create index file_age on file (workspace_id, created_at);

-- How long a workspace keeps its files; null: for ever.
alter table workspace add column keep_files_days int check (keep_files_days > 0);

-- Signs the callbacks of requests that name their own URL. 244 random bits, in the form of Standard Webhooks.
alter table workspace add column callback_secret text not null
  default 'whsec_' || encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64');

-- What a statement counts on. Where it does not hold, nothing of the statement is kept.
create function insist(p_holds boolean, p_otherwise text) returns boolean language plpgsql as $$
begin
  if p_holds is not true then
    raise exception '%', p_otherwise using errcode = 'P0004';
  end if;
  return true;
end $$;

-- Leases up to p_limit due tasks for a node, the oldest of each workspace first, so that one workspace with a
-- thousand tasks and one with a single task take turns. The oldest few hundred are looked at; only when they are not
-- all that is due are the workspaces walked one by one.
create function task_claim(p_node uuid, p_limit int, p_lease interval) returns setof task language plpgsql as $$
declare
  c_window constant int := 512;
  v_workspaces uuid[]; v_ids uuid[];
begin
  select array_agg(d.workspace_id), array_agg(d.id) into v_workspaces, v_ids from (
    select t.workspace_id, t.id from task t where t.state in ('queued', 'running') and t.due_at <= now()
    order by t.due_at limit c_window) d;
  if v_ids is null then
    return;
  end if;
  if array_length(v_ids, 1) = c_window then
    with recursive workspaces as (
      (select t.workspace_id from task t where t.state in ('queued', 'running') order by t.workspace_id limit 1)
      union all
      select (select t.workspace_id from task t
        where t.state in ('queued', 'running') and t.workspace_id > w.workspace_id order by t.workspace_id limit 1)
      from workspaces w where w.workspace_id is not null)
    select array_agg(d.workspace_id), array_agg(d.id) into v_workspaces, v_ids
      from workspaces w cross join lateral (
        select t.workspace_id, t.id from task t where t.workspace_id = w.workspace_id
          and t.state in ('queued', 'running') and t.due_at <= now() order by t.due_at limit p_limit) d
      where w.workspace_id is not null;
  end if;
  return query
  with turns as (
    select t.workspace_id, t.id, t.due_at, row_number() over (partition by t.workspace_id order by t.due_at) as turn
    from unnest(v_workspaces, v_ids) as d(workspace_id, id) join task t using (workspace_id, id)
  ), mine as (
    select t.workspace_id, t.id from turns join task t using (workspace_id, id)
    where t.state in ('queued', 'running') and t.due_at <= now()
    order by turns.turn, turns.due_at limit p_limit for update of t skip locked
  )
  update task t set lease_epoch = t.lease_epoch + 1, leased_by = p_node, due_at = now() + p_lease, nudged = false
  from mine where t.workspace_id = mine.workspace_id and t.id = mine.id
  returning t.*;
end $$;

create type delivery_state as enum ('pending', 'delivered', 'exhausted', 'dropped');

-- Where a workspace wants to hear of all its tasks.
create table webhook_endpoint (
  workspace_id uuid not null references workspace,
  mode account_mode not null,
  id uuid not null,
  url text not null check (length(url) between 8 and 2048),
  description text not null default '',
  secret text not null,
  -- Sign too for a while: those it took the place of, the newest first.
  old_secrets text[] not null default '{}',
  old_secrets_until timestamptz,
  -- Why it is off; null: on.
  disabled_reason text,
  -- The first failed try after the last success, and how many there were since.
  failing_since timestamptz,
  failed_tries int not null default 0,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

-- One callback to one place: written in the transaction that made its news true. The id is the `webhook-id` of every try.
create table delivery (
  workspace_id uuid not null,
  mode account_mode not null,
  id uuid not null,
  task_id uuid not null,
  -- Null where the request named the URL itself.
  endpoint_id uuid,
  url text not null,
  -- What waits for what: deliveries to one place are tried a few at a time, and a place that fails delays itself alone.
  lane text not null,
  event text not null,
  dialect text not null,
  body text not null,
  state delivery_state not null default 'pending',
  tries int not null default 0,
  -- Tries that were made before it was replayed: its schedule counts from there.
  scheduled_from int not null default 0,
  due_at timestamptz not null default now(),
  lease_epoch int not null default 0,
  -- The node that sends it now; null between tries.
  leased_by uuid,
  last_status int,
  last_error text,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (workspace_id, id),
  check ((state = 'pending') = (ended_at is null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index delivery_due on delivery (due_at) where state = 'pending';
create index delivery_lane on delivery (lane, due_at) where state = 'pending';
create index delivery_age on delivery (ended_at) where state <> 'pending';
create index delivery_task on delivery (workspace_id, task_id);
create index delivery_list on delivery (workspace_id, mode, created_at desc);

create table delivery_try (
  workspace_id uuid not null,
  delivery_id uuid not null,
  number int not null,
  at timestamptz not null default now(),
  status int,
  error text,
  duration_ms int not null,
  primary key (workspace_id, delivery_id, number)
);

-- Leases up to p_limit due deliveries for a node. Workspaces take turns, and within each its lanes do, the oldest of each
-- first; of one lane and of one workspace come no more than the node has room for (p_lane_rooms and p_workspace_rooms,
-- by name; p_per_lane and p_per_workspace for those that are not named). The oldest few hundred are looked at; only when
-- they are not all that is due are the lanes walked one by one, so that a lane with a long backlog hides no other.
-- An endpoint is sent to where it is now. The secrets that sign come along: the newest first, then those it took the
-- place of lately; none where the endpoint is off or gone.
create function delivery_claim(p_node uuid, p_limit int, p_per_lane int, p_lane_rooms jsonb, p_per_workspace int,
  p_workspace_rooms jsonb, p_lease interval)
returns table (workspace_id uuid, mode account_mode, id uuid, task_id uuid, endpoint_id uuid, url text, lane text,
  event text, dialect text, body text, tries int, lease_epoch int, secrets text[])
language plpgsql as $$
#variable_conflict use_column
declare
  c_window constant int := 512;
  v_workspaces uuid[]; v_ids uuid[];
begin
  select array_agg(w.workspace_id), array_agg(w.id) into v_workspaces, v_ids from (
    select d.workspace_id, d.id from delivery d where d.state = 'pending' and d.due_at <= now()
    order by d.due_at limit c_window) w;
  if v_ids is null then
    return;
  end if;
  if array_length(v_ids, 1) = c_window then
    with recursive lanes as (
      (select d.lane from delivery d where d.state = 'pending' order by d.lane limit 1)
      union all
      select (select d.lane from delivery d where d.state = 'pending' and d.lane > l.lane order by d.lane limit 1)
      from lanes l where l.lane is not null)
    select array_agg(w.workspace_id), array_agg(w.id) into v_workspaces, v_ids
      from lanes l cross join lateral (
        select d.workspace_id, d.id from delivery d where d.lane = l.lane and d.state = 'pending' and d.due_at <= now()
        order by d.due_at limit coalesce((p_lane_rooms ->> l.lane)::int, p_per_lane)) w
      where l.lane is not null;
  end if;
  return query
  with by_lane as (
    select d.workspace_id, d.id, d.lane, d.due_at,
      row_number() over (partition by d.lane order by d.due_at, d.id) as lane_turn
    from unnest(v_workspaces, v_ids) as w(workspace_id, id) join delivery d using (workspace_id, id)
  ), by_workspace as (
    select l.workspace_id, l.id, l.due_at,
      row_number() over (partition by l.workspace_id order by l.lane_turn, l.due_at, l.id) as turn
    from by_lane l where l.lane_turn <= coalesce((p_lane_rooms ->> l.lane)::int, p_per_lane)
  ), mine as (
    select d.workspace_id, d.id from by_workspace w join delivery d using (workspace_id, id)
    where d.state = 'pending' and d.due_at <= now()
      and w.turn <= coalesce((p_workspace_rooms ->> w.workspace_id::text)::int, p_per_workspace)
    order by w.turn, w.due_at limit p_limit for update of d skip locked
  ), leased as (
    update delivery d set lease_epoch = d.lease_epoch + 1, leased_by = p_node, due_at = now() + p_lease
    from mine where d.workspace_id = mine.workspace_id and d.id = mine.id
    returning d.*
  )
  select l.workspace_id, l.mode, l.id, l.task_id, l.endpoint_id, coalesce(e.url, l.url), l.lane, l.event, l.dialect, l.body,
    l.tries - l.scheduled_from, l.lease_epoch,
    case when l.endpoint_id is null then array[w.callback_secret]
      when e.disabled_reason is not null then array[]::text[]
      when e.id is null then array[]::text[]
      else e.secret || case when e.old_secrets_until > now() then e.old_secrets else '{}' end end
  from leased l join workspace w on w.id = l.workspace_id
  left join webhook_endpoint e on e.workspace_id = l.workspace_id and e.id = l.endpoint_id;
end $$;
