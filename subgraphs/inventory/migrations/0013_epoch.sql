-- The Redis process (its run id) that the counters of this epoch were loaded into. Another process may have lost some of them.
alter table epoch add column server text not null default '';
