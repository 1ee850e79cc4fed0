-- What is begun with and what goes on in chunks are two queues: a large fan-out must not stand before small ones.
drop index fanout_due;
create index fanout_due on fanout (pass, (after_follower > 0), due_at);

-- Whose repost is gone is asked again when its removal could not be told.
alter table timeline_removal add column video_id int8;
create index timeline_removal_video on timeline_removal (author_id, video_id);

comment on column feed_reader.last_read_at is
  'Written within an hour of that time, also by a node whose clock differs: a fan-out relies on it';
