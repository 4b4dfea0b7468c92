-- At a provider that takes only so many jobs at once, each create call has a seat. Seats have numbers, from 1 to the limit,
-- and no number is given twice: that is the limit, whoever asks and however many at once.
create table provider_seat (
  provider text not null,
  number int not null check (number > 0),
  workspace_id uuid not null,
  task_id uuid not null,
  -- Of the attempt.
  reference uuid not null,
  primary key (provider, number),
  unique (workspace_id, task_id, reference)
);

-- A seat is given back by the very statement that says that its job is over, whoever writes it and why. What is being
-- copied is over at the provider.
create function give_back_seats() returns trigger language plpgsql as $$
begin
  delete from provider_seat s where s.workspace_id = new.workspace_id and s.task_id = new.id
    and (task_has_ended(new.state) or not exists (
      select from json_array_elements(new.work -> 'attempts') a
      where a ->> 'reference' = s.reference::text and a ->> 'state' in ('dispatched', 'unknown', 'accepted')
        and a -> 'copyTroubles' is null and a -> 'done' is null));
  return null;
end $$;
create trigger task_gives_back_seats after update of work, state on task
  for each row when (old.is_seated) execute function give_back_seats();

create function seats_free(p_provider text, p_limit int) returns int language sql stable as $$
  select p_limit - count(*)::int from provider_seat where provider = p_provider
$$;

-- The first of those who wait for a seat: the next goes to the workspace with the fewest seats there, and in it to the
-- oldest task. One task of a workspace is not behind another workspace's thousand.
create function seat_line(p_provider text, p_count int) returns table (workspace_id uuid, id uuid)
language plpgsql stable as $$
begin
  return query
  with recursive workspaces as (
    (select t.workspace_id from task t where t.waits_for = p_provider and t.state in ('queued', 'running')
      order by t.workspace_id limit 1)
    union all
    select (select t.workspace_id from task t where t.waits_for = p_provider and t.state in ('queued', 'running')
      and t.workspace_id > w.workspace_id order by t.workspace_id limit 1)
    from workspaces w where w.workspace_id is not null)
  select w.workspace_id, one.id
  from workspaces w
  cross join lateral (
    select t.id, row_number() over (order by t.id) as nth from task t
    where t.waits_for = p_provider and t.workspace_id = w.workspace_id and t.state in ('queued', 'running')
    order by t.id limit p_count) one
  left join (select s.workspace_id, count(*) as seats from provider_seat s where s.provider = p_provider group by 1) taken
    on taken.workspace_id = w.workspace_id
  where w.workspace_id is not null
  order by coalesce(taken.seats, 0) + one.nth, one.id limit p_count;
end $$;

-- Makes those due whom the free seats belong to. Gives how many. Waits for no lock: who is passed over looks by itself.
create function seat_call(p_provider text, p_limit int) returns int language plpgsql as $$
declare
  v_called int;
begin
  with next as (
    select t.workspace_id, t.id from seat_line(p_provider, greatest(seats_free(p_provider, p_limit), 0)) l
    join task t on t.workspace_id = l.workspace_id and t.id = l.id
    where t.due_at > now() and not t.nudged for update of t skip locked)
  update task t set nudged = t.leased_by is not null, due_at = case when t.leased_by is null then now() else t.due_at end
  from next where t.workspace_id = next.workspace_id and t.id = next.id;
  get diagnostics v_called = row_count;
  return v_called;
end $$;

-- A seat for an attempt, under its task's lease: 'taken' (also where it has one), 'none', or 'lost' with the lease. Who gets
-- none stands in line from then on; `waiting` says how long the line is, to 1,200.
create function seat_take(p_workspace_id uuid, p_task_id uuid, p_epoch int, p_reference uuid, p_provider text, p_limit int)
returns table (outcome text, waiting int) language plpgsql as $$
declare
  c_longest constant int := 1200;
  v_free int; v_waits boolean; v_is_next boolean; v_waiting int;
begin
  select t.waits_for is not distinct from p_provider into v_waits from task t
  where t.workspace_id = p_workspace_id and t.id = p_task_id and t.lease_epoch = p_epoch
    and t.state in ('queued', 'running') for no key update;
  if not found then
    return query select 'lost', 0;
    return;
  end if;
  if exists (select from provider_seat s
    where s.workspace_id = p_workspace_id and s.task_id = p_task_id and s.reference = p_reference) then
    return query select 'taken', 0;
    return;
  end if;
  v_free := seats_free(p_provider, p_limit);
  v_is_next := v_free > 0 and not exists (
    select from task t where t.waits_for = p_provider and t.state in ('queued', 'running')
      and (t.workspace_id, t.id) <> (p_workspace_id, p_task_id));
  if not v_is_next and not v_waits then
    update task t set waits_for = p_provider where t.workspace_id = p_workspace_id and t.id = p_task_id;
  end if;
  if v_free > 0 and not v_is_next then
    v_is_next := exists (
      select from seat_line(p_provider, v_free) l where l.workspace_id = p_workspace_id and l.id = p_task_id);
    if not v_is_next then
      perform seat_call(p_provider, p_limit);
    end if;
  end if;
  -- A number that another takes at the same moment is waited for and then not had: there may be others.
  while v_is_next and seats_free(p_provider, p_limit) > 0 loop
    insert into provider_seat
      select p_provider, n, p_workspace_id, p_task_id, p_reference from generate_series(1, p_limit) n
      where not exists (select from provider_seat s where s.provider = p_provider and s.number = n)
      order by random() limit 1
      on conflict do nothing;
    if found then
      update task t set is_seated = true, waits_for = null where t.workspace_id = p_workspace_id and t.id = p_task_id;
      return query select 'taken', 0;
      return;
    end if;
  end loop;
  if not v_waits then
    update task t set waits_for = p_provider
    where t.workspace_id = p_workspace_id and t.id = p_task_id and t.waits_for is distinct from p_provider;
  end if;
  select count(*) into v_waiting from (
    select from task t where t.waits_for = p_provider and t.state in ('queued', 'running') limit c_longest) w;
  return query select 'none', v_waiting;
end $$;
