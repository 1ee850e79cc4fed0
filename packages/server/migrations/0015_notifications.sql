-- What others did that concerns somebody, gathered: derived from the rows of likes, comments, reposts and follows.
-- `position` and `updated_at`: of the last act. It is open, and takes more acts, until it is read.
create table notification (
  id int8 generated always as identity primary key,
  recipient_id int8 not null references account on delete cascade,
  kind text not null check (kind in ('like', 'repost', 'comment', 'reply', 'mention', 'comment-like', 'follow')),
  -- The video, the comment or, of follows, the recipient: acts on the same one are gathered.
  subject_id int8 not null,
  video_id int8 references video on delete cascade,
  -- The comment that is liked.
  comment_id int8 references comment on delete cascade,
  position int8 not null,
  updated_at timestamptz not null,
  read_at timestamptz
) with (fillfactor = 80);
create unique index notification_open on notification (recipient_id, kind, subject_id) where read_at is null;
create index notification_list on notification (recipient_id, position desc, id desc);
create index notification_video on notification (video_id) where video_id is not null;
create index notification_comment on notification (comment_id) where comment_id is not null;
create index notification_age on notification (updated_at);

-- One row for each act, for as long as it was told: who takes a like back and likes again is not news again.
create table notification_act (
  kind text not null,
  subject_id int8 not null,
  actor_id int8 not null references account on delete cascade,
  recipient_id int8 not null references account on delete cascade,
  -- The comment that was written; 0 for what somebody does once or not at all.
  act_id int8 not null,
  comment_id int8 references comment on delete cascade,
  notification_id int8 not null references notification on delete cascade,
  position int8 not null,
  withdrawn bool not null default false,
  primary key (kind, subject_id, actor_id, recipient_id, act_id)
);
create index notification_act_gathered on notification_act (notification_id, position desc) include (actor_id, withdrawn);
create index notification_act_actor on notification_act (actor_id);
create index notification_act_recipient on notification_act (recipient_id);
create index notification_act_comment on notification_act (comment_id) where comment_id is not null;

-- Whose acts are hidden from everybody.
create index account_suspended on account (id) where suspended_at is not null;
