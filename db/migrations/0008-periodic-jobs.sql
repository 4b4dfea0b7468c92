-- Work that the whole fleet does now and then: a row for each job, made by the nodes that know it.
create table periodic_job (
  name text primary key,
  -- Null where its times are on the clock, which its code knows.
  period_ms bigint check (period_ms > 0),
  due_at timestamptz not null,
  lease_epoch int not null default 0,
  -- The node that runs it now; null between runs.
  leased_by uuid,
  -- Where the last run came to, for the next one to go on from.
  mark text,
  runs bigint not null default 0,
  failures bigint not null default 0,
  last_started_at timestamptz,
  -- The node that began the last run.
  last_node uuid,
  -- Of the last run that ended: when, how long it took, and why it failed; null: it did not.
  last_ended_at timestamptz,
  last_duration_ms bigint,
  last_error text,
  check (last_duration_ms >= 0)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
