-- Payments in two steps: authorized and captured later, or confirmed by the customer first.
alter table charge drop constraint charge_status_check;
alter table charge add constraint charge_status_check check (status in (
    'PENDING', 'UNKNOWN', 'REQUIRES_CONFIRMATION', 'AUTHORIZED', 'CAPTURED', 'DECLINED', 'VOIDED',
    'PARTIALLY_REFUNDED', 'REFUNDED', 'CALLED_OFF'));
-- False where the money is to be taken by a second step.
alter table charge add column capture boolean not null default true;
-- Where the customer confirms the payment.
alter table charge add column confirmation_url text;
alter table charge add constraint confirmations_have_a_place check ((confirmation_url is not null) = (status = 'REQUIRES_CONFIRMATION'));
