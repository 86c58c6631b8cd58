-- What a purchase writes at the order service: the key, the order with its line, its history and its event, and its confirmation.
select gen_random_uuid() as order_id, gen_random_uuid() as customer_id \gset
begin;
insert into idempotency_record (customer_id, idempotency_key, parameters, order_id, leased_until, reservation_id)
    values (:customer_id, 'a key as long as they usually are', '\x00', :order_id, now(), :order_id);
update idempotency_record set outcome = 'ORDERED' where customer_id = :customer_id and outcome is null;
insert into orders (id, customer_id, reservation_id, status, amount, currency, held_until, settle_at)
    values (:order_id, :customer_id, :order_id, 'PENDING', 29900, 'EUR', now(), now());
insert into order_line (order_id, position, sku, name, quantity, unit_amount) values (:order_id, 1, 'SKU', 'a coat', 1, 29900);
insert into order_transition (order_id, version, event, to_status) values (:order_id, 1, 'PLACED', 'PENDING');
insert into outbox (id, aggregate_id, name, payload, occurred_at) values (gen_random_uuid(), :order_id, 'OrderCreated', '{}', now());
commit;
begin;
update orders set status = 'CONFIRMED', version = 2, settle_at = null where id = :order_id and version = 1;
insert into order_transition (order_id, version, event, from_status, to_status) values (:order_id, 2, 'PAYMENT_CAPTURED', 'PENDING', 'CONFIRMED');
insert into outbox (id, aggregate_id, name, payload, occurred_at) values (gen_random_uuid(), :order_id, 'OrderConfirmed', '{}', now());
commit;
