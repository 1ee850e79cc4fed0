-- How an edge is served: 0 pulled from the author's outbox, 1 both, 2 pushed into the reader's inbox.
alter table follow add column mode int2 not null default 0 check (mode between 0 and 2);
create index follow_pushed on follow (followee_id, follower_id) include (mode) where mode > 0;

-- Grows with every change of whom an account follows, mutes or blocks, or how its edges are served.
create table graph_epoch (
  account_id int8 primary key references account on delete cascade,
  epoch int8 not null
) with (fillfactor = 70);

alter table repost add column comment text;

-- What was published and is not yet in every inbox that it belongs to: written in the transaction that publishes, and
-- at once the queue of the fan-out. `key`: the feed key of the video, or the id of the repost.
create table fanout (
  key int8 primary key,
  author_id int8 not null references account on delete cascade,
  video_id int8 not null references video on delete cascade,
  -- 0: to readers who are active now; 1: to the others; 2: done, and kept in flight until no page can be older.
  pass int2 not null default 0,
  -- Followers up to this one have it, in this pass.
  after_follower int8 not null default 0,
  attempts int4 not null default 0,
  -- Of the next try, or of the end of the lease of the worker that has it.
  due_at timestamptz not null default now(),
  worker int8,
  created_at timestamptz not null default now()
) with (fillfactor = 70);
create index fanout_due on fanout (pass, due_at);
create index fanout_author on fanout (author_id, key desc);
create index fanout_video on fanout (video_id);

-- Entries that are gone, and still in inboxes: taken out in the background.
create table timeline_removal (
  key int8 primary key,
  author_id int8 not null,
  after_follower int8 not null default 0,
  attempts int4 not null default 0,
  due_at timestamptz not null default now(),
  worker int8,
  created_at timestamptz not null default now()
);
create index timeline_removal_due on timeline_removal (due_at);

-- Who reads how often: a rate that decays, as of its time.
create table feed_reader (
  account_id int8 primary key references account on delete cascade,
  reads_per_day float8 not null,
  rated_at timestamptz not null,
  last_read_at timestamptz not null,
  tuned_at timestamptz
) with (fillfactor = 70);
create index feed_reader_tuned on feed_reader (tuned_at nulls first);
create index feed_reader_active on feed_reader (last_read_at);

-- Who publishes how often, and how far what they publish is pushed.
create table feed_creator (
  account_id int8 primary key references account on delete cascade,
  posts_per_day float8 not null default 0,
  -- Follows, views and mentions, weighed: a rate a day that decays.
  heat float8 not null default 0,
  rated_at timestamptz not null,
  level int2 not null default 0 check (level between 0 and 3),
  level_at timestamptz not null
) with (fillfactor = 70);

-- Where an account has read to, on all its devices.
create table feed_position (
  account_id int8 primary key references account on delete cascade,
  key int8 not null,
  read_at timestamptz not null
);
