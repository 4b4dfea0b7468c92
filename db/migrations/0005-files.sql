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
-- For the sweep of objects that no file names.
create index file_object on file using hash (object_key);

-- How long a workspace keeps its files; null: for ever.
alter table workspace add column keep_files_days int check (keep_files_days > 0);
