-- Uploads: one row for each file that a person began to send. The bytes are in the media store at `uploads/{id}`, and
-- how many have arrived is what the store says: a number kept here as well could disagree with it after a crash.

create table upload (
  id int8 primary key,
  account_id int8 not null references account (id) on delete cascade,
  size int8 not null check (size > 0),
  filename text not null,
  filetype text not null,
  -- receiving: bytes are missing, or the file was not examined yet; complete: examined and free; used: a video has it.
  state text not null default 'receiving' check (state in ('receiving', 'complete', 'used')),
  -- What the examination found (MediaProbe).
  probe jsonb,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  check (state = 'receiving' or probe is not null)
);

create index upload_by_account on upload (account_id);
create index upload_by_expiry on upload (expires_at) where state <> 'used';
