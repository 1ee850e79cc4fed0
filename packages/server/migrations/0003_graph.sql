-- `id` orders lists and cursors, newest first. The primary key leads with the followee, so that an account's followers
-- can also be walked in the order of their ids: that is the order in which rows are locked.
create table follow (
  id int8 not null,
  follower_id int8 not null references account on delete cascade,
  followee_id int8 not null references account on delete cascade,
  created_at timestamptz not null,
  primary key (followee_id, follower_id),
  check (follower_id <> followee_id)
);
create unique index follow_following_index on follow (follower_id, id desc) include (followee_id);
create unique index follow_followers_index on follow (followee_id, id desc) include (follower_id);

create table mute (
  id int8 not null,
  muter_id int8 not null references account on delete cascade,
  muted_id int8 not null references account on delete cascade,
  created_at timestamptz not null,
  primary key (muter_id, muted_id),
  check (muter_id <> muted_id)
);
create unique index mute_list_index on mute (muter_id, id desc);
create index mute_muted_index on mute (muted_id);

create table block (
  id int8 not null,
  blocker_id int8 not null references account on delete cascade,
  blocked_id int8 not null references account on delete cascade,
  created_at timestamptz not null,
  primary key (blocker_id, blocked_id),
  check (blocker_id <> blocked_id)
);
create unique index block_list_index on block (blocker_id, id desc);
create index block_blocked_index on block (blocked_id, blocker_id);
