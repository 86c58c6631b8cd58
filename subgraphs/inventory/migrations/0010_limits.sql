-- Lines sold under a limit per customer count against it, in the same transaction that holds them.
alter table reservation_line add column limited boolean not null default false;
create index reservation_line_limited on reservation_line (sku) where limited;
create index reservation_by_customer on reservation (customer_id);
