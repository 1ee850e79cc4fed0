-- Videos, from the request to publish to the finished stream.

create table video (
  id int8 primary key,
  author_id int8 not null references account (id) on delete cascade,
  -- The original; null when it was thrown away after transcoding or failure.
  upload_id int8 references upload (id) on delete set null,
  title text not null,
  description text not null,
  tags text[] not null,
  visibility text not null check (visibility in ('public', 'followers', 'unlisted', 'private')),
  status text not null default 'processing' check (status in ('processing', 'playable', 'ready', 'failed')),
  failure_code text,
  taken_down_at timestamptz,
  taken_down_by int8,
  takedown_reason text,
  publish_at timestamptz,
  -- Taken once, in the transaction that makes the video visible, and kept for ever: it orders every feed.
  feed_key int8 unique,
  -- The number of the transcoding run that owns the row; files of a run are below `videos/{id}/{attempt}/`.
  attempt int4 not null default 0,
  -- When that run was last seen alive.
  worked_at timestamptz not null default now(),
  cover_time_ms int4,
  -- Counts choices of a cover, so that an older one that is still being made cannot win.
  cover_version int4 not null default 0,
  -- Below `videos/{id}/`.
  cover_file text,
  cover_suggestions jsonb not null default '[]',
  duration_ms int4 not null,
  width int4 not null,
  height int4 not null,
  renditions jsonb not null default '[]',
  sprite jsonb,
  created_at timestamptz not null default now(),
  check ((status = 'failed') = (failure_code is not null)),
  check ((taken_down_at is null) = (takedown_reason is null))
);

-- An author's outbox, newest first: profiles and the following feed.
create index video_outbox on video (author_id, feed_key desc) where feed_key is not null;
create index video_latest on video (feed_key desc)
  where feed_key is not null and visibility = 'public' and taken_down_at is null;
create index video_by_author on video (author_id, id desc);
create index video_scheduled on video (publish_at) where feed_key is null and publish_at is not null;
create index video_in_work on video (worked_at) where status in ('processing', 'playable');
create index video_by_upload on video (upload_id) where upload_id is not null;
