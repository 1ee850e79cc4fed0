-- Who was counted for which video in which half hour. Cleaned after an hour.
create table view_claim (
  half_hour int4 not null,
  video_id int8 not null,
  -- A hash of the account or, of those who are not signed in, of the address.
  viewer int8 not null,
  primary key (half_hour, video_id, viewer)
);

create table watch_history (
  account_id int8 not null references account on delete cascade,
  video_id int8 not null references video on delete cascade,
  position_ms int4 not null,
  completed bool not null,
  watched_at timestamptz not null,
  primary key (account_id, video_id)
) with (fillfactor = 80);
create index watch_history_list on watch_history (account_id, watched_at desc, video_id desc);
create index watch_history_video on watch_history (video_id);
create index watch_history_age on watch_history using brin (watched_at);

create table history_paused (
  account_id int8 primary key references account on delete cascade
);
