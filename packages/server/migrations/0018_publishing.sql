-- A queue for each stage: a large fan-out must not stand before small ones, and a row is in one of them only.
drop index fanout_due;
create index fanout_fresh on fanout (due_at) where pass = 0 and after_follower = 0;
create index fanout_large on fanout (due_at) where pass = 0 and after_follower > 0;
create index fanout_rest on fanout (due_at) where pass = 1;
create index fanout_done on fanout (due_at) where pass = 2;

-- Whose repost is gone is asked again when its removal could not be told.
alter table timeline_removal add column video_id int8;
create index timeline_removal_video on timeline_removal (author_id, video_id);

comment on column feed_reader.last_read_at is
  'Written within an hour of that time, also by a node whose clock differs: a fan-out relies on it';
