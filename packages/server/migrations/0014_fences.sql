-- What was withdrawn lately, by name: the fences of every node are filled from here. Kept for longer than any cache lives.
create table fence (
  name text primary key check (length(name) <= 100),
  raised_at timestamptz not null default now()
);
create index fence_raised_at on fence (raised_at);
