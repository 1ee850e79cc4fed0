-- The one feed of changes. A new generation is begun when changes were or may have been missed: positions of an earlier one
-- are all smaller. `system`: the database cluster in which it runs; a restored backup has another.
create table change_feed (
  one bool primary key default true check (one),
  kind text not null default 'none',
  generation int8 not null default 0,
  system text not null default ''
);
insert into change_feed default values;

-- Who has been rebuilt for which generation and which tables.
create table change_consumer (
  name text primary key,
  generation int8 not null,
  tables text not null
);

-- How far a consumer's effects in this database reach, kept in the same transaction.
create table change_position (
  consumer text primary key,
  position text collate "C" not null
) with (fillfactor = 50);

-- The transactional outbox of providers without replication slots. Empty, and without triggers, unless it is chosen.
create table change_log (
  id bigserial primary key,
  xid xid8 not null default pg_current_xact_id(),
  logged_at timestamptz not null default clock_timestamp(),
  table_name text not null,
  operation text not null,
  before jsonb,
  after jsonb
);
create index change_log_xid on change_log (xid, id);

-- The order in which its transactions are handled, given once they are visible.
create table change_turn (
  turn bigserial primary key,
  xid xid8 not null unique
);

create function change_log_row() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into change_log (table_name, operation, after) values (tg_table_name, 'insert', to_jsonb(new));
  elsif tg_op = 'UPDATE' then
    insert into change_log (table_name, operation, before, after)
    values (tg_table_name, 'update', to_jsonb(old), to_jsonb(new));
  elsif tg_op = 'DELETE' then
    insert into change_log (table_name, operation, before) values (tg_table_name, 'delete', to_jsonb(old));
  else
    insert into change_log (table_name, operation) values (tg_table_name, 'truncate');
  end if;
  return null;
end $$;
