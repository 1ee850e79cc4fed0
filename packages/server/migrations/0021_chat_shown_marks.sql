-- Who has read what since one of a direct chat has blocked the other is for nobody else: then these are what the other goes on
-- seeing. Null, both: the marks themselves.
alter table conversation_member add column shown_read_seq int8;
alter table conversation_member add column shown_delivered_seq int8;
