-- Answers to writes that carried an Idempotency-Key, kept for a day.
create table idempotency_key (
  account_id int8 not null,
  key text not null,
  request_hash text not null,
  -- JSON as text: a jsonb would refuse NUL characters and forget the order of keys. Null only inside the transaction.
  response text,
  created_at timestamptz not null default now(),
  primary key (account_id, key)
);
create index idempotency_key_created_at on idempotency_key (created_at);

-- Who may make ids with which node number (0 to 1023), and up to which time.
create table node_lease (
  node int4 primary key check (node between 0 and 1023),
  holder text not null,
  expires_at timestamptz not null,
  -- No id of this node carries a later time, so the number is free once this has passed.
  issued_until_ms int8 not null
);
