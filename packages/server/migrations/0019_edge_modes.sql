-- How many entries the account's inbox holds: by how often it reads.
alter table feed_reader add column inbox_capacity int2 not null default 200;

-- The level that the edges of the creator were last gone through for, and how far a walk under way has come.
alter table feed_creator
  add column tuned_level int2 not null default 0,
  add column tuned_after int8 not null default 0;
create index feed_creator_large on feed_creator (account_id) where level > 0;
create index feed_creator_untuned on feed_creator (account_id) where level <> tuned_level;
