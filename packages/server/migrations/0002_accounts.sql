-- One row: what the community is. `set_up_at` decides the race for the first admin.
create table instance (
  singleton boolean primary key default true check (singleton),
  name text,
  demo boolean not null default false,
  set_up_at timestamptz
);
insert into instance default values;

create table account (
  id int8 primary key,
  username text not null constraint account_username_key unique
    check (username ~ '^[a-z0-9][a-z0-9_]{1,28}[a-z0-9]$'),
  display_name text not null,
  bio text not null default '',
  -- Key in the media store; null: the picture made from the name.
  avatar_key text,
  locale text check (locale in ('en', 'zh')),
  phone text constraint account_phone_key unique,
  -- Null: no log-in by password.
  password_hash text,
  role text not null default 'user' check (role in ('user', 'moderator', 'admin')),
  -- A suspension holds from `suspended_at` until `suspended_until`; without the latter it has no end.
  suspended_at timestamptz,
  suspended_until timestamptz,
  suspension_reason text,
  suspended_by int8 references account on delete set null,
  created_at timestamptz not null
);
create index account_role_index on account (role) where role <> 'user';
create index account_suspended_by_index on account (suspended_by) where suspended_by is not null;

-- Apart from `account` and narrow, with room on each page: a count changes far more often than a profile, and an update
-- in place must not drag the profile's row and its indexes along.
create table account_counts (
  account_id int8 primary key references account on delete cascade,
  followers int4 not null default 0 check (followers >= 0),
  following int4 not null default 0 check (following >= 0),
  videos int4 not null default 0 check (videos >= 0)
) with (fillfactor = 70);

-- Names that nobody else may take yet, so that the followers of one who left or changed the name are not deceived.
-- `account_id` is not a reference: the account may be gone.
create table retired_username (
  username text primary key,
  account_id int8 not null,
  until timestamptz not null
);
create index retired_username_until_index on retired_username (until);
create index retired_username_account_index on retired_username (account_id);

create table session (
  id int8 primary key,
  account_id int8 not null references account on delete cascade,
  -- Of the refresh token that is valid now; an older one that turns up again was stolen.
  generation int4 not null default 1,
  -- MAC of the Idempotency-Key of the request that made this generation.
  rotation_key text,
  device text not null,
  address text not null,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null
) with (fillfactor = 80);
create index session_account_index on session (account_id);
create index session_expires_index on session (expires_at);

-- One code a phone: a new one takes the place of the old.
create table phone_code (
  phone text primary key,
  code_mac text not null,
  tries_left int4 not null,
  expires_at timestamptz not null
);
create index phone_code_expires_index on phone_code (expires_at);

create table invitation (
  id int8 primary key,
  code text not null unique,
  uses_left int4 not null check (uses_left >= 0),
  created_by int8 references account on delete set null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index invitation_expires_index on invitation (expires_at);
create index invitation_created_by_index on invitation (created_by);
