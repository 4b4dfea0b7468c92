-- Money that is reserved, and money that moved. docs/money.md says the rules in prose.
--
-- PostgreSQL reads a check anew in every statement that writes the table, which is as dear as the row. So there is one
-- where money itself stands (account, cap_month, ledger_entry); the rest is for the functions that alone write these
-- tables, and for the audit.

create type hold_end as enum ('settled', 'released');
create type entry_kind as enum ('grant', 'settle', 'late_charge', 'operator_loss', 'adjustment');
-- 'workspace' is the account a row names; the others are the operator's, and have no row anywhere that could be hot.
create type ledger_account as enum ('workspace', 'revenue', 'operator_loss', 'promotion', 'clearing');

-- Reserved money. A row lives from the call's start to its end; how it ended stays in ledger_event.
create table hold (
  workspace_id uuid not null,
  mode account_mode not null,
  -- The request's own id.
  id uuid not null,
  key_id uuid not null,
  amount_nano_usd bigint not null,
  -- The node incarnation an inline hold belongs to; null for a task's hold, which no node's death touches.
  owner uuid,
  -- By the database's clock; null: never expires by itself.
  deadline timestamptz,
  -- The UTC day whose windows (and whose month's) this hold counts in, from its creation to its end.
  window_day date not null,
  -- It counts for its key and its workspace, and for these, if any: scopes and ids, side by side.
  other_scopes cap_scope[],
  other_ids uuid[],
  -- Frozen: for the usage row of its end.
  operation text not null,
  dialect text not null,
  requested_model text not null,
  model text not null,
  tier text not null,
  markup_basis_points int not null,
  streamed boolean not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

-- One row per business event that may happen once: 'hold:<id>' (its end), 'late:<id>', 'grant:<id>' …
-- It stands apart because a unique key on the partitioned entries would have to contain their date.
create table ledger_event (
  workspace_id uuid not null,
  -- By bytes: under a language's rules each comparison would cost ten times as much.
  event_key text collate "C" not null,
  outcome text not null,
  amount_nano_usd bigint not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, event_key)
);

-- The id an event is about, for looking up its entries and its receipt; null where the event is named by someone else.
create function event_subject(p_event_key text) returns uuid language sql immutable parallel safe as $$
  select case when p_event_key ~ '^(hold|late|grant):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    then split_part(p_event_key, ':', 2)::uuid end
$$;
create index ledger_event_age on ledger_event using brin (created_at);

-- Money that moved: from one account to another, so every row sums to zero by its shape. Never updated or deleted.
create table ledger_entry (
  workspace_id uuid not null,
  mode account_mode not null,
  -- The event's id: of the hold, the grant, the payment.
  id uuid not null,
  kind entry_kind not null,
  debit ledger_account not null,
  credit ledger_account not null,
  amount_nano_usd bigint not null,
  note text,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id, kind, created_at),
  check (amount_nano_usd > 0 and debit <> credit)
) partition by range (created_at);
create table ledger_entry_default partition of ledger_entry default;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'ledger entries are never changed or deleted; write a new one';
end $$;
create trigger ledger_entry_is_append_only before update or delete on ledger_entry
  for each row execute function refuse_change();

-- One row per call that was admitted: usage, and read by its id the receipt.
create table usage (
  workspace_id uuid not null,
  mode account_mode not null,
  id uuid not null,
  key_id uuid not null,
  operation text not null,
  dialect text not null,
  requested_model text not null,
  model text not null,
  provider text,
  upstream_model text,
  -- [{unit, quantity, price}]: whole units and nano-dollars per million, as strings.
  lines json not null,
  tier text not null,
  markup_basis_points int not null,
  cost_nano_usd bigint not null,
  charge_nano_usd bigint not null,
  held_nano_usd bigint not null,
  outcome text not null,
  estimated boolean not null,
  streamed boolean not null,
  latency_ms int not null,
  first_byte_ms int,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id, created_at)
) partition by range (created_at);
create table usage_default partition of usage default;

-- Creates the monthly partitions of a table from this month to so many months ahead; safe to call at any time, from
-- many nodes. One table a transaction: it locks the whole table, though not for long, and never waits long for it.
-- A missing partition never stops money: rows then go to the default partition, and the audit says so.
create function create_month_partitions(p_table text, p_months_ahead int) returns void language plpgsql
set lock_timeout = '2s' as $$
declare
  v_month date := date_trunc('month', now() at time zone 'utc')::date;
  v_name text;
begin
  for i in 0..p_months_ahead loop
    v_name := p_table || '_' || to_char(v_month, 'YYYY_MM');
    if to_regclass(v_name) is null then
      begin
        execute format('create table %I partition of %I for values from (%L) to (%L)', v_name, p_table,
          v_month::timestamp at time zone 'utc', (v_month + interval '1 month')::timestamp at time zone 'utc');
      exception when duplicate_table or check_violation then
        -- Another node was faster, or the default partition already has rows of that month.
        null;
      end;
    end if;
    v_month := (v_month + interval '1 month')::date;
  end loop;
end $$;
select create_month_partitions('ledger_entry', 3), create_month_partitions('usage', 3);
