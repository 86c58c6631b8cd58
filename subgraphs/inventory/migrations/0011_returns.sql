-- Units of a sale that were refunded before they were sent are for sale again.
alter table reservation_line add column returned bigint not null default 0;
alter table reservation_line add constraint returned_within_the_line check (returned between 0 and quantity);
