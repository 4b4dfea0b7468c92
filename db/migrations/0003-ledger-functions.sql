-- The hot path of money. One call of ledger_apply carries a whole batch of ends and holds of one node: it locks
-- the accounts once, in order, decides by arithmetic, and commits once.
--
-- Lock order. Holds, months and entries belong to one account, and every writer locks the account row before it
-- touches them; accounts are locked in ascending (workspace_id, mode). So no two writers can wait for each other.
--
-- Shape of a batch. Each of its four lists is one text[], the fields of an item one after another; the functions
-- below say which. (JSON took twice the time to read, an array per field cost more to set up than a batch of one.)
-- Accounts and subjects are named once, and items refer to them by position, from 1.
--
-- Plans. How long a list is, is a guess for the planner, and on tables that were small when they were last analyzed it
-- would read all of one instead of a few rows. So scans are off; rows are looked up by their whole key, each in a
-- subquery of its own (`offset 0` keeps it one), and written by the place where they were found: they stay there, since
-- the account is locked. A plan for each batch would cost more than the batch of one.

-- Those whose money moves: ascending (workspace_id, mode), each once.
create function ledger_accounts(p_accounts text[]) returns table (n int, workspace_id uuid, mode account_mode)
language sql immutable parallel safe as $$
  select i / 2 + 1, p_accounts[i + 1]::uuid, p_accounts[i + 2]::account_mode
  from generate_series(0, cardinality(p_accounts) - 1, 2) as i
$$;

-- Holds to end. What their usage rows say beyond what was frozen in the hold; `idempotent` is that word or null.
create function ledger_ends(p_ends text[]) returns table (item int, account int, id uuid, ended_as hold_end, charge bigint,
  model text, provider text, upstream_model text, lines json, cost bigint, outcome text, estimated boolean,
  latency_ms int, first_byte_ms int, idempotent boolean)
language sql immutable parallel safe as $$
  select i / 14, p_ends[i + 1]::int, p_ends[i + 2]::uuid, p_ends[i + 3]::hold_end, p_ends[i + 4]::bigint,
    p_ends[i + 5], p_ends[i + 6], p_ends[i + 7], p_ends[i + 8]::json, p_ends[i + 9]::bigint, p_ends[i + 10],
    p_ends[i + 11]::boolean, p_ends[i + 12]::int, p_ends[i + 13]::int, p_ends[i + 14] is not null
  from generate_series(0, cardinality(p_ends) - 1, 14) as i
$$;

-- What is counted and may be capped. Day null: today by this clock; else the day of a hold's creation.
create function ledger_subjects(p_subjects text[]) returns table (n int, account int, scope cap_scope, id uuid, day date)
language sql immutable parallel safe as $$
  select i / 4 + 1, p_subjects[i + 1]::int, p_subjects[i + 2]::cap_scope, p_subjects[i + 3]::uuid, p_subjects[i + 4]::date
  from generate_series(0, cardinality(p_subjects) - 1, 4) as i
$$;

-- Holds to take or to raise, no id twice. They count for the subjects of their key, of their workspace, and others if
-- any. `amounts` are totals the hold may stand at, descending. All but the last are taken only while `headroom` such
-- holds would fit, the last as soon as it fits once: a call that set no limit of its own may not lock up a small
-- balance. An item that extends raises its hold to the total; asking again for the same total changes nothing.
create function ledger_holds(p_holds text[]) returns table (item int, account int, id uuid, key_id uuid, key_subject int,
  workspace_subject int, other_subjects int[], amounts bigint[], headroom int, extend boolean, owner uuid,
  lifetime_ms bigint, operation text, dialect text, requested_model text, model text, tier text, markup int, streamed boolean)
language sql immutable parallel safe as $$
  select i / 18, p_holds[i + 1]::int, p_holds[i + 2]::uuid, p_holds[i + 3]::uuid, p_holds[i + 4]::int,
    p_holds[i + 5]::int, p_holds[i + 6]::int[], p_holds[i + 7]::bigint[], p_holds[i + 8]::int, p_holds[i + 9]::boolean,
    p_holds[i + 10]::uuid, p_holds[i + 11]::bigint, p_holds[i + 12], p_holds[i + 13], p_holds[i + 14], p_holds[i + 15],
    p_holds[i + 16], p_holds[i + 17]::int, p_holds[i + 18]::boolean
  from generate_series(0, cardinality(p_holds) - 1, 18) as i
$$;

-- The scopes and the ids of the subjects at some positions; null for null.
create function ledger_scopes_at(p_subjects text[], p_at int[]) returns cap_scope[] language plpgsql immutable strict as $$
begin
  return (select array_agg(p_subjects[o.at * 4 - 2]::cap_scope order by o.n) from unnest(p_at) with ordinality as o(at, n));
end $$;
create function ledger_ids_at(p_subjects text[], p_at int[]) returns uuid[] language plpgsql immutable strict as $$
begin
  return (select array_agg(p_subjects[o.at * 4 - 1]::uuid order by o.n) from unnest(p_at) with ordinality as o(at, n));
end $$;

-- Adds to one day, and its month, of some subjects of an account whose rows exist.
create function ledger_count(p_workspace_id uuid, p_mode account_mode, p_scopes cap_scope[], p_ids uuid[], p_day date,
  p_used bigint, p_held bigint)
returns void language plpgsql as $$
declare
  v_dom constant int := extract(day from p_day);
begin
  update cap_month c set used_nano_usd = c.used_nano_usd + p_used, held_nano_usd = c.held_nano_usd + p_held,
      used_by_day[v_dom] = c.used_by_day[v_dom] + p_used, held_by_day[v_dom] = c.held_by_day[v_dom] + p_held
    from unnest(p_scopes, p_ids) as s(scope, id)
    cross join lateral (select m.ctid from cap_month m where (m.workspace_id, m.scope_id, m.month, m.mode, m.scope)
      = (p_workspace_id, s.id, date_trunc('month', p_day)::date, p_mode, s.scope) offset 0) m
    where c.ctid = m.ctid;
end $$;

-- Marks the stored answers of settled calls done, and frees the keys of released ones, by how their holds ended.
-- Few calls have an Idempotency-Key, so the batches of the others are spared these statements.
create function ledger_answer_repeats(p_workspaces uuid[], p_ends text[]) returns void language plpgsql
set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
  update idempotency k set state = 'done'
    from ledger_ends(p_ends) e
    join ledger_event v on v.workspace_id = p_workspaces[e.account] and v.event_key = 'hold:' || e.id and v.outcome = 'settled'
    where e.idempotent and k.workspace_id = p_workspaces[e.account] and k.request_id = e.id;
  delete from idempotency k
    using ledger_ends(p_ends) e, ledger_event v
    where e.idempotent and v.workspace_id = p_workspaces[e.account] and v.event_key = 'hold:' || e.id
      and v.outcome = 'released' and k.workspace_id = p_workspaces[e.account] and k.request_id = e.id;
end $$;

-- Every limit in the way of one hold, in order. A limit's `held` is what is neither used nor free, since a batch is
-- written only when all of it is decided.
create function ledger_refusals(p_subjects text[], p_asked int[], p_need bigint, p_today date, p_workspaces uuid[],
  p_modes account_mode[], p_day_free bigint[], p_month_free bigint[], p_balance bigint, p_available bigint)
returns json language plpgsql stable as $$
begin
  return (select json_agg(json_build_object('code', r.code, 'limit', r.lim::text, 'used', r.used::text,
      'held', (r.lim - r.used - r.free)::text, 'needed', p_need::text, 'resets_on', r.resets_on)
      order by r.scope nulls last, r.code)
  from (
    select s.scope, s.scope || p.code as code, p.lim, p.used, p.free, p.resets_on
    from unnest(p_asked, p_day_free, p_month_free) as q(n, day_free, month_free)
    join ledger_subjects(p_subjects) s on s.n = q.n
    cross join lateral (select coalesce(s.day, p_today) as day) d
    cross join lateral (select c.daily_nano_usd, c.monthly_nano_usd from cap c
      where (c.workspace_id, c.mode, c.scope, c.scope_id) = (p_workspaces[s.account], p_modes[s.account], s.scope, s.id) offset 0) c
    left join lateral (select m.used_nano_usd, m.used_by_day from cap_month m where (m.workspace_id, m.scope_id, m.month, m.mode, m.scope)
      = (p_workspaces[s.account], s.id, date_trunc('month', d.day)::date, p_modes[s.account], s.scope) offset 0) m on true
    cross join lateral (values
      ('_daily_cap', c.daily_nano_usd, coalesce(m.used_by_day[extract(day from d.day)], 0), q.day_free, d.day + 1),
      ('_monthly_cap', c.monthly_nano_usd, coalesce(m.used_nano_usd, 0), q.month_free,
        (date_trunc('month', d.day) + interval '1 month')::date)
    ) as p(code, lim, used, free, resets_on)
    where p.lim is not null and p.free < p_need
    union all
    select null, 'insufficient_credits', p_balance, 0, p_available, null where p_available < p_need
  ) r);
end $$;

-- What a batch finds of each of its items, kept as arrays: a loop over a query would copy every list for it, and each
-- read of a field would then search the copy from its beginning.
create type ledger_ended as (item int, account int, workspace_id uuid, mode account_mode, id uuid, key_id uuid, ended_as hold_end,
  held bigint, charged bigint, lost bigint, window_day date, other_scopes cap_scope[], other_ids uuid[]);
create type ledger_asked as (item int, account int, id uuid, key_id uuid, key_subject int, workspace_subject int, other_subjects int[],
  amounts bigint[], headroom int, extend boolean, held bigint, held_mode account_mode, held_day date, held_key_id uuid,
  held_other_ids uuid[], has_ended boolean, key_refusal text);

-- One batch of one node: ends first, since they free money, then holds; everything for everyone or, where it fails,
-- nothing. A hold is taken against everything at once: the balance, and the day and month of every subject.
--
-- A row of phase 'end' or 'hold' for each item, by its number from 0; available is what could be spent just then, and
-- null where nothing ended.
-- Outcomes of an end; where one batch names a hold twice, the first of them ends it and the others came too late:
--   'settled' | 'released'        it ended now; amount is what was charged (never above the hold)
--   'already_settled' | 'already_released'   it had ended before
--   'unknown'                     no such hold was ever seen in this account
-- Outcomes of a hold: 'held' (amount: the total now held) | 'refused' (refusals lists every limit in the way of the
-- smallest amount) | 'key_revoked' (also: no such key in this account) | 'key_expired' | 'no_hold' (it has ended, so
-- it can neither be extended nor, by a statement that was sent again or came late, be taken a second time).
-- What only a mistake of ours can ask (no amount, no subjects, windows that are not the hold's) is an exception,
-- which costs its batch a split and its neighbours nothing.
-- p_dry_run decides about holds, locks nothing and writes nothing.
create function ledger_apply(p_accounts text[], p_ends text[], p_subjects text[], p_holds text[], p_dry_run boolean default false)
returns table (phase text, item int, outcome text, amount bigint, available bigint, window_day date, refusals json)
language plpgsql
set enable_seqscan = off set enable_memoize = off set plan_cache_mode = force_generic_plan set jit = off set lock_timeout = '5s'
as $$
#variable_conflict use_column
declare
  c_no_limit constant bigint := 9223372036854775807;
  v_now timestamptz; v_today date; v_month date; v_dom int;
  -- By account.
  v_workspaces uuid[]; v_modes account_mode[]; v_available bigint[]; v_charged bigint[]; v_held bigint[];
  -- By subject: its day, what is free in that day and in its month, and what the batch takes there. A hold of today
  -- and an extension of yesterday's are two subjects with one month; an extension of today's shares both: v_day_at and
  -- v_month_at say under which subject each is kept.
  v_day date[]; v_day_free bigint[]; v_month_free bigint[]; v_taken bigint[]; v_day_at int[]; v_month_at int[];
  v_places tid[]; v_dated int; v_found int;
  -- By hold, from 1: what is newly held.
  v_new bigint[];
  v_ended ledger_ended[]; v_end ledger_ended; v_asked ledger_asked[]; v_hold ledger_asked; v_subjects int[];
  v_free bigint; v_before bigint; v_need bigint; v_candidate bigint; v_at int;
begin
  if p_dry_run then
    select array_agg(b.workspace_id order by b.n), array_agg(b.mode order by b.n), array_agg(a.balance_nano_usd - a.held_nano_usd order by b.n)
      into v_workspaces, v_modes, v_available
      from ledger_accounts(p_accounts) b join account a using (workspace_id, mode);
  else
    select array_agg(l.workspace_id order by l.n), array_agg(l.mode order by l.n), array_agg(l.available order by l.n)
      into v_workspaces, v_modes, v_available
      from (
        select b.n, a.workspace_id, a.mode, a.available
        from (select * from ledger_accounts(p_accounts) order by 2, 3) b
        cross join lateral (
          select a.workspace_id, a.mode, a.balance_nano_usd - a.held_nano_usd as available from account a
          where a.workspace_id = b.workspace_id and a.mode = b.mode for no key update
        ) a
      ) l;
  end if;
  if coalesce(cardinality(v_available), 0) <> cardinality(p_accounts) / 2 then
    raise exception 'a batch names an account that does not exist' using errcode = 'P0002';
  end if;
  v_charged := array_fill(0::bigint, array[cardinality(v_available)]);
  v_held := v_charged;
  -- Read after the locks were granted: waiting may have crossed midnight.
  v_now := clock_timestamp();
  v_today := (v_now at time zone 'utc')::date;
  v_month := date_trunc('month', v_today)::date;
  v_dom := extract(day from v_today);

  if p_ends is not null then
    with ended as materialized (
      delete from hold h using ledger_ends(p_ends) e
      cross join lateral (select h.ctid from hold h
        where h.workspace_id = v_workspaces[e.account] and h.id = e.id and h.mode = v_modes[e.account] offset 0) f
      where h.ctid = f.ctid
      returning e.item, e.account, h.workspace_id, h.mode, h.id, h.key_id, h.amount_nano_usd as held, h.window_day, e.ended_as,
        case when e.ended_as = 'settled' then least(e.charge, h.amount_nano_usd) else 0 end as charged,
        case when e.ended_as = 'settled' then greatest(e.charge - h.amount_nano_usd, 0) else 0 end as lost,
        h.other_scopes, h.other_ids, h.operation, h.dialect, h.requested_model, h.tier, h.markup_basis_points, h.streamed,
        e.model, e.provider, e.upstream_model, e.lines, e.cost, e.outcome, e.estimated, e.latency_ms, e.first_byte_ms
    ), event as (
      insert into ledger_event (workspace_id, event_key, outcome, amount_nano_usd)
      select workspace_id, 'hold:' || id, ended_as::text, charged from ended
    ), entry as (
      insert into ledger_entry (workspace_id, mode, id, kind, debit, credit, amount_nano_usd)
      select workspace_id, mode, id, 'settle', 'workspace', 'revenue', charged from ended where charged > 0
    ), used as (
      insert into usage (workspace_id, mode, id, key_id, operation, dialect, requested_model, model, provider,
        upstream_model, lines, tier, markup_basis_points, cost_nano_usd, charge_nano_usd, held_nano_usd, outcome,
        estimated, streamed, latency_ms, first_byte_ms)
      select workspace_id, mode, id, key_id, operation, dialect, requested_model, model, provider, upstream_model,
        lines, tier, markup_basis_points, cost, charged, held, outcome, estimated, streamed, latency_ms, first_byte_ms
      from ended
    ), counted as (
      update cap_month c set used_nano_usd = c.used_nano_usd + d.charged, held_nano_usd = c.held_nano_usd - d.held,
          used_by_day[v_dom] = c.used_by_day[v_dom] + d.charged, held_by_day[v_dom] = c.held_by_day[v_dom] - d.held
        from (
          select e.workspace_id, e.mode, s.scope, s.id, sum(e.held)::bigint as held, sum(e.charged)::bigint as charged
          from ended e
          cross join lateral (values ('key'::cap_scope, e.key_id), ('workspace', e.workspace_id)) as s(scope, id)
          where e.window_day = v_today group by 1, 2, 3, 4
        ) d
        cross join lateral (select m.ctid from cap_month m
          where (m.workspace_id, m.scope_id, m.month, m.mode, m.scope) = (d.workspace_id, d.id, v_month, d.mode, d.scope) offset 0) m
        where c.ctid = m.ctid
    )
    select array_agg(row(e.item, e.account, e.workspace_id, e.mode, e.id, e.key_id, e.ended_as, e.held, e.charged, e.lost,
        e.window_day, e.other_scopes, e.other_ids)::ledger_ended)
      into v_ended from ended e;
    phase := 'end';
    foreach v_end in array coalesce(v_ended, '{}') loop
      v_charged[v_end.account] := v_charged[v_end.account] + v_end.charged;
      v_held[v_end.account] := v_held[v_end.account] - v_end.held;
      v_available[v_end.account] := v_available[v_end.account] + v_end.held - v_end.charged;
      if v_end.lost > 0 then
        insert into ledger_entry (workspace_id, mode, id, kind, debit, credit, amount_nano_usd)
          values (v_end.workspace_id, v_end.mode, v_end.id, 'operator_loss', 'operator_loss', 'revenue', v_end.lost);
      end if;
      if v_end.window_day <> v_today then
        perform ledger_count(v_end.workspace_id, v_end.mode, '{key,workspace}', array[v_end.key_id, v_end.workspace_id],
          v_end.window_day, v_end.charged, -v_end.held);
      end if;
      if v_end.other_scopes is not null then
        perform ledger_count(v_end.workspace_id, v_end.mode, v_end.other_scopes, v_end.other_ids,
          v_end.window_day, v_end.charged, -v_end.held);
      end if;
      item := v_end.item; outcome := v_end.ended_as; amount := v_end.charged;
      available := v_available[v_end.account];
      return next;
    end loop;
    if 'idempotent' = any (p_ends) then
      perform ledger_answer_repeats(v_workspaces, p_ends);
    end if;
    if coalesce(cardinality(v_ended), 0) < cardinality(p_ends) / 14 then
      -- An item's first row is its answer, so those that ended now may be told again.
      return query
      select 'end', e.item, coalesce('already_' || v.outcome, 'unknown'), coalesce(v.amount_nano_usd, 0), null::bigint, null::date, null::json
      from ledger_ends(p_ends) e
      left join ledger_event v on v.workspace_id = v_workspaces[e.account] and v.event_key = 'hold:' || e.id;
    end if;
  end if;

  if p_holds is not null then
    select array_agg(s.day), array_agg(s.day_free), array_agg(s.month_free), array_agg(0::bigint), array_agg(s.n),
        count(s.dated), array_agg(s.place), count(s.place)
      into v_day, v_day_free, v_month_free, v_taken, v_day_at, v_dated, v_places, v_found
      from (
        select b.n, b.day as dated, d.day, m.ctid as place,
          coalesce(c.daily_nano_usd, c_no_limit) - coalesce(m.used_by_day[d.dom] + m.held_by_day[d.dom], 0) as day_free,
          coalesce(c.monthly_nano_usd, c_no_limit) - coalesce(m.used_nano_usd + m.held_nano_usd, 0) as month_free
        from ledger_subjects(p_subjects) b
        cross join lateral (select coalesce(b.day, v_today) as day, coalesce(extract(day from b.day), v_dom)::int as dom,
          coalesce(date_trunc('month', b.day)::date, v_month) as month) d
        left join lateral (select c.daily_nano_usd, c.monthly_nano_usd from cap c
          where (c.workspace_id, c.mode, c.scope, c.scope_id) = (v_workspaces[b.account], v_modes[b.account], b.scope, b.id) offset 0) c on true
        left join lateral (select m.ctid, m.used_nano_usd, m.held_nano_usd, m.used_by_day, m.held_by_day from cap_month m where (m.workspace_id, m.scope_id, m.month, m.mode, m.scope)
          = (v_workspaces[b.account], b.id, d.month, v_modes[b.account], b.scope) offset 0) m on true
        order by b.n
      ) s;
    v_month_at := v_day_at;
    -- Without an extension in the batch no subject is named twice.
    if v_dated > 0 then
      select array_agg(s.day_at order by s.n), array_agg(s.month_at order by s.n) into v_day_at, v_month_at
        from (
          select b.n, min(b.n) over (partition by b.account, b.scope, b.id, v_day[b.n]) as day_at,
            min(b.n) over (partition by b.account, b.scope, b.id, date_trunc('month', v_day[b.n])) as month_at
          from ledger_subjects(p_subjects) b
        ) s;
    end if;
    v_new := array_fill(0::bigint, array[cardinality(p_holds) / 18]);

    select array_agg(row(i.item, i.account, i.id, i.key_id, i.key_subject, i.workspace_subject, i.other_subjects, i.amounts, i.headroom, i.extend,
        h.amount_nano_usd, h.mode, h.window_day, h.key_id, h.other_ids, e.event_key is not null,
        case when k.id is null or k.revoked_at is not null then 'key_revoked' when k.expires_at <= v_now then 'key_expired' end
        )::ledger_asked)
      into v_asked
      from ledger_holds(p_holds) i
      left join lateral (select h.amount_nano_usd, h.mode, h.window_day, h.key_id, h.other_ids from hold h where h.workspace_id = v_workspaces[i.account] and h.id = i.id offset 0) h on true
      left join lateral (select v.event_key from ledger_event v
        where v.workspace_id = v_workspaces[i.account] and v.event_key = 'hold:' || i.id offset 0) e on true
      left join lateral (select k.id, k.revoked_at, k.expires_at from api_key k
        where k.workspace_id = v_workspaces[i.account] and k.id = i.key_id and k.mode = v_modes[i.account] offset 0) k on true;
    phase := 'hold';
    foreach v_hold in array v_asked loop
      item := v_hold.item; outcome := null; amount := 0; refusals := null; window_day := v_today;
      v_before := coalesce(v_hold.held, 0);
      if not coalesce(cardinality(v_hold.amounts) > 0 and 0 < all (v_hold.amounts), false) then
        raise exception 'a hold must be above zero' using errcode = '22023';
      elsif v_hold.key_subject is null or v_hold.workspace_subject is null then
        raise exception 'a hold must count for its key and its workspace' using errcode = '22023';
      elsif v_hold.held is not null and (v_hold.held_mode <> v_modes[v_hold.account] or v_hold.extend
          and (v_hold.held_day <> v_day[v_hold.key_subject] or v_hold.held_key_id <> v_hold.key_id
            or v_hold.held_other_ids is distinct from ledger_ids_at(p_subjects, v_hold.other_subjects))) then
        raise exception 'hold % counts in other windows', v_hold.id using errcode = '22023';
      elsif v_hold.held is null and (v_hold.extend or v_hold.has_ended) then
        outcome := 'no_hold';
      elsif not v_hold.extend and v_hold.held is not null then
        -- The same hold, sent again after a lost answer.
        outcome := 'held'; amount := v_hold.held; window_day := v_hold.held_day;
      elsif v_hold.key_refusal is not null then
        outcome := v_hold.key_refusal;
      else
        v_subjects := array[v_hold.key_subject, v_hold.workspace_subject] || v_hold.other_subjects;
        v_free := v_available[v_hold.account];
        foreach v_at in array v_subjects loop
          v_free := least(v_free, v_day_free[v_day_at[v_at]], v_month_free[v_month_at[v_at]]);
        end loop;
        outcome := 'refused';
        for v_n in 1..cardinality(v_hold.amounts) loop
          v_candidate := v_hold.amounts[v_n];
          v_need := greatest(v_candidate - v_before, 0);
          -- Nothing is needed where an extension is asked for again: that is held whatever the limits have become.
          if v_need = 0 or v_need <= v_free and (v_n = cardinality(v_hold.amounts) or v_need <= v_free / v_hold.headroom) then
            outcome := 'held'; amount := greatest(v_candidate, v_before);
            exit;
          end if;
        end loop;
        window_day := v_day[v_hold.key_subject];
        if outcome = 'refused' then
          refusals := ledger_refusals(p_subjects, v_subjects, v_need, v_today, v_workspaces, v_modes,
            (select array_agg(v_day_free[v_day_at[s]]) from unnest(v_subjects) s),
            (select array_agg(v_month_free[v_month_at[s]]) from unnest(v_subjects) s),
            (select a.balance_nano_usd - v_charged[v_hold.account] from account a
              where (a.workspace_id, a.mode) = (v_workspaces[v_hold.account], v_modes[v_hold.account])),
            v_available[v_hold.account]);
        elsif v_need > 0 then
          v_available[v_hold.account] := v_available[v_hold.account] - v_need;
          v_held[v_hold.account] := v_held[v_hold.account] + v_need;
          foreach v_at in array v_subjects loop
            v_day_free[v_day_at[v_at]] := v_day_free[v_day_at[v_at]] - v_need;
            v_month_free[v_month_at[v_at]] := v_month_free[v_month_at[v_at]] - v_need;
            v_taken[v_day_at[v_at]] := v_taken[v_day_at[v_at]] + v_need;
          end loop;
          if not v_hold.extend then
            v_new[v_hold.item + 1] := amount;
          elsif not p_dry_run then
            update hold h set amount_nano_usd = amount
              where h.workspace_id = v_workspaces[v_hold.account] and h.id = v_hold.id;
          end if;
        end if;
      end if;
      available := v_available[v_hold.account];
      return next;
    end loop;

    if not p_dry_run then
      if v_found < cardinality(v_places) then
        insert into cap_month (workspace_id, mode, scope, scope_id, month)
          select v_workspaces[b.account], v_modes[b.account], b.scope, b.id, date_trunc('month', v_day[b.n])::date
          from ledger_subjects(p_subjects) b where v_taken[b.n] > 0
          on conflict do nothing;
      end if;
      with taken as (
        insert into hold (workspace_id, mode, id, key_id, amount_nano_usd, owner, deadline, window_day, other_scopes, other_ids,
          operation, dialect, requested_model, model, tier, markup_basis_points, streamed)
        select v_workspaces[i.account], v_modes[i.account], i.id, i.key_id, v_new[i.item + 1], i.owner,
          v_now + i.lifetime_ms * interval '1 millisecond', v_today,
          ledger_scopes_at(p_subjects, i.other_subjects), ledger_ids_at(p_subjects, i.other_subjects),
          i.operation, i.dialect, i.requested_model, i.model, i.tier, i.markup, i.streamed
        from ledger_holds(p_holds) i where v_new[i.item + 1] > 0
      )
      update cap_month c set held_nano_usd = c.held_nano_usd + v_taken[b.n],
          held_by_day[v_dom] = c.held_by_day[v_dom] + v_taken[b.n]
        from generate_series(1, cardinality(v_places)) as b(n)
        where v_taken[b.n] > 0 and v_day[b.n] = v_today and c.ctid = v_places[b.n];
      if v_dated > 0 or v_found < cardinality(v_places) then
        perform ledger_count(v_workspaces[b.account], v_modes[b.account], array[b.scope], array[b.id], v_day[b.n], 0, v_taken[b.n])
          from ledger_subjects(p_subjects) b
          where v_taken[b.n] > 0 and (v_day[b.n] <> v_today or v_places[b.n] is null);
      end if;
    end if;
  end if;

  if p_dry_run then
    return;
  end if;
  update account a set balance_nano_usd = a.balance_nano_usd - v_charged[b.n], held_nano_usd = a.held_nano_usd + v_held[b.n]
    from generate_series(1, cardinality(v_available)) as b(n)
    cross join lateral (select a.ctid from account a
      where a.workspace_id = v_workspaces[b.n] and a.mode = v_modes[b.n] offset 0) f
    where a.ctid = f.ctid and (v_charged[b.n] <> 0 or v_held[b.n] <> 0);
end $$;

-- One end, without an Idempotency-Key, answered as by ledger_apply: a node that is not busy sends one at a time, and
-- statements about one row start in a fraction of the time of those about many. Where there is no such hold,
-- ledger_apply says what that means.
create function ledger_end_one(p_workspace_id uuid, p_mode account_mode, p_id uuid, p_ended_as hold_end, p_charge bigint,
  p_model text, p_provider text, p_upstream_model text, p_lines json, p_cost bigint, p_outcome text, p_estimated boolean,
  p_latency_ms int, p_first_byte_ms int, out outcome text, out amount bigint, out available bigint)
language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan set lock_timeout = '5s'
as $$
declare
  v_hold record;
begin
  perform from account a where a.workspace_id = p_workspace_id and a.mode = p_mode for no key update;
  delete from hold h where h.workspace_id = p_workspace_id and h.id = p_id and h.mode = p_mode
    returning h.amount_nano_usd as held, case when p_ended_as = 'settled' then least(p_charge, h.amount_nano_usd) else 0 end as charged,
      case when p_ended_as = 'settled' then greatest(p_charge - h.amount_nano_usd, 0) else 0 end as lost,
      h.key_id, h.window_day, h.other_scopes, h.other_ids, h.operation, h.dialect, h.requested_model, h.tier,
      h.markup_basis_points, h.streamed, extract(day from h.window_day)::int as dom,
      (select m.ctid from cap_month m where m.workspace_id = p_workspace_id and m.scope_id = h.key_id
        and m.month = date_trunc('month', h.window_day)::date and m.mode = p_mode and m.scope = 'key') as key_place,
      (select m.ctid from cap_month m where m.workspace_id = p_workspace_id and m.scope_id = p_workspace_id
        and m.month = date_trunc('month', h.window_day)::date and m.mode = p_mode and m.scope = 'workspace') as workspace_place
    into v_hold;
  if not found then
    select a.outcome, a.amount, a.available into outcome, amount, available
      from ledger_apply(array[p_workspace_id::text, p_mode::text], array['1', p_id::text, p_ended_as::text, p_charge::text, p_model,
        p_provider, p_upstream_model, p_lines::text, p_cost::text, p_outcome, p_estimated::text, p_latency_ms::text,
        p_first_byte_ms::text, null], null, null) a;
    return;
  end if;
  insert into ledger_event (workspace_id, event_key, outcome, amount_nano_usd)
    values (p_workspace_id, 'hold:' || p_id, p_ended_as::text, v_hold.charged);
  if v_hold.charged > 0 then
    insert into ledger_entry (workspace_id, mode, id, kind, debit, credit, amount_nano_usd)
      values (p_workspace_id, p_mode, p_id, 'settle', 'workspace', 'revenue', v_hold.charged);
  end if;
  if v_hold.lost > 0 then
    insert into ledger_entry (workspace_id, mode, id, kind, debit, credit, amount_nano_usd)
      values (p_workspace_id, p_mode, p_id, 'operator_loss', 'operator_loss', 'revenue', v_hold.lost);
  end if;
  insert into usage (workspace_id, mode, id, key_id, operation, dialect, requested_model, model, provider,
      upstream_model, lines, tier, markup_basis_points, cost_nano_usd, charge_nano_usd, held_nano_usd, outcome,
      estimated, streamed, latency_ms, first_byte_ms)
    values (p_workspace_id, p_mode, p_id, v_hold.key_id, v_hold.operation, v_hold.dialect, v_hold.requested_model, p_model,
      p_provider, p_upstream_model, p_lines, v_hold.tier, v_hold.markup_basis_points, p_cost, v_hold.charged, v_hold.held,
      p_outcome, p_estimated, v_hold.streamed, p_latency_ms, p_first_byte_ms);
  update cap_month c set used_nano_usd = c.used_nano_usd + v_hold.charged, held_nano_usd = c.held_nano_usd - v_hold.held,
      used_by_day[v_hold.dom] = c.used_by_day[v_hold.dom] + v_hold.charged,
      held_by_day[v_hold.dom] = c.held_by_day[v_hold.dom] - v_hold.held
    where c.ctid = any (array[v_hold.key_place, v_hold.workspace_place]);
  if v_hold.other_scopes is not null then
    perform ledger_count(p_workspace_id, p_mode, v_hold.other_scopes, v_hold.other_ids, v_hold.window_day, v_hold.charged, -v_hold.held);
  end if;
  update account a set balance_nano_usd = a.balance_nano_usd - v_hold.charged, held_nano_usd = a.held_nano_usd - v_hold.held
    where a.workspace_id = p_workspace_id and a.mode = p_mode
    returning p_ended_as::text, v_hold.charged, a.balance_nano_usd - a.held_nano_usd into outcome, amount, available;
end $$;

-- One hold that counts for its key and its workspace alone, answered as by ledger_apply, which decides wherever anything
-- is not as it mostly is: a new call, a good key, months that have begun, and room for the first of its amounts.
create function ledger_hold_one(p_workspace_id uuid, p_mode account_mode, p_id uuid, p_key_id uuid, p_amounts bigint[],
  p_headroom int, p_owner uuid, p_lifetime_ms bigint, p_operation text, p_dialect text, p_requested_model text,
  p_model text, p_tier text, p_markup int, p_streamed boolean,
  out outcome text, out amount bigint, out available bigint, out window_day date, out refusals json)
language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan set lock_timeout = '5s'
as $$
declare
  v_available bigint; v_now timestamptz; v_day date; v_found record;
begin
  select a.balance_nano_usd - a.held_nano_usd into v_available from account a
    where a.workspace_id = p_workspace_id and a.mode = p_mode for no key update;
  v_now := clock_timestamp();
  v_day := (v_now at time zone 'utc')::date;
  select p_amounts[1] as need, d.month, d.dom, k.ctid as key_place, w.ctid as workspace_place into v_found
    from (select date_trunc('month', v_day)::date as month, extract(day from v_day)::int as dom offset 0) d
    join cap_month k on k.workspace_id = p_workspace_id and k.scope_id = p_key_id and k.month = d.month and k.mode = p_mode and k.scope = 'key'
    join cap_month w on w.workspace_id = p_workspace_id and w.scope_id = p_workspace_id and w.month = d.month and w.mode = p_mode and w.scope = 'workspace'
    join api_key a on a.workspace_id = p_workspace_id and a.id = p_key_id and a.mode = p_mode
      and a.revoked_at is null and (a.expires_at is null or a.expires_at > v_now)
    left join cap kc on kc.workspace_id = p_workspace_id and kc.mode = p_mode and kc.scope = 'key' and kc.scope_id = p_key_id
    left join cap wc on wc.workspace_id = p_workspace_id and wc.mode = p_mode and wc.scope = 'workspace' and wc.scope_id = p_workspace_id
    where 0 < all (p_amounts)
      -- least() passes over limits that are not there.
      and p_amounts[1] <= least(v_available,
        kc.daily_nano_usd - k.used_by_day[d.dom] - k.held_by_day[d.dom], kc.monthly_nano_usd - k.used_nano_usd - k.held_nano_usd,
        wc.daily_nano_usd - w.used_by_day[d.dom] - w.held_by_day[d.dom], wc.monthly_nano_usd - w.used_nano_usd - w.held_nano_usd)
        / case when cardinality(p_amounts) > 1 then p_headroom else 1 end
      and not exists (select from hold h where h.workspace_id = p_workspace_id and h.id = p_id)
      and not exists (select from ledger_event e where e.workspace_id = p_workspace_id and e.event_key = 'hold:' || p_id);
  if not found then
    select a.outcome, a.amount, a.available, a.window_day, a.refusals into outcome, amount, available, window_day, refusals
      from ledger_apply(array[p_workspace_id::text, p_mode::text], null,
        array['1', 'key', p_key_id::text, null, '1', 'workspace', p_workspace_id::text, null],
        array['1', p_id::text, p_key_id::text, '1', '2', null, p_amounts::text, p_headroom::text, 'false', p_owner::text,
          p_lifetime_ms::text, p_operation, p_dialect, p_requested_model, p_model, p_tier, p_markup::text, p_streamed::text]) a;
    return;
  end if;
  insert into hold (workspace_id, mode, id, key_id, amount_nano_usd, owner, deadline, window_day, operation, dialect,
      requested_model, model, tier, markup_basis_points, streamed)
    values (p_workspace_id, p_mode, p_id, p_key_id, v_found.need, p_owner, v_now + p_lifetime_ms * interval '1 millisecond',
      v_day, p_operation, p_dialect, p_requested_model, p_model, p_tier, p_markup, p_streamed);
  update cap_month c set held_nano_usd = c.held_nano_usd + v_found.need,
      held_by_day[v_found.dom] = c.held_by_day[v_found.dom] + v_found.need
    where c.ctid = any (array[v_found.key_place, v_found.workspace_place]);
  update account a set held_nano_usd = a.held_nano_usd + v_found.need
    where a.workspace_id = p_workspace_id and a.mode = p_mode
    returning 'held', v_found.need, a.balance_nano_usd - a.held_nano_usd, v_day into outcome, amount, available, window_day;
end $$;

-- Charges for work whose hold was released while it still ran (its node was thought dead): what fits under the same
-- guards, in today's windows, and within what had been held is charged; the rest is the operator's loss. Once per
-- hold. The usage row that the release wrote now tells how the call really ended. A hold nobody has seen counts as
-- released from then on, so that it can't be taken and charged after all. p_end is one item, in JSON.
create function ledger_charge_late(p_end json, p_key_id uuid, p_scopes cap_scope[], p_scope_ids uuid[])
returns table (charged bigint, available bigint) language plpgsql as $$
declare
  v_end record; v_key text; v_free bigint; v_held bigint; v_charge bigint; v_day date; v_month date; v_dom int;
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
  v_dom := extract(day from v_day);
  insert into cap_month (workspace_id, mode, scope, scope_id, month)
    select v_end.workspace_id, v_end.mode, s.scope, s.id, v_month from unnest(p_scopes, p_scope_ids) as s(scope, id)
    on conflict do nothing;
  -- Null for a hold nobody has seen: then there is no promise that the charge could break.
  select u.held_nano_usd into v_held from usage u where u.workspace_id = v_end.workspace_id and u.id = v_end.id;
  select least(v_end.charge, v_held, v_free, min(least(c.daily_nano_usd - m.used_by_day[v_dom] - m.held_by_day[v_dom],
      c.monthly_nano_usd - m.used_nano_usd - m.held_nano_usd)))
    into v_charge
    from unnest(p_scopes, p_scope_ids) as s(scope, id)
    join cap_month m on (m.workspace_id, m.scope_id, m.month, m.mode, m.scope)
      = (v_end.workspace_id, s.id, v_month, v_end.mode, s.scope)
    left join cap c on (c.workspace_id, c.mode, c.scope, c.scope_id) = (v_end.workspace_id, v_end.mode, s.scope, s.id);
  v_charge := greatest(coalesce(v_charge, 0), 0);

  perform ledger_count(v_end.workspace_id, v_end.mode, p_scopes, p_scope_ids, v_day, v_charge, 0);
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

-- Inline holds whose node is dead or whose deadline has passed, in lock order.
create function ledger_orphans(p_dead_after interval, p_limit int, p_all_inline boolean)
returns table (workspace_id uuid, mode account_mode, id uuid, model text, latency_ms int) language sql as $$
  select h.workspace_id, h.mode, h.id, h.model, least(extract(epoch from now() - created_at) * 1000, 2147483647)::int
  from hold h
  where h.owner is not null and (p_all_inline or h.deadline < now()
    or not exists (select 1 from node n where n.id = h.owner and n.heartbeat_at > now() - p_dead_after))
  order by h.workspace_id, h.mode, h.id limit p_limit
$$;

-- The end of an orphan, as ledger_ends reads it.
create function ledger_orphan_end(p_account bigint, p_id uuid, p_model text, p_latency_ms int) returns text[]
language sql immutable parallel safe as $$
  select array[p_account::text, p_id::text, 'released', '0', p_model, null, null, '[]', '0', 'node_died', 'false',
    p_latency_ms::text, null, 'idempotent']
$$;

-- Releases orphans, at most p_limit at a time, through the same function and locks as everyone. p_all_inline is for
-- the boot on a database of our own: no other node can live there, so every inline hold is an orphan. One hold that
-- can't be released (the audit says why) keeps no other open. Gives how many it released.
create function ledger_release_orphans(p_dead_after interval, p_limit int, p_all_inline boolean)
returns int language plpgsql as $$
declare
  v_orphans record; v_accounts text[]; v_ends text[]; v_released int; v_total int := 0;
begin
  select array_agg(o.workspace_id) as workspaces, array_agg(o.mode) as modes, array_agg(o.id) as ids,
      array_agg(o.model) as models, array_agg(o.latency_ms) as latencies into v_orphans
    from ledger_orphans(p_dead_after, p_limit, p_all_inline) o;
  if v_orphans.ids is null then
    return 0;
  end if;
  begin
    select array_agg(f.field order by a.workspace_id, a.mode, f.n) into v_accounts
      from (select distinct o.workspace_id, o.mode from unnest(v_orphans.workspaces, v_orphans.modes) as o(workspace_id, mode)) a
      cross join lateral unnest(array[a.workspace_id::text, a.mode::text]) with ordinality as f(field, n);
    select array_agg(f.field order by o.id, f.n) into v_ends
      from (
        select dense_rank() over (order by o.workspace_id, o.mode) as account, o.id, o.model, o.latency_ms
        from unnest(v_orphans.workspaces, v_orphans.modes, v_orphans.ids, v_orphans.models, v_orphans.latencies)
          as o(workspace_id, mode, id, model, latency_ms)
      ) o
      cross join lateral unnest(ledger_orphan_end(o.account, o.id, o.model, o.latency_ms)) with ordinality as f(field, n);
    select count(*) filter (where a.outcome = 'released') into v_total from ledger_apply(v_accounts, v_ends, null, null) a;
    return v_total;
  exception
    when lock_not_available or deadlock_detected then raise;
    when others then v_total := 0;
  end;
  for v_n in 1..cardinality(v_orphans.ids) loop
    begin
      select count(*) filter (where a.outcome = 'released') into v_released
        from ledger_apply(array[v_orphans.workspaces[v_n]::text, v_orphans.modes[v_n]::text],
          ledger_orphan_end(1, v_orphans.ids[v_n], v_orphans.models[v_n], v_orphans.latencies[v_n]), null, null) a;
      v_total := v_total + v_released;
    exception
      when lock_not_available or deadlock_detected then raise;
      when others then raise warning 'hold % could not be released: %', v_orphans.ids[v_n], sqlerrm;
    end;
  end loop;
  return v_total;
end $$;
