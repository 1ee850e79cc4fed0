create table conversation (
  id int8 primary key,
  type text not null check (type in ('direct', 'group')),
  title text,
  -- Of a direct chat: its two accounts, the smaller id first. So it is found again and never doubled.
  direct_key text constraint conversation_direct_key unique,
  created_at timestamptz not null,
  check ((type = 'direct') = (direct_key is not null))
);

-- Apart from `conversation` and narrow, with room on each page: it is updated with every batch of messages, in place.
-- Whoever writes into a conversation, or changes its members, holds this row, and updates it even if it stays the same: its
-- `xmin` tells every process whether what it remembers of the conversation still holds.
create table conversation_head (
  conversation_id int8 primary key references conversation on delete cascade,
  seq int8 not null default 0,
  -- Id of the newest message: conversations are listed by it.
  message_id int8 not null
) with (fillfactor = 50);

create table conversation_member (
  conversation_id int8 not null references conversation on delete cascade,
  account_id int8 not null references account on delete cascade,
  role text not null check (role in ('owner', 'member')),
  joined_at timestamptz not null,
  -- What was said up to here is not for this member.
  joined_seq int8 not null,
  read_seq int8 not null default 0,
  -- Up to here something has arrived on one of the member's devices.
  delivered_seq int8 not null default 0,
  primary key (conversation_id, account_id)
) with (fillfactor = 80);
create index conversation_member_account on conversation_member (account_id, conversation_id);

-- Who was in a conversation once, so that what they said there is found when their account goes.
create table conversation_past_member (
  account_id int8 not null references account on delete cascade,
  conversation_id int8 not null references conversation on delete cascade,
  primary key (account_id, conversation_id)
);

-- No foreign keys: the head, which is held while a message is written, stands for the conversation, its member for the
-- account; what goes away takes its messages along. The change feed does not follow it.
create table message (
  conversation_id int8 not null,
  seq int8 not null,
  id int8 not null,
  sender_id int8 not null,
  -- Null: said by the server.
  device_id int8,
  -- Hash of device and name of the chain.
  chain uuid,
  client_seq int8,
  body_hash int8 not null,
  -- JSON as it was sent, `type` included.
  body text not null,
  quote_seq int8,
  sent_at timestamptz not null,
  primary key (conversation_id, seq)
) partition by hash (conversation_id);
create table message_0 partition of message for values with (modulus 8, remainder 0);
create table message_1 partition of message for values with (modulus 8, remainder 1);
create table message_2 partition of message for values with (modulus 8, remainder 2);
create table message_3 partition of message for values with (modulus 8, remainder 3);
create table message_4 partition of message for values with (modulus 8, remainder 4);
create table message_5 partition of message for values with (modulus 8, remainder 5);
create table message_6 partition of message for values with (modulus 8, remainder 6);
create table message_7 partition of message for values with (modulus 8, remainder 7);
create unique index message_chain on message (conversation_id, chain, client_seq) where chain is not null;

-- Numbers of a chain that were refused for good: they count as used, so that the next one is in turn.
create table message_refusal (
  conversation_id int8 not null references conversation on delete cascade,
  chain uuid not null,
  client_seq int8 not null,
  body_hash int8 not null,
  code text not null,
  refused_at timestamptz not null,
  primary key (conversation_id, chain, client_seq)
);

-- A login, and an instance under it that names itself.
create table chat_device (
  id int8 primary key,
  account_id int8 not null references account on delete cascade,
  session_id int8 not null references session on delete cascade,
  instance text not null default '',
  created_at timestamptz not null,
  seen_at timestamptz not null,
  -- The offline box did not hold everything: what is new is read from the heads.
  box_overflowed boolean not null default false,
  constraint chat_device_instance_key unique (session_id, instance)
);
create index chat_device_account on chat_device (account_id);
create index chat_device_seen on chat_device (seen_at);

-- Up to where a device has acknowledged each conversation. None: nothing since its member came.
create table chat_cursor (
  device_id int8 not null references chat_device on delete cascade,
  conversation_id int8 not null references conversation on delete cascade,
  seq int8 not null,
  primary key (device_id, conversation_id)
) with (fillfactor = 70);
create index chat_cursor_conversation on chat_cursor (conversation_id);

-- Pointers for devices that were away: here something is new. The content itself is stored once.
create table offline_box (
  device_id int8 not null references chat_device on delete cascade,
  conversation_id int8 not null references conversation on delete cascade,
  noted_at timestamptz not null,
  primary key (device_id, conversation_id)
);
create index offline_box_conversation on offline_box (conversation_id);

create table chat_event_head (
  account_id int8 primary key references account on delete cascade,
  pts int8 not null
) with (fillfactor = 50);

create table chat_event (
  account_id int8 not null references account on delete cascade,
  pts int8 not null,
  kind text not null,
  conversation_id int8 not null,
  seq int8,
  primary key (account_id, pts)
);
