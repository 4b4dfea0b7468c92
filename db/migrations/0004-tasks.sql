-- Long operations. The first of three queues of one shape (task, delivery, periodic_job): the row is the truth and the
-- queue, due_at is both "not before" and the end of a lease, and a worker that lost its lease finds another lease_epoch and
-- can write nothing (docs/tasks.md).

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
  -- The provider that has no free seat for it now.
  waits_for text,
  -- It has, or had, a seat at a provider.
  is_seated boolean not null default false,
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
create index task_waiting on task (waits_for, workspace_id, id)
  where waits_for is not null and state in ('queued', 'running');
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

-- What a statement counts on. Where it does not hold, nothing of the statement is kept.
create function insist(p_holds boolean, p_otherwise text) returns boolean language plpgsql as $$
begin
  if p_holds is not true then
    raise exception '%', p_otherwise using errcode = 'P0004';
  end if;
  return true;
end $$;

-- The workspaces that have something due: those behind p_after in their order, at most so many, from the first on again
-- behind the last, and none twice. Zeros are before all. Looks at a bounded number of those that have anything open.
create function task_workspaces_after(p_after uuid, p_limit int) returns uuid[] language plpgsql stable as $$
declare
  c_zeros constant uuid := '00000000-0000-0000-0000-000000000000';
  c_most_looks constant int := 2048;
  v_due uuid[] := '{}';
  v_at uuid := p_after; v_next uuid; v_due_at timestamptz; v_is_round boolean := false;
begin
  for v_look in 1..c_most_looks loop
    select t.workspace_id, t.due_at into v_next, v_due_at from task t
      where t.state in ('queued', 'running') and t.workspace_id > v_at order by t.workspace_id, t.due_at limit 1;
    if v_next is null then
      exit when v_is_round or p_after = c_zeros;
      v_is_round := true;
      v_at := c_zeros;
    else
      exit when v_is_round and v_next > p_after;
      v_at := v_next;
      if v_due_at <= now() then
        v_due := v_due || v_next;
        exit when cardinality(v_due) = p_limit;
      end if;
    end if;
  end loop;
  return v_due;
end $$;

-- Leases up to p_limit due tasks for a node, the oldest of each workspace first, so that one workspace with a
-- thousand tasks and one with a single task take turns. The oldest few hundred are looked at. When they are not all that
-- is due, the turn goes on behind p_after, the workspace that it came to in the node's last claim: a claim costs the same
-- however many workspaces wait.
create function task_claim(p_node uuid, p_limit int, p_lease interval, p_after uuid) returns setof task language plpgsql as $$
declare
  c_window constant int := 512;
  v_workspaces uuid[]; v_ids uuid[];
  v_near uuid[]; v_near_workspaces uuid[]; v_near_ids uuid[]; v_after uuid;
begin
  select array_agg(d.workspace_id), array_agg(d.id) into v_workspaces, v_ids from (
    select t.workspace_id, t.id from task t where t.state in ('queued', 'running') and t.due_at <= now()
    order by t.due_at limit c_window) d;
  if v_ids is null then
    return;
  end if;
  if array_length(v_ids, 1) = c_window then
    v_after := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
    v_near := task_workspaces_after(v_after, p_limit);
    -- Two of each where that is more than enough: another node may have the first in its hand.
    select array_agg(d.workspace_id), array_agg(d.id) into v_near_workspaces, v_near_ids
      from unnest(v_near) as n(workspace_id) cross join lateral (
        select t.workspace_id, t.id from task t where t.workspace_id = n.workspace_id
          and t.state in ('queued', 'running') and t.due_at <= now()
        order by t.due_at limit case when cardinality(v_near) = p_limit then 2 else p_limit end) d;
    if cardinality(v_near) = p_limit then
      v_workspaces := v_near_workspaces;
      v_ids := v_near_ids;
    else
      select array_agg(d.workspace_id), array_agg(d.id) into v_workspaces, v_ids from (
        select * from unnest(v_workspaces, v_ids) union select * from unnest(v_near_workspaces, v_near_ids)) d(workspace_id, id);
    end if;
  end if;
  return query
  with turns as (
    select t.workspace_id, t.id, t.due_at, row_number() over (partition by t.workspace_id order by t.due_at) as turn
    from unnest(v_workspaces, v_ids) as d(workspace_id, id) join task t using (workspace_id, id)
  ), mine as (
    select t.workspace_id, t.id from turns join task t using (workspace_id, id)
    where t.state in ('queued', 'running') and t.due_at <= now()
    order by turns.turn, turns.workspace_id <= v_after, case when v_after is not null then turns.workspace_id end, turns.due_at
    limit p_limit for update of t skip locked
  )
  update task t set lease_epoch = t.lease_epoch + 1, leased_by = p_node, due_at = now() + p_lease, nudged = false
  from mine where t.workspace_id = mine.workspace_id and t.id = mine.id
  returning t.*;
end $$;
