-- Increments that are acknowledged and not yet folded into totals. A row holds many: its arrays run in parallel.
create table counter_batch (
  xid xid8 not null default pg_current_xact_id(),
  ids int8[] not null,
  metrics int4[] not null,
  deltas int4[] not null,
  sighted_ids int8[] not null default '{}',
  observations int4[] not null default '{}'
);
create index counter_batch_xid on counter_batch (xid);

-- `revision`: every batch of a transaction before this one is in the total.
create table counter (
  id int8 not null,
  metric int2 not null,
  total int8 not null,
  revision int8 not null,
  primary key (id, metric)
) with (fillfactor = 70);

-- HyperLogLog registers of whoever has seen it.
create table counter_sketch (
  id int8 primary key,
  registers bytea not null
);

-- What is no longer counted about: increments that are still on their way are dropped. Kept for a day.
create table counter_gone (
  id int8 primary key,
  gone_at timestamptz not null default now()
);

-- The last packed row of each process, so that one whose acknowledgement was lost is not written twice.
create table counter_source (
  source int8 primary key,
  seq int8 not null,
  used_at timestamptz not null
);

-- One row, locked by whoever folds. `folded`: the revision of the last fold; `copied`: the last that is in the read copy.
create table counter_fold (
  one bool primary key default true check (one),
  folded int8 not null default 0,
  copied int8 not null default 0
);
insert into counter_fold default values;

-- Followers: so that follows of one account do not queue for its row.
insert into counter (id, metric, total, revision)
select account_id, 9, followers, 0 from account_counts where followers > 0;
alter table account_counts drop column followers;
