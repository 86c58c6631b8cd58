-- A charge is concluded right after it is recorded: room on its page spares the indexes.
alter table charge set (fillfactor = 50);
