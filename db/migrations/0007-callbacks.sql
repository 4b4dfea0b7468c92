-- Callbacks: where they go, what signs them, and the queue they wait in.

-- What signs the callbacks of requests that name their own URL, in each mode: a test key never sees what signs live ones.
create table callback_secret (
  workspace_id uuid not null references workspace,
  mode account_mode not null,
  -- 244 random bits, in the form of Standard Webhooks.
  secret text not null
    default 'whsec_' || encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64'),
  -- Sign too for a while: those it took the place of, the newest first.
  old_secrets text[] not null default '{}',
  old_secrets_until timestamptz,
  primary key (workspace_id, mode)
);
insert into callback_secret (workspace_id, mode) select id, unnest(enum_range(null::account_mode)) from workspace;

create function give_callback_secrets() returns trigger language plpgsql as $$
begin
  insert into callback_secret (workspace_id, mode) select new.id, unnest(enum_range(null::account_mode));
  return null;
end $$;
create trigger workspace_has_callback_secrets after insert on workspace
  for each row execute function give_callback_secrets();

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
create index delivery_due_by_workspace on delivery (workspace_id, due_at) where state = 'pending';
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

-- The lanes, and the workspaces, that have something pending: those behind p_after in their order, at most so many, from
-- the first on again behind the last, and none twice. The empty text and the zeros are before all.
create function delivery_lanes_after(p_after text, p_limit int) returns text[] language plpgsql stable as $$
declare
  v_walked text[] := '{}';
  v_at text := p_after; v_next text; v_is_round boolean := false;
begin
  while cardinality(v_walked) < p_limit loop
    select d.lane into v_next from delivery d where d.state = 'pending' and d.lane > v_at order by d.lane limit 1;
    if v_next is null then
      exit when v_is_round or p_after = '';
      v_is_round := true;
      v_at := '';
    else
      exit when v_is_round and v_next > p_after;
      v_walked := v_walked || v_next;
      v_at := v_next;
    end if;
  end loop;
  return v_walked;
end $$;

create function delivery_workspaces_after(p_after uuid, p_limit int) returns uuid[] language plpgsql stable as $$
declare
  c_zeros constant uuid := '00000000-0000-0000-0000-000000000000';
  v_walked uuid[] := '{}';
  v_at uuid := p_after; v_next uuid; v_is_round boolean := false;
begin
  while cardinality(v_walked) < p_limit loop
    select d.workspace_id into v_next from delivery d
      where d.state = 'pending' and d.workspace_id > v_at order by d.workspace_id limit 1;
    if v_next is null then
      exit when v_is_round or p_after = c_zeros;
      v_is_round := true;
      v_at := c_zeros;
    else
      exit when v_is_round and v_next > p_after;
      v_walked := v_walked || v_next;
      v_at := v_next;
    end if;
  end loop;
  return v_walked;
end $$;

-- Whose turn it is, of these deliveries: first the workspace with the fewest tries under way, those counted that it is
-- about to get, and in it the lane of which that is true. Among equals first tries come before repeats, since what failed
-- once may fail again; then the one behind the cursor comes first, or the oldest where there is no cursor; of one lane
-- always the oldest. Of one lane and of one workspace come no more than there is room for (p_lane_rooms and
-- p_workspace_rooms, by name; p_per_lane and p_per_workspace for the rest).
create function delivery_turns(p_workspaces uuid[], p_ids uuid[], p_per_lane int, p_lane_rooms jsonb, p_per_workspace int,
  p_workspace_rooms jsonb, p_after_workspace uuid, p_after_lane text)
returns table (workspace_id uuid, id uuid, lane text) language sql stable as $$
  with by_lane as (
    select d.workspace_id, d.id, d.lane, d.due_at, d.tries > d.scheduled_from as is_repeat, r.room,
      row_number() over (partition by d.lane order by d.due_at, d.id) as nth
    from (select distinct * from unnest(p_workspaces, p_ids) as x(workspace_id, id)) x
    join delivery d using (workspace_id, id)
    cross join lateral (select coalesce((p_lane_rooms ->> d.lane)::int, p_per_lane) as room offset 0) r
    where d.state = 'pending' and d.due_at <= now()
  ), by_workspace as (
    select l.*, w.room as workspace_room, row_number() over (partition by l.workspace_id order by l.nth - l.room,
      l.is_repeat, l.lane <= p_after_lane, case when p_after_lane is not null then l.lane end, l.due_at, l.id) as nth_of_workspace
    from by_lane l
    cross join lateral (
      select coalesce((p_workspace_rooms ->> l.workspace_id::text)::int, p_per_workspace) as room offset 0) w
    where l.nth <= l.room
  )
  select w.workspace_id, w.id, w.lane from by_workspace w where w.nth_of_workspace <= w.workspace_room
  order by w.nth_of_workspace - w.workspace_room, w.is_repeat, w.workspace_id <= p_after_workspace,
    case when p_after_workspace is not null then w.workspace_id end, w.due_at, w.id
$$;

-- Leases up to p_limit due deliveries for a node, by delivery_turns. The oldest few hundred are looked at. When they are
-- not all that is due, they must not hide the rest, and the rest may be millions in thousands of lanes: then some are
-- looked at from every side, and a claim costs the same however many there are. From behind the cursor, where the node's
-- last claim ended, some workspaces, each with the oldest it has, and some lanes, more of them while there is room left;
-- and the lanes of the newest, so that a first try need not wait until the cursor comes round. Where the cursor is now is
-- a last row without an id.
-- An endpoint is sent to where it is now. The secrets that sign come along: the newest first, then those it took the
-- place of lately; none where the endpoint is off or gone.
create function delivery_claim(p_node uuid, p_limit int, p_per_lane int, p_lane_rooms jsonb, p_per_workspace int,
  p_workspace_rooms jsonb, p_lease interval, p_after_workspace uuid, p_after_lane text)
returns table (workspace_id uuid, mode account_mode, id uuid, task_id uuid, endpoint_id uuid, url text, lane text,
  event text, dialect text, body text, tries int, lease_epoch int, secrets text[])
language plpgsql as $$
#variable_conflict use_column
declare
  c_window constant int := 512;
  c_most_lanes constant int := 1024;
  -- Places to look at from each side: a few more than there is room for.
  v_some int := greatest(8, p_limit + p_limit / 4);
  v_workspaces uuid[]; v_ids uuid[];
  v_after_workspace uuid; v_after_lane text;
  v_near_workspaces uuid[]; v_near_lanes text[] := '{}'; v_more_lanes text[]; v_newest_lanes text[];
  v_is_round boolean;
  v_turn_workspaces uuid[]; v_turn_ids uuid[]; v_turn_lanes text[];
begin
  select array_agg(w.workspace_id), array_agg(w.id) into v_workspaces, v_ids from (
    select d.workspace_id, d.id from delivery d where d.state = 'pending' and d.due_at <= now()
    order by d.due_at limit c_window) w;
  if v_ids is null then
    return;
  end if;
  if cardinality(v_ids) = c_window then
    v_after_workspace := coalesce(p_after_workspace, '00000000-0000-0000-0000-000000000000');
    v_after_lane := coalesce(p_after_lane, '');
    v_near_workspaces := delivery_workspaces_after(v_after_workspace, v_some);
    select v_workspaces[:v_some] || array_agg(w.workspace_id), v_ids[:v_some] || array_agg(w.id) into v_workspaces, v_ids
      from unnest(v_near_workspaces) as n(workspace_id) cross join lateral (
        select d.workspace_id, d.id from delivery d
        where d.workspace_id = n.workspace_id and d.state = 'pending' and d.due_at <= now()
        order by d.due_at limit 2) w;
    select array_agg(distinct w.lane) into v_newest_lanes from (
      select d.lane from delivery d where d.state = 'pending' and d.due_at <= now() order by d.due_at desc limit v_some) w;
  end if;
  loop
    if v_near_workspaces is not null then
      v_more_lanes := delivery_lanes_after(coalesce(v_near_lanes[cardinality(v_near_lanes)], v_after_lane), v_some);
      v_is_round := cardinality(v_more_lanes) < v_some or v_near_lanes[1] = any (v_more_lanes);
      v_near_lanes := v_near_lanes || v_more_lanes;
      select v_workspaces || array_agg(w.workspace_id), v_ids || array_agg(w.id) into v_workspaces, v_ids
        from (select distinct unnest(v_more_lanes || v_newest_lanes) as lane) l cross join lateral (
          select d.workspace_id, d.id from delivery d where d.lane = l.lane and d.state = 'pending' and d.due_at <= now()
          order by d.due_at limit coalesce((p_lane_rooms ->> l.lane)::int, p_per_lane)) w;
      v_newest_lanes := '{}';
    end if;
    select array_agg(t.workspace_id order by t.nth), array_agg(t.id order by t.nth), array_agg(t.lane order by t.nth)
      into v_turn_workspaces, v_turn_ids, v_turn_lanes
      from delivery_turns(v_workspaces, v_ids, p_per_lane, p_lane_rooms, p_per_workspace, p_workspace_rooms,
        v_after_workspace, v_after_lane) with ordinality as t(workspace_id, id, lane, nth);
    exit when v_near_workspaces is null or v_is_round or cardinality(v_turn_ids) >= p_limit
      or cardinality(v_near_lanes) >= c_most_lanes;
    v_some := cardinality(v_near_lanes);
  end loop;
  return query
  with mine as (
    select d.workspace_id, d.id from unnest(v_turn_workspaces, v_turn_ids) with ordinality as t(workspace_id, id, nth)
    join delivery d using (workspace_id, id)
    where d.state = 'pending' and d.due_at <= now()
    order by t.nth limit p_limit for update of d skip locked
  ), leased as (
    update delivery d set lease_epoch = d.lease_epoch + 1, leased_by = p_node, due_at = now() + p_lease
    from mine where d.workspace_id = mine.workspace_id and d.id = mine.id
    returning d.*
  )
  select l.workspace_id, l.mode, l.id, l.task_id, l.endpoint_id, coalesce(e.url, l.url), l.lane, l.event, l.dialect, l.body,
    l.tries - l.scheduled_from, l.lease_epoch,
    case when l.endpoint_id is null then
        c.secret || case when c.old_secrets_until > now() then c.old_secrets else '{}' end
      when e.disabled_reason is not null then array[]::text[]
      when e.id is null then array[]::text[]
      else e.secret || case when e.old_secrets_until > now() then e.old_secrets else '{}' end end
  from leased l join callback_secret c on c.workspace_id = l.workspace_id and c.mode = l.mode
  left join webhook_endpoint e on e.workspace_id = l.workspace_id and e.id = l.endpoint_id;
  if v_near_workspaces is not null then
    -- Behind the last of those looked at whose turn came; behind all of them where everybody's did.
    select coalesce(v_near_workspaces[max(array_position(v_near_workspaces, t.workspace_id))], v_near_workspaces[cardinality(v_near_workspaces)]),
        coalesce(v_near_lanes[max(array_position(v_near_lanes, t.lane))], v_near_lanes[cardinality(v_near_lanes)])
      into workspace_id, lane
      from unnest(v_turn_workspaces[:p_limit], v_turn_lanes[:p_limit]) as t(workspace_id, lane)
      where cardinality(v_turn_ids) > p_limit;
    return next;
  end if;
end $$;
