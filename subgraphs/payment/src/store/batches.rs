//! Reading charges, recording them and storing the provider's answers, many in one statement.

use std::collections::{HashMap, HashSet};

use fondaco_chassis::{ApiError, batch::column};
use fondaco_contracts::{OrderId, PaymentId};
use sqlx::PgPool;
use uuid::Uuid;

use super::{Charge, Terms, names};
use crate::{provider::Verdict, status::Event};

/// A charge to be recorded.
#[derive(Clone, Debug)]
pub(super) struct NewCharge {
    pub order: OrderId,
    pub terms: Terms,
    pub token: String,
    pub capture: bool,
}

/// What the provider answered.
#[derive(Clone, Debug)]
pub(super) struct Conclusion {
    pub order: OrderId,
    pub verdict: Verdict,
}

/// The charges of each list of orders.
pub(super) async fn find_all(pool: PgPool, asked: Vec<Vec<OrderId>>) -> Result<Vec<Vec<Charge>>, ApiError> {
    let ids: HashSet<Uuid> = asked.iter().flatten().map(OrderId::as_uuid).collect();
    let charges: Vec<Charge> = sqlx::query_as(
        "select id, order_id, status, customer_id, amount, currency, parameters, token, decline_code, refunded_amount,
                capture, confirmation_url, extract(epoch from now() - updated_at)::float8 as age
         from charge where order_id = any($1)",
    )
    .bind(Vec::from_iter(ids))
    .fetch_all(&pool)
    .await?;
    let found: HashMap<OrderId, &Charge> = charges.iter().map(|charge| (charge.order, charge)).collect();
    let of = |orders: &Vec<OrderId>| {
        orders
            .iter()
            .filter_map(|order| found.get(order).copied().cloned())
            .collect()
    };
    Ok(asked.iter().map(of).collect())
}

/// Records those charges whose orders have none, and says which.
pub(super) async fn record_all(pool: PgPool, charges: Vec<NewCharge>) -> Result<Vec<bool>, ApiError> {
    let recorded: Vec<Uuid> = sqlx::query_scalar(
        "insert into charge (order_id, id, status, customer_id, amount, currency, parameters, token, capture)
         select order_id, id, 'PENDING', customer_id, amount, currency, parameters, token, capture
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::bytea[], $7::text[], $8::boolean[])
            as new (order_id, id, customer_id, amount, currency, parameters, token, capture)
         on conflict (order_id) do nothing returning order_id",
    )
    .bind(column(&charges, |new| new.order.as_uuid()))
    .bind(column(&charges, |_| PaymentId::new().as_uuid()))
    .bind(column(&charges, |new| new.terms.customer.as_uuid()))
    .bind(column(&charges, |new| new.terms.amount.minor_units()))
    .bind(column(&charges, |new| new.terms.amount.currency.as_str()))
    .bind(column(&charges, |new| new.terms.parameters.as_slice()))
    .bind(column(&charges, |new| new.token.as_str()))
    .bind(column(&charges, |new| new.capture))
    .fetch_all(&pool)
    .await?;
    Ok(firsts(&charges, recorded, |new| new.order))
}

/// Stores those answers that change something, books what they took, and says which they are. Several answers about one order are stored one
/// after the other.
pub(super) async fn conclude_all(pool: PgPool, answers: Vec<Conclusion>) -> Result<Vec<bool>, ApiError> {
    let mut concluded = vec![false; answers.len()];
    let mut left: Vec<usize> = (0..answers.len()).collect();
    while !left.is_empty() {
        let mut seen = HashSet::new();
        let (now, later): (Vec<usize>, _) = left
            .into_iter()
            .partition(|index| seen.insert(answers[*index].order));
        let some: Vec<&Conclusion> = now.iter().map(|index| &answers[*index]).collect();
        for (index, changed) in now.into_iter().zip(conclude_each(&pool, &some).await?) {
            concluded[index] = changed;
        }
        left = later;
    }
    Ok(concluded)
}

async fn conclude_each(pool: &PgPool, answers: &[&Conclusion]) -> Result<Vec<bool>, sqlx::Error> {
    let concluded: Vec<Uuid> = sqlx::query_scalar(
        "with answer as (
            select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
                as answer (order_id, status, decline_code, confirmation_url, possible_in)
         ), concluded as (
            update charge set status = answer.status, decline_code = answer.decline_code,
                confirmation_url = answer.confirmation_url, token = null, updated_at = now()
            from answer
            where charge.order_id = answer.order_id and charge.status = any(string_to_array(answer.possible_in, ' '))
            returning charge.id, charge.order_id, charge.amount, charge.status
         ), booked as (
            insert into ledger_entry (order_id, kind, amount, reference)
            select order_id, 'CAPTURED', amount, id from concluded where status = 'CAPTURED'
         )
         select order_id from concluded",
    )
    .bind(column(answers, |one| one.order.as_uuid()))
    .bind(column(answers, |one| event(&one.verdict).leads_to().as_str()))
    .bind(column(answers, |one| one.verdict.decline_code()))
    .bind(column(answers, |one| one.verdict.confirmation_url()))
    .bind(column(answers, |one| names(event(&one.verdict)).join(" ")))
    .fetch_all(pool)
    .await?;
    Ok(firsts(answers, concluded, |one| one.order))
}

fn event(verdict: &Verdict) -> Event {
    match verdict {
        Verdict::Captured => Event::Captured,
        Verdict::Authorized => Event::Authorized,
        Verdict::ConfirmationRequired(_) => Event::ConfirmationRequired,
        Verdict::Declined(_) => Event::Declined,
    }
}

/// Which rows changed something: of several about one order, the first.
fn firsts<R>(rows: &[R], changed: Vec<Uuid>, order: impl Fn(&R) -> OrderId) -> Vec<bool> {
    let mut changed: HashSet<Uuid> = changed.into_iter().collect();
    let changed_by = |row| changed.remove(&order(row).as_uuid());
    rows.iter().map(changed_by).collect()
}
