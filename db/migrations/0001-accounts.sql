-- Who pays, who asks, and what may be spent.
-- workspace_id leads every key, so that a workspace can one day move to another shard whole.
-- Ids come from the application and are time-sortable (RFC 9562, version 7).

-- Closed sets are types and not checks: a type is checked when a value is read, a check is compiled again in every
-- statement that writes the row.
create type account_mode as enum ('live', 'test');
create type cap_scope as enum ('key', 'member', 'group', 'workspace');
create type cap_period as enum ('day', 'month');

create table workspace (
  id uuid primary key,
  name text not null check (length(name) between 1 and 200),
  -- Request limits only; the markup is the tier's.
  plan text not null default 'free' check (plan in ('free', 'pro', 'enterprise')),
  created_at timestamptz not null default now()
);

-- A workspace in one mode. Nothing crosses the two.
create table account (
  workspace_id uuid not null references workspace,
  mode account_mode not null,
  -- The sum of this account's ledger entries. The audit recomputes it.
  balance_nano_usd bigint not null default 0,
  -- The sum of this account's open holds. The audit recomputes it.
  held_nano_usd bigint not null default 0,
  -- A rung of the configured ladder.
  tier text not null,
  tier_changed_at timestamptz not null default now(),
  primary key (workspace_id, mode),
  -- What is held is always there: nothing can be spent past a balance.
  constraint balance_covers_holds check (held_nano_usd >= 0 and balance_nano_usd >= held_nano_usd)
) with (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500);

create table api_key (
  workspace_id uuid not null references workspace,
  id uuid not null unique,
  mode account_mode not null,
  name text not null check (length(name) between 1 and 200),
  -- SHA-256 of the secret, which is shown once and kept nowhere.
  digest bytea not null unique check (octet_length(digest) = 32),
  -- Prefix and last four characters, to tell keys apart on a screen.
  display text not null,
  -- An operator's own key (TOLLGATE_API_KEY) has no checksum; its digest is loaded at boot.
  checksum_exempt boolean not null default false,
  -- Canonical ids and 'vendor/*' patterns; null allows every model.
  allowed_models text[],
  rate_limit_calls int check (rate_limit_calls > 0),
  rate_limit_window_ms int check (rate_limit_window_ms > 0),
  -- Whose a request is on a path that several dialects claim; null: what is in the request decides.
  default_dialect text check (length(default_dialect) between 1 and 50),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  check ((rate_limit_calls is null) = (rate_limit_window_ms is null))
);

-- Limits by subject. A new scope is rows here, no new column anywhere.
create table cap (
  workspace_id uuid not null references workspace,
  mode account_mode not null,
  scope cap_scope not null,
  scope_id uuid not null,
  daily_nano_usd bigint check (daily_nano_usd >= 0),
  monthly_nano_usd bigint check (monthly_nano_usd >= 0),
  primary key (workspace_id, mode, scope, scope_id)
);

-- What a subject spent and holds, by UTC month and by each of its days: one row, since every call counts in a day and
-- in its month at once. Rows exist for uncapped subjects too.
-- There is no check against a limit here: lowering a limit below what was spent is allowed and only stops new holds.
create table cap_month (
  workspace_id uuid not null,
  mode account_mode not null,
  scope cap_scope not null,
  scope_id uuid not null,
  -- Its first day.
  month date not null,
  used_nano_usd bigint not null default 0,
  held_nano_usd bigint not null default 0,
  -- By day of the month, from 1. Always 31, so that an element is found without a search.
  used_by_day bigint[] not null default array_fill(0::bigint, '{31}'),
  held_by_day bigint[] not null default array_fill(0::bigint, '{31}'),
  -- What tells rows of one workspace apart soonest stands first.
  primary key (workspace_id, scope_id, month, mode, scope),
  constraint nothing_below_zero check (used_nano_usd >= 0 and held_nano_usd >= 0)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500);

-- The same by window, for who reads: a row for each month, and for each day on which something was spent or is held.
create view cap_window as
  select m.workspace_id, m.mode, m.scope, m.scope_id, w.period, w.starts_on, w.used_nano_usd, w.held_nano_usd, m.month
  from cap_month m cross join lateral (
    select 'month'::cap_period as period, m.month as starts_on, m.used_nano_usd, m.held_nano_usd
    union all
    select 'day', m.month + (d.day - 1), m.used_by_day[d.day], m.held_by_day[d.day]
    from generate_series(1, 31) as d(day) where m.used_by_day[d.day] <> 0 or m.held_by_day[d.day] <> 0
  ) w;

-- One number per cache that nodes keep in memory. Nodes poll it; whoever changes what is cached bumps it in the
-- same transaction, by trigger, so that no writer can forget.
create table cache_revision (
  name text primary key,
  revision bigint not null default 0
);
insert into cache_revision (name) values ('keys');

create function bump_cache_revision() returns trigger language plpgsql as $$
begin
  update cache_revision set revision = revision + 1 where name = tg_argv[0];
  return null;
end $$;

create trigger api_key_changed after insert or delete or
  update of name, allowed_models, rate_limit_calls, rate_limit_window_ms, default_dialect, expires_at, revoked_at on api_key
  for each statement execute function bump_cache_revision('keys');
create trigger workspace_changed after update of name, plan on workspace
  for each statement execute function bump_cache_revision('keys');
create trigger account_tier_changed after update of tier on account
  for each statement execute function bump_cache_revision('keys');

-- A running process. Its inline holds are its own; when its heartbeat stops they are released by another.
create table node (
  id uuid primary key,
  started_at timestamptz not null default now(),
  heartbeat_at timestamptz not null default now()
);

-- Answers kept for calls that carry an Idempotency-Key, the one exception to "no output is stored".
create table idempotency (
  workspace_id uuid not null,
  mode account_mode not null,
  route text not null,
  key_digest bytea not null,
  body_digest bytea not null,
  -- The call that owns the key; its hold has the same id.
  request_id uuid not null,
  owner uuid not null,
  state text not null check (state in ('running', 'answered', 'done')),
  status int,
  headers json,
  content_type text,
  body bytea check (octet_length(body) <= 1048576),
  -- The call costs nothing and its answer is kept all the same: neither a hold nor a charge belongs to it.
  is_free boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (workspace_id, mode, route, key_digest)
);
create index idempotency_request on idempotency (workspace_id, request_id);
create index idempotency_age on idempotency using brin (created_at);

-- One row for this database. ready_at is set when the first boot has made everything it makes.
create table installation (
  id boolean primary key default true check (id),
  ready_at timestamptz
);
insert into installation default values;
