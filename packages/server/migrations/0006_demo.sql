-- When the demo community was complete. From then on nothing is made again: what is missing was taken away on purpose.
alter table instance add column demo_completed_at timestamptz;
