-- The hot path of money. One call of ledger_apply carries a whole batch of ends and holds of one node: it locks
-- the accounts once, in order, decides by arithmetic, and commits once.
--
-- Lock order. Holds, windows and entries belong to one account, and every writer locks the account row before it
-- touches them; accounts are locked in ascending (workspace_id, mode). So no two writers can wait for each other.
--
-- Plans. The batches are JSON, whose row estimate is a guess; the planner is told never to scan a table for them. On
-- a fresh database it would read every window of a day instead of those it needs, and a plan for each batch costs
-- more than the batch of one.

-- Marks the stored answers of settled calls done, and frees the keys of released ones, by how their holds ended.
-- Few calls have an Idempotency-Key, so the batches of the others are spared these statements.
create function ledger_answer_repeats(p_items json) returns void language plpgsql as $$
begin
  update idempotency k set state = 'done'
    from json_to_recordset(p_items) as i(workspace_id uuid, id uuid, idempotent boolean)
    join ledger_event v on v.workspace_id = i.workspace_id and v.event_key = 'hold:' || i.id and v.outcome = 'settled'
    where i.idempotent and k.workspace_id = i.workspace_id and k.request_id = i.id;
  delete from idempotency k
    using json_to_recordset(p_items) as i(workspace_id uuid, id uuid, idempotent boolean), ledger_event v
    where i.idempotent and v.workspace_id = i.workspace_id and v.event_key = 'hold:' || i.id and v.outcome = 'released'
      and k.workspace_id = i.workspace_id and k.request_id = i.id;
end $$;

-- Ends holds: settles what was used, gives back the rest, writes entry, usage row and event, marks the stored
-- idempotent answer done (or frees its key). Called with the accounts locked.
-- p_items: [{item, workspace_id, mode, id, ended_as: 'settled'|'released', charge, usage…}]; outcomes per item:
--   'settled' | 'released'        it ended now; amount is what was charged (never above the hold)
--   'already_settled' | 'already_released'   it had ended before
--   'unknown'                     no such hold was ever seen in this account
-- Where one batch names a hold twice, the first of them ends it and the others are answered as late as they came.
-- An item's first row is its answer: where not all ended now, every item gets a second row with what is known of it.
create function ledger_end_holds(p_items json)
returns table (item int, outcome text, amount bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  v_ended int;
begin
  return query
  with wanted as materialized (
    select * from json_to_recordset(p_items) as i(
      item int, workspace_id uuid, mode account_mode, id uuid, ended_as hold_end, idempotent boolean, charge bigint,
      operation text, dialect text, requested_model text, model text, provider text, upstream_model text, lines json,
      cost bigint, tier text, markup int, outcome text, estimated boolean, streamed boolean,
      latency_ms int, first_byte_ms int)
  ), ended as materialized (
    delete from hold h using wanted w
    where h.workspace_id = w.workspace_id and h.id = w.id and h.mode = w.mode
    -- What is read most often comes first: a row of a CTE is taken apart from its beginning, each time.
    returning w.item, w.workspace_id, w.mode, w.id, w.ended_as, w.idempotent,
      case when w.ended_as = 'settled' then least(w.charge, h.amount_nano_usd) else 0 end as charged,
      case when w.ended_as = 'settled' then greatest(w.charge - h.amount_nano_usd, 0) else 0 end as lost,
      h.amount_nano_usd as held, h.window_day, h.key_id, h.scopes, h.scope_ids,
      w.operation, w.dialect, w.requested_model, w.model, w.provider, w.upstream_model, w.lines, w.cost, w.tier, w.markup,
      w.outcome, w.estimated, w.streamed, w.latency_ms, w.first_byte_ms
  ), event as (
    insert into ledger_event (workspace_id, event_key, outcome, amount_nano_usd)
    select workspace_id, 'hold:' || id, ended_as::text, charged from ended
  ), entry as (
    insert into ledger_entry (workspace_id, mode, id, kind, debit, credit, amount_nano_usd)
    select workspace_id, mode, id, 'settle'::entry_kind, 'workspace'::ledger_account, 'revenue'::ledger_account, charged from ended where charged > 0
    union all
    select workspace_id, mode, id, 'operator_loss', 'operator_loss', 'revenue', lost from ended where lost > 0
  ), used as (
    insert into usage (workspace_id, mode, id, key_id, operation, dialect, requested_model, model, provider,
      upstream_model, lines, tier, markup_basis_points, cost_nano_usd, charge_nano_usd, held_nano_usd, outcome,
      estimated, streamed, latency_ms, first_byte_ms)
    select workspace_id, mode, id, key_id, operation, dialect, requested_model, model, provider,
      upstream_model, lines, tier, markup, cost, charged, held, outcome, estimated, streamed, latency_ms, first_byte_ms
    from ended
  ), windows as (
    update cap_window c set held_nano_usd = c.held_nano_usd - d.held, used_nano_usd = c.used_nano_usd + d.charged
    from (
      select e.workspace_id, e.mode, s.scope, s.scope_id, p.period, p.starts_on,
        sum(e.held)::bigint as held, sum(e.charged)::bigint as charged
      from ended e
      cross join lateral unnest(e.scopes, e.scope_ids) as s(scope, scope_id)
      cross join lateral (values ('day'::cap_period, e.window_day), ('month', date_trunc('month', e.window_day)::date)) as p(period, starts_on)
      group by 1, 2, 3, 4, 5, 6
    ) d
    where (c.workspace_id, c.mode, c.scope, c.scope_id, c.period, c.starts_on)
        = (d.workspace_id, d.mode, d.scope, d.scope_id, d.period, d.starts_on)
  ), balance as (
    update account a set balance_nano_usd = a.balance_nano_usd - d.charged, held_nano_usd = a.held_nano_usd - d.held
    from (select workspace_id, mode, sum(held)::bigint as held, sum(charged)::bigint as charged from ended group by 1, 2) d
    where a.workspace_id = d.workspace_id and a.mode = d.mode
  )
  select e.item, e.ended_as::text, e.charged from ended e;

  get diagnostics v_ended = row_count;
  -- As JavaScript writes it, and as json_build_object does for the sweep.
  if p_items::text like '%"idempotent":true%' or p_items::text like '%"idempotent" : true%' then
    perform ledger_answer_repeats(p_items);
  end if;
  if v_ended < json_array_length(p_items) then
    return query
    select w.item, coalesce('already_' || v.outcome, 'unknown'), coalesce(v.amount_nano_usd, 0)
    from json_to_recordset(p_items) as w(item int, workspace_id uuid, id uuid)
    left join ledger_event v on v.workspace_id = w.workspace_id and v.event_key = 'hold:' || w.id;
  end if;
end $$;

-- Takes holds against everything at once: the balance and every cap window of every subject. All fit or none is
-- taken. Called with the accounts locked.
--
-- Each account and subject is named once and items refer to them by position (from 1), so that the state of a
-- batch is a few arrays and each decision is arithmetic. (Three parameters, not one: json -> 'name' reads the whole
-- document each time, which was a third of the time.)
--   p_accounts: [{workspace_id, mode}]                  ascending
--   p_subjects: [{workspace_id, mode, scope, id, day}]  day null: today by this clock; else the windows of a hold's creation
--   p_items:    [{item, workspace_id, mode, id, account, key_id, subjects: [..], scopes: [..], scope_ids: [..],
--                 amounts: [..], headroom, extend, owner, lifetime_ms, terms}]
-- An item's amounts are totals the hold may stand at, descending. All but the last are taken only while `headroom`
-- such holds would fit, the last as soon as it fits once: a call that set no limit of its own may not lock up a
-- small balance. An item that extends raises its hold to the total; asking again for the same total changes nothing.
--
-- Outcomes: 'held' (amount: the total now held) | 'refused' (refusals lists every limit in the way of the smallest
-- amount) | 'key_revoked' (also: no such key in this account) | 'key_expired' | 'no_hold' (it has ended, so it can
-- neither be extended nor, by a statement that was sent again or came late, be taken a second time).
-- What only a mistake of ours can ask (no amount, no subjects, windows that are not the hold's) is an exception,
-- which costs its batch a split and its neighbours nothing.
-- p_dry_run decides and writes nothing.
create function ledger_take_holds(p_accounts json, p_subjects json, p_items json, p_dry_run boolean)
returns table (item int, outcome text, amount bigint, available bigint, window_day date, refusals json)
language plpgsql
as $$
declare
  c_no_limit constant bigint := 9223372036854775807;
  c_counted constant cap_scope[] := '{key,workspace}';
  -- Read after the locks were granted: waiting may have crossed midnight.
  v_now constant timestamptz := clock_timestamp();
  v_today constant date := (v_now at time zone 'utc')::date;
  v_balance bigint[]; v_account_held bigint[]; v_account_delta bigint[];
  v_day date[]; v_missing int;
  -- By subject: the position under which the state of its day, and of its month, is kept. A hold of today and an
  -- extension of yesterday's are two subjects with one month; an extension of today's shares both.
  v_day_at int[]; v_month_at int[];
  v_day_limit bigint[]; v_day_used bigint[]; v_day_held bigint[]; v_day_delta bigint[];
  v_month_limit bigint[]; v_month_used bigint[]; v_month_held bigint[]; v_month_delta bigint[];
  v_item record; v_free bigint; v_before bigint; v_need bigint; v_candidate bigint; v_last boolean;
  v_subject int; v_d int; v_m int;
begin
  select array_agg(a.balance_nano_usd order by b.n), array_agg(a.held_nano_usd order by b.n), array_agg(0::bigint)
    into v_balance, v_account_held, v_account_delta
    from rows from (json_to_recordset(p_accounts) as (workspace_id uuid, mode account_mode)) with ordinality as b(workspace_id, mode, n)
    join account a using (workspace_id, mode);
  if coalesce(array_length(v_balance, 1), 0) <> json_array_length(p_accounts) then
    raise exception 'a hold names an account that does not exist' using errcode = 'P0002';
  end if;

  with subject as (
    select b.workspace_id, b.mode, b.scope, b.id, coalesce(b.day, v_today) as day,
      date_trunc('month', coalesce(b.day, v_today))::date as month, b.n::int as n
    from rows from (json_to_recordset(p_subjects) as (workspace_id uuid, mode account_mode, scope cap_scope, id uuid, day date))
      with ordinality as b(workspace_id, mode, scope, id, day, n)
  )
  select array_agg(b.day order by b.n), count(*) filter (where d.starts_on is null or m.starts_on is null),
      array_agg(b.n order by b.n), array_agg(b.n order by b.n),
      array_agg(coalesce(c.daily_nano_usd, c_no_limit) order by b.n),
      array_agg(coalesce(d.used_nano_usd, 0) order by b.n), array_agg(coalesce(d.held_nano_usd, 0) order by b.n),
      array_agg(coalesce(c.monthly_nano_usd, c_no_limit) order by b.n),
      array_agg(coalesce(m.used_nano_usd, 0) order by b.n), array_agg(coalesce(m.held_nano_usd, 0) order by b.n),
      array_agg(0::bigint), array_agg(0::bigint)
    into v_day, v_missing, v_day_at, v_month_at, v_day_limit, v_day_used, v_day_held, v_month_limit, v_month_used,
      v_month_held, v_day_delta, v_month_delta
    from subject b
    left join cap c on (c.workspace_id, c.mode, c.scope, c.scope_id) = (b.workspace_id, b.mode, b.scope, b.id)
    left join cap_window d on (d.workspace_id, d.mode, d.scope, d.scope_id, d.period, d.starts_on)
      = (b.workspace_id, b.mode, b.scope, b.id, 'day', b.day)
    left join cap_window m on (m.workspace_id, m.mode, m.scope, m.scope_id, m.period, m.starts_on)
      = (b.workspace_id, b.mode, b.scope, b.id, 'month', b.month);

  -- Without an extension in the batch no subject is named twice.
  if p_subjects::text like '%"day":"%' then
    select array_agg(s.day_at order by s.n), array_agg(s.month_at order by s.n) into v_day_at, v_month_at
      from (
        select b.n, min(b.n::int) over (partition by b.workspace_id, b.mode, b.scope, b.id, v_day[b.n]) as day_at,
          min(b.n::int) over (partition by b.workspace_id, b.mode, b.scope, b.id, date_trunc('month', v_day[b.n])) as month_at
        from rows from (json_to_recordset(p_subjects) as (workspace_id uuid, mode account_mode, scope cap_scope, id uuid))
          with ordinality as b(workspace_id, mode, scope, id, n)
      ) s;
  end if;

  for v_item in
    select i.*, h.amount_nano_usd as held, h.mode as held_mode, h.window_day as held_day, h.scopes as held_scopes,
      h.scope_ids as held_scope_ids, e.event_key is not null as has_ended,
      case when k.id is null or k.revoked_at is not null then 'key_revoked'
           when k.expires_at <= v_now then 'key_expired' end as key_refusal,
      row_number() over (partition by i.workspace_id, i.id order by i.item) > 1 as named_before
    from json_to_recordset(p_items) as i(
      item int, workspace_id uuid, mode account_mode, id uuid, account int, key_id uuid, subjects int[],
      scopes cap_scope[], scope_ids uuid[],
      amounts bigint[], headroom int, extend boolean, owner uuid, lifetime_ms bigint, terms json)
    left join hold h on h.workspace_id = i.workspace_id and h.id = i.id
    left join ledger_event e on e.workspace_id = i.workspace_id and e.event_key = 'hold:' || i.id
    left join api_key k on k.workspace_id = i.workspace_id and k.id = i.key_id and k.mode = i.mode
    order by i.item
  loop
    item := v_item.item; outcome := null; amount := 0; refusals := null; window_day := v_today;
    if v_item.named_before then
      -- An item before this one may have taken or raised it.
      select h.amount_nano_usd, h.mode, h.window_day, h.scopes, h.scope_ids
        into v_item.held, v_item.held_mode, v_item.held_day, v_item.held_scopes, v_item.held_scope_ids
        from hold h where h.workspace_id = v_item.workspace_id and h.id = v_item.id;
    end if;
    v_before := coalesce(v_item.held, 0);
    if not coalesce(cardinality(v_item.amounts) > 0 and 0 < all (v_item.amounts), false) then
      raise exception 'a hold must be above zero' using errcode = '22023';
    elsif not v_item.scopes @> c_counted then
      raise exception 'a hold must count for its key and its workspace' using errcode = '22023';
    elsif v_item.held_mode <> v_item.mode or v_item.extend and (v_item.held_day, v_item.held_scopes, v_item.held_scope_ids)
        <> (v_day[v_item.subjects[1]], v_item.scopes, v_item.scope_ids) then
      raise exception 'hold % counts in other windows', v_item.id using errcode = '22023';
    elsif v_item.held is null and (v_item.extend or v_item.has_ended) then
      outcome := 'no_hold';
    elsif not v_item.extend and v_item.held is not null then
      -- The same hold, sent again after a lost answer.
      outcome := 'held'; amount := v_item.held; window_day := v_item.held_day;
    elsif v_item.key_refusal is not null then
      outcome := v_item.key_refusal;
    else
      v_free := v_balance[v_item.account] - v_account_held[v_item.account];
      foreach v_subject in array v_item.subjects loop
        v_d := v_day_at[v_subject];
        v_m := v_month_at[v_subject];
        v_free := least(v_free, v_day_limit[v_d] - v_day_used[v_d] - v_day_held[v_d],
          v_month_limit[v_m] - v_month_used[v_m] - v_month_held[v_m]);
      end loop;
      outcome := 'refused';
      for v_n in 1..array_length(v_item.amounts, 1) loop
        v_candidate := v_item.amounts[v_n];
        v_last := v_n = array_length(v_item.amounts, 1);
        v_need := greatest(v_candidate - v_before, 0);
        -- Nothing is needed where an extension is asked for again: that is held whatever the limits have become.
        if v_need = 0 or v_need <= v_free and (v_last or v_need <= v_free / v_item.headroom) then
          outcome := 'held'; amount := greatest(v_candidate, v_before);
          exit;
        end if;
      end loop;
      window_day := v_day[v_item.subjects[1]];
      if outcome = 'held' and v_need > 0 then
        v_account_held[v_item.account] := v_account_held[v_item.account] + v_need;
        v_account_delta[v_item.account] := v_account_delta[v_item.account] + v_need;
        foreach v_subject in array v_item.subjects loop
          v_d := v_day_at[v_subject];
          v_m := v_month_at[v_subject];
          v_day_held[v_d] := v_day_held[v_d] + v_need;
          v_day_delta[v_d] := v_day_delta[v_d] + v_need;
          v_month_held[v_m] := v_month_held[v_m] + v_need;
          v_month_delta[v_m] := v_month_delta[v_m] + v_need;
        end loop;
        if not p_dry_run then
          if v_item.extend then
            update hold h set amount_nano_usd = amount
              where h.workspace_id = v_item.workspace_id and h.id = v_item.id;
          else
            insert into hold (workspace_id, mode, id, key_id, amount_nano_usd, owner, deadline, window_day, scopes, scope_ids, terms)
            values (v_item.workspace_id, v_item.mode, v_item.id, v_item.key_id, amount, v_item.owner,
              v_now + v_item.lifetime_ms * interval '1 millisecond', window_day, v_item.scopes, v_item.scope_ids, v_item.terms);
          end if;
        end if;
      elsif outcome = 'refused' then
        v_need := greatest(v_item.amounts[array_length(v_item.amounts, 1)] - v_before, 0);
        select json_agg(json_build_object('code', r.code, 'limit', r.lim::text, 'used', r.used::text, 'held', r.held::text,
            'needed', v_need::text, 'resets_on', r.resets_on) order by r.scope nulls last, r.code)
          into refusals
          from (
            select s.scope::text || p.code as code, p.lim, p.used, p.held, p.resets_on,
              s.scope as scope
            from unnest(v_item.subjects, v_item.scopes) as s(ix, scope)
            cross join lateral (values
              ('_daily_cap', v_day_limit[s.ix], v_day_used[v_day_at[s.ix]], v_day_held[v_day_at[s.ix]], v_day[s.ix] + 1),
              ('_monthly_cap', v_month_limit[s.ix], v_month_used[v_month_at[s.ix]], v_month_held[v_month_at[s.ix]],
                (date_trunc('month', v_day[s.ix]) + interval '1 month')::date)
            ) as p(code, lim, used, held, resets_on)
            where p.lim - p.used - p.held < v_need
            union all
            select 'insufficient_credits', v_balance[v_item.account], 0, v_account_held[v_item.account], null, null
            where v_balance[v_item.account] - v_account_held[v_item.account] < v_need
          ) r;
      end if;
    end if;
    available := v_balance[v_item.account] - v_account_held[v_item.account];
    return next;
  end loop;

  if p_dry_run then
    return;
  end if;

  update account a set held_nano_usd = a.held_nano_usd + v_account_delta[b.n]
    from rows from (json_to_recordset(p_accounts) as (workspace_id uuid, mode account_mode)) with ordinality as b(workspace_id, mode, n)
    where a.workspace_id = b.workspace_id and a.mode = b.mode and v_account_delta[b.n] > 0;

  if v_missing > 0 then
    insert into cap_window (workspace_id, mode, scope, scope_id, period, starts_on)
      select b.workspace_id, b.mode, b.scope, b.id, p.period, p.starts_on
      from rows from (json_to_recordset(p_subjects) as (workspace_id uuid, mode account_mode, scope cap_scope, id uuid, day date))
        with ordinality as b(workspace_id, mode, scope, id, day, n)
      cross join lateral (values ('day'::cap_period, v_day[b.n], v_day_delta[b.n]),
        ('month', date_trunc('month', v_day[b.n])::date, v_month_delta[b.n])) as p(period, starts_on, delta)
      where p.delta > 0
      on conflict do nothing;
  end if;
  update cap_window c set held_nano_usd = c.held_nano_usd + p.delta
    from rows from (json_to_recordset(p_subjects) as (workspace_id uuid, mode account_mode, scope cap_scope, id uuid, day date))
      with ordinality as b(workspace_id, mode, scope, id, day, n)
    cross join lateral (values ('day'::cap_period, v_day[b.n], v_day_delta[b.n]),
      ('month', date_trunc('month', v_day[b.n])::date, v_month_delta[b.n])) as p(period, starts_on, delta)
    where p.delta > 0
      and (c.workspace_id, c.mode, c.scope, c.scope_id, c.period, c.starts_on)
        = (b.workspace_id, b.mode, b.scope, b.id, p.period, p.starts_on);
end $$;

-- One batch of one node: ends first, since they free money, then holds. p_accounts lists every account of both,
-- once, ascending, and holds refer to it. Rows come back with phase 'end' or 'hold' and the item's number, and one of
-- phase 'account' for each account, by its position from 1, with what can be spent there after the batch.
create function ledger_apply(p_accounts json, p_ends json, p_subjects json, p_holds json)
returns table (phase text, item int, outcome text, amount bigint, available bigint, window_day date, refusals json)
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_material = off set plan_cache_mode = force_generic_plan set jit = off set lock_timeout = '5s'
as $$
declare
  v_locked int;
begin
  perform 1 from account a
    join json_to_recordset(p_accounts) as b(workspace_id uuid, mode account_mode) using (workspace_id, mode)
    order by a.workspace_id, a.mode
    for no key update of a;
  get diagnostics v_locked = row_count;
  if v_locked <> json_array_length(p_accounts) then
    raise exception 'a batch names an account that does not exist' using errcode = 'P0002';
  end if;
  if p_ends is not null then
    return query select 'end', e.item, e.outcome, e.amount, null::bigint, null::date, null::json from ledger_end_holds(p_ends) e;
  end if;
  if p_holds is not null then
    return query select 'hold', h.item, h.outcome, h.amount, h.available, h.window_day, h.refusals
      from ledger_take_holds(p_accounts, p_subjects, p_holds, false) h;
  end if;
  return query select 'account', b.n::int, null, null::bigint, a.balance_nano_usd - a.held_nano_usd, null::date, null::json
    from rows from (json_to_recordset(p_accounts) as (workspace_id uuid, mode account_mode)) with ordinality as b(workspace_id, mode, n)
    join account a using (workspace_id, mode);
end $$;

-- What ledger_take_holds would answer, writing nothing: for quotes. Parameters as there.
create function ledger_try_holds(p_accounts json, p_subjects json, p_items json)
returns table (phase text, item int, outcome text, amount bigint, available bigint, window_day date, refusals json)
language sql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
  select 'hold', h.item, h.outcome, h.amount, h.available, h.window_day, h.refusals
  from ledger_take_holds(p_accounts, p_subjects, p_items, true) h
$$;

-- Charges for work whose hold was released while it still ran (its node was thought dead): what fits under the same
-- guards, in today's windows, and within what had been held is charged; the rest is the operator's loss. Once per
-- hold. The usage row that the release wrote now tells how the call really ended. A hold nobody has seen counts as
-- released from then on, so that it can't be taken and charged after all. p_end is one item as in ledger_end_holds.
create function ledger_charge_late(p_end json, p_key_id uuid, p_scopes cap_scope[], p_scope_ids uuid[])
returns table (charged bigint, available bigint) language plpgsql as $$
declare
  v_end record; v_key text; v_free bigint; v_held bigint; v_charge bigint; v_day date; v_month date;
begin
  select * into v_end from json_to_record(p_end) as e(
    workspace_id uuid, mode account_mode, id uuid, charge bigint, operation text, dialect text, requested_model text,
    model text, provider text, upstream_model text, lines json, cost bigint, tier text, markup int, outcome text,
    estimated boolean, streamed boolean, latency_ms int, first_byte_ms int);
  v_key := 'late:' || v_end.id;
  select a.balance_nano_usd - a.held_nano_usd into v_free from account a
    where a.workspace_id = v_end.workspace_id and a.mode = v_end.mode for no key update;
  if not found then
    raise exception 'there is no such account' using errcode = 'P0002';
  end if;
  insert into ledger_event (workspace_id, event_key, outcome, amount_nano_usd)
    values (v_end.workspace_id, v_key, 'charged', 0) on conflict do nothing;
  if not found then
    return query select e.amount_nano_usd, v_free from ledger_event e
      where e.workspace_id = v_end.workspace_id and e.event_key = v_key;
    return;
  end if;

  if exists (select from hold h where h.workspace_id = v_end.workspace_id and h.id = v_end.id) then
    raise exception 'hold % is open: settle it', v_end.id using errcode = '22023';
  end if;
  insert into ledger_event (workspace_id, event_key, outcome, amount_nano_usd)
    values (v_end.workspace_id, 'hold:' || v_end.id, 'released', 0) on conflict do nothing;

  v_day := (clock_timestamp() at time zone 'utc')::date;
  v_month := date_trunc('month', v_day)::date;
  insert into cap_window (workspace_id, mode, scope, scope_id, period, starts_on)
    select v_end.workspace_id, v_end.mode, s.scope, s.id, p.period, p.starts_on
    from unnest(p_scopes, p_scope_ids) as s(scope, id)
    cross join (values ('day'::cap_period, v_day), ('month', v_month)) as p(period, starts_on)
    on conflict do nothing;
  -- Null for a hold nobody has seen: then there is no promise that the charge could break.
  select u.held_nano_usd into v_held from usage u where u.workspace_id = v_end.workspace_id and u.id = v_end.id;
  select least(v_end.charge, v_held, v_free, min(
      case w.period when 'day' then c.daily_nano_usd else c.monthly_nano_usd end - w.used_nano_usd - w.held_nano_usd))
    into v_charge
    from unnest(p_scopes, p_scope_ids) as s(scope, id)
    join cap_window w on (w.workspace_id, w.mode, w.scope, w.scope_id) = (v_end.workspace_id, v_end.mode, s.scope, s.id)
      and (w.period, w.starts_on) in (('day', v_day), ('month', v_month))
    left join cap c on (c.workspace_id, c.mode, c.scope, c.scope_id) = (v_end.workspace_id, v_end.mode, s.scope, s.id);
  v_charge := greatest(coalesce(v_charge, 0), 0);

  update cap_window w set used_nano_usd = w.used_nano_usd + v_charge
    from unnest(p_scopes, p_scope_ids) as s(scope, id)
    where (w.workspace_id, w.mode, w.scope, w.scope_id) = (v_end.workspace_id, v_end.mode, s.scope, s.id)
      and (w.period, w.starts_on) in (('day', v_day), ('month', v_month));
  update account a set balance_nano_usd = a.balance_nano_usd - v_charge
    where a.workspace_id = v_end.workspace_id and a.mode = v_end.mode;
  update ledger_event set amount_nano_usd = v_charge where workspace_id = v_end.workspace_id and event_key = v_key;
  insert into ledger_entry (workspace_id, mode, id, kind, debit, credit, amount_nano_usd)
    select v_end.workspace_id, v_end.mode, v_end.id, 'late_charge'::entry_kind, 'workspace'::ledger_account, 'revenue'::ledger_account, v_charge
      where v_charge > 0
    union all
    select v_end.workspace_id, v_end.mode, v_end.id, 'operator_loss', 'operator_loss', 'revenue', v_end.charge - v_charge
      where v_end.charge > v_charge;
  update usage set provider = v_end.provider, upstream_model = v_end.upstream_model, lines = v_end.lines,
      cost_nano_usd = v_end.cost, charge_nano_usd = v_charge, outcome = v_end.outcome, estimated = v_end.estimated,
      latency_ms = v_end.latency_ms, first_byte_ms = v_end.first_byte_ms
    where workspace_id = v_end.workspace_id and id = v_end.id;
  if not found then
    insert into usage (workspace_id, mode, id, key_id, operation, dialect, requested_model, model, provider,
      upstream_model, lines, tier, markup_basis_points, cost_nano_usd, charge_nano_usd, held_nano_usd, outcome,
      estimated, streamed, latency_ms, first_byte_ms)
    values (v_end.workspace_id, v_end.mode, v_end.id, p_key_id, v_end.operation, v_end.dialect, v_end.requested_model,
      v_end.model, v_end.provider, v_end.upstream_model, v_end.lines, v_end.tier, v_end.markup, v_end.cost, v_charge,
      v_end.charge, v_end.outcome, v_end.estimated, v_end.streamed, v_end.latency_ms, v_end.first_byte_ms);
  end if;
  return query select v_charge, v_free - v_charge;
end $$;

-- Gives credits. Once per id: asking again changes nothing. Gives the balance.
create function ledger_grant(p_workspace_id uuid, p_mode account_mode, p_id uuid, p_amount bigint, p_note text)
returns bigint language plpgsql as $$
declare
  v_balance bigint;
begin
  select balance_nano_usd into v_balance from account
    where workspace_id = p_workspace_id and mode = p_mode for no key update;
  if not found then
    raise exception 'there is no such account' using errcode = 'P0002';
  end if;
  insert into ledger_event (workspace_id, event_key, outcome, amount_nano_usd)
    values (p_workspace_id, 'grant:' || p_id, 'granted', p_amount) on conflict do nothing;
  if not found then
    return v_balance;
  end if;
  insert into ledger_entry (workspace_id, mode, id, kind, debit, credit, amount_nano_usd, note)
    values (p_workspace_id, p_mode, p_id, 'grant', 'promotion', 'workspace', p_amount, p_note);
  update account set balance_nano_usd = balance_nano_usd + p_amount
    where workspace_id = p_workspace_id and mode = p_mode returning balance_nano_usd into v_balance;
  return v_balance;
end $$;

-- Inline holds whose node is dead or whose deadline has passed, as ends for ledger_apply, in lock order.
create function ledger_orphans(p_dead_after interval, p_limit int, p_all_inline boolean)
returns table (workspace_id uuid, mode account_mode, item json) language sql as $$
  select h.workspace_id, h.mode, json_build_object('item', row_number() over (order by h.workspace_id, h.mode, h.id),
    'workspace_id', h.workspace_id, 'mode', h.mode, 'id', h.id, 'ended_as', 'released', 'charge', 0,
    'operation', coalesce(terms->>'operation', ''), 'dialect', coalesce(terms->>'dialect', ''),
    'requested_model', coalesce(terms->>'requestedModel', ''), 'model', coalesce(terms->>'model', ''), 'lines', '[]'::json, 'cost', 0,
    'tier', coalesce(terms->>'tier', ''), 'markup', coalesce((terms->>'markupBasisPoints')::int, 0), 'outcome', 'node_died',
    'estimated', false, 'streamed', coalesce((terms->>'streamed')::boolean, false),
    'latency_ms', least(extract(epoch from now() - created_at) * 1000, 2147483647)::int, 'idempotent', true)
  from hold h
  where h.owner is not null and (p_all_inline or h.deadline < now()
    or not exists (select 1 from node n where n.id = h.owner and n.heartbeat_at > now() - p_dead_after))
  order by h.workspace_id, h.mode, h.id limit p_limit
$$;

-- Releases orphans, at most p_limit at a time, through the same functions and locks as everyone. p_all_inline is for
-- the boot on a database of our own: no other node can live there, so every inline hold is an orphan. One hold that
-- can't be released (the audit says why) keeps no other open. Gives how many it released.
create function ledger_release_orphans(p_dead_after interval, p_limit int, p_all_inline boolean)
returns int language plpgsql as $$
declare
  v_workspaces uuid[]; v_modes account_mode[]; v_items json[]; v_accounts json; v_released int; v_total int := 0;
begin
  select array_agg(o.workspace_id), array_agg(o.mode), array_agg(o.item) into v_workspaces, v_modes, v_items
    from ledger_orphans(p_dead_after, p_limit, p_all_inline) o;
  if v_items is null then
    return 0;
  end if;
  begin
    select json_agg(json_build_object('workspace_id', a.workspace_id, 'mode', a.mode) order by a.workspace_id, a.mode)
      into v_accounts from (select distinct o.workspace_id, o.mode from unnest(v_workspaces, v_modes) as o(workspace_id, mode)) a;
    select count(*) filter (where a.outcome = 'released') into v_total
      from ledger_apply(v_accounts, array_to_json(v_items), null, null) a;
    return v_total;
  exception
    when lock_not_available or deadlock_detected then raise;
    when others then v_total := 0;
  end;
  for v_n in 1..array_length(v_items, 1) loop
    begin
      select count(*) filter (where a.outcome = 'released') into v_released
        from ledger_apply(json_build_array(json_build_object('workspace_id', v_workspaces[v_n], 'mode', v_modes[v_n])),
          json_build_array(v_items[v_n]), null, null) a;
      v_total := v_total + v_released;
    exception
      when lock_not_available or deadlock_detected then raise;
      when others then raise warning 'hold % could not be released: %', v_items[v_n]->>'id', sqlerrm;
    end;
  end loop;
  return v_total;
end $$;
