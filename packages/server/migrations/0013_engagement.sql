-- What people do on videos. `id` orders one's own lists, newest first; the primary keys lead with the video.
create table video_like (
  id int8 not null,
  account_id int8 not null references account on delete cascade,
  video_id int8 not null references video on delete cascade,
  created_at timestamptz not null,
  primary key (video_id, account_id)
);
create unique index video_like_list on video_like (account_id, id desc) include (video_id);

create table favorite_folder (
  id int8 primary key,
  account_id int8 not null references account on delete cascade,
  name text not null,
  created_at timestamptz not null,
  constraint favorite_folder_name_key unique (account_id, name)
);

-- A video is kept once, in one folder or in none.
create table favorite (
  id int8 not null,
  account_id int8 not null references account on delete cascade,
  video_id int8 not null references video on delete cascade,
  folder_id int8 references favorite_folder on delete set null,
  created_at timestamptz not null,
  primary key (video_id, account_id)
);
create unique index favorite_list on favorite (account_id, id desc) include (video_id);
create unique index favorite_folder_list on favorite (folder_id, id desc) where folder_id is not null;

create table repost (
  id int8 not null,
  account_id int8 not null references account on delete cascade,
  video_id int8 not null references video on delete cascade,
  created_at timestamptz not null,
  primary key (video_id, account_id)
);
create unique index repost_list on repost (account_id, id desc) include (video_id);

create table video_share (
  id int8 not null,
  account_id int8 not null references account on delete cascade,
  video_id int8 not null references video on delete cascade,
  created_at timestamptz not null,
  primary key (video_id, account_id)
);
create index video_share_account on video_share (account_id);

create table comment (
  id int8 primary key,
  video_id int8 not null references video on delete cascade,
  author_id int8 not null references account on delete cascade,
  -- The comment that began the thread; null: this one did.
  root_id int8 references comment on delete cascade,
  -- Whom it answers within a thread; an account, since what was answered may be gone.
  reply_to_account int8 references account on delete set null,
  -- The comment that it answers, for the notification.
  reply_to int8 references comment on delete set null,
  text text not null,
  mentions int8[] not null default '{}',
  pinned boolean not null default false check (not pinned or root_id is null),
  -- Likes and twice the replies: written with the totals whenever they change, so that a rush of likes is no queue here.
  heat int8 not null default 0,
  created_at timestamptz not null
) with (fillfactor = 90);
create unique index comment_pinned on comment (video_id) where pinned;
create index comment_heat on comment (video_id, heat desc, id desc) where root_id is null;
create index comment_time on comment (video_id, id desc) where root_id is null;
create index comment_thread on comment (root_id, id) where root_id is not null;
create index comment_author on comment (author_id, id desc);
create index comment_reply_to on comment (reply_to) where reply_to is not null;
create index comment_reply_to_account on comment (reply_to_account) where reply_to_account is not null;

create table comment_like (
  comment_id int8 not null references comment on delete cascade,
  account_id int8 not null references account on delete cascade,
  created_at timestamptz not null,
  primary key (comment_id, account_id)
);
create index comment_like_account on comment_like (account_id);

-- Which lists of an account everybody may see; without a row: none.
create table list_setting (
  account_id int8 primary key references account on delete cascade,
  likes boolean not null,
  favorites boolean not null,
  history boolean not null
);
