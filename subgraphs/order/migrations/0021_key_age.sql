-- Keys are forgotten by age (src/key_retention.rs). They come in the order of their age, so that a small index will do.
create index idempotency_record_by_age on idempotency_record using brin (created_at);
