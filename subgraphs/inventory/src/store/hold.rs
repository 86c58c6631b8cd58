//! Making holds durable: many reservations in one transaction. Redis has admitted them; here it is decided.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use fondaco_contracts::{ReservationId, Sku};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoredReservation, lock_stock, reservations, uuids};
use crate::reservation::Wish;

/// What became of a wish.
#[derive(Clone, Debug)]
pub enum Held {
    /// It is held until then.
    Now(DateTime<Utc>),
    /// A reservation with this id is there already.
    Before(StoredReservation),
    /// Too few units of this SKU; nothing is stored.
    Refused {
        /// The SKU.
        sku: Sku,
        /// What is left of it.
        available: i64,
    },
}

impl Store {
    /// Stores what can be held and says of each wish what became of it.
    pub async fn hold(&self, wishes: &[Wish]) -> Result<Vec<Held>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let firsts = first_of_each(wishes);
        let expiries = insert(&mut transaction, &firsts).await?;
        let fresh: Vec<&Wish> = firsts
            .into_iter()
            .filter(|wish| expiries.contains_key(&wish.id))
            .collect();
        let refusals = take_stock(&mut transaction, &fresh).await?;

        let mut answered = HashSet::new();
        let mut answers: Vec<Option<Held>> = wishes
            .iter()
            .map(|wish| {
                let expires_at = expiries.get(&wish.id).filter(|_| answered.insert(wish.id))?;
                Some(refusals.get(&wish.id).cloned().unwrap_or(Held::Now(*expires_at)))
            })
            .collect();
        let repeated: Vec<ReservationId> = wishes
            .iter()
            .zip(&answers)
            .filter(|(_, answer)| answer.is_none())
            .map(|(wish, _)| wish.id)
            .collect();
        if !repeated.is_empty() {
            let stored = reservations(&mut transaction, &repeated).await?;
            let stored: HashMap<_, _> = stored.into_iter().map(|one| (one.id, one)).collect();
            for (wish, answer) in wishes
                .iter()
                .zip(&mut answers)
                .filter(|(_, answer)| answer.is_none())
            {
                // A repeat within the batch of a wish that was refused is refused too.
                *answer = stored
                    .get(&wish.id)
                    .cloned()
                    .map(Held::Before)
                    .or_else(|| refusals.get(&wish.id).cloned());
            }
        }
        transaction.commit().await?;
        answers
            .into_iter()
            .map(|answer| answer.ok_or(sqlx::Error::RowNotFound))
            .collect()
    }
}

/// Callers repeat themselves; the order by id is the order of locks.
fn first_of_each(wishes: &[Wish]) -> Vec<&Wish> {
    let mut firsts: Vec<&Wish> = wishes.iter().collect();
    firsts.sort_by_key(|wish| wish.id);
    firsts.dedup_by_key(|wish| wish.id);
    firsts
}

/// When each reservation expires that was not there before.
async fn insert(
    connection: &mut PgConnection,
    wishes: &[&Wish],
) -> Result<HashMap<ReservationId, DateTime<Utc>>, sqlx::Error> {
    let ids: Vec<Uuid> = wishes.iter().map(|wish| wish.id.as_uuid()).collect();
    let customers: Vec<Uuid> = wishes.iter().map(|wish| wish.customer.as_uuid()).collect();
    let parameters: Vec<String> = wishes.iter().map(|wish| wish.parameters()).collect();
    let lives: Vec<i32> = wishes.iter().map(|wish| wish.ttl_seconds).collect();
    let inserted: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(
        "INSERT INTO reservation (id, customer_id, parameters, status, expires_at)
         SELECT id, customer_id, parameters, 'HELD', clock_timestamp() + make_interval(secs => ttl)
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[]) AS wish(id, customer_id, parameters, ttl)
         ORDER BY id
         ON CONFLICT (id) DO NOTHING RETURNING id, expires_at",
    )
    .bind(ids)
    .bind(customers)
    .bind(parameters)
    .bind(lives)
    .fetch_all(connection)
    .await?;
    Ok(inserted
        .into_iter()
        .map(|(id, expires_at)| (id.into(), expires_at))
        .collect())
}

/// Takes the lines of `wishes` out of what is available, in order; those for which too little is left are removed again.
async fn take_stock(
    connection: &mut PgConnection,
    wishes: &[&Wish],
) -> Result<HashMap<ReservationId, Held>, sqlx::Error> {
    let skus: BTreeSet<&Sku> = wishes.iter().flat_map(|wish| wish.lines.keys()).collect();
    let skus: Vec<Sku> = skus.into_iter().cloned().collect();
    let stock = lock_stock(connection, &skus).await?;
    let mut left: HashMap<&Sku, i64> = stock.iter().map(|row| (&row.sku, row.available())).collect();

    let (mut refusals, mut taken) = (HashMap::new(), Vec::new());
    for wish in wishes {
        let available = |sku: &Sku| left.get(sku).copied().unwrap_or(0);
        let lacking = wish
            .lines
            .iter()
            .find(|(sku, quantity)| available(sku) < **quantity);
        if let Some((sku, _)) = lacking {
            let available = available(sku);
            refusals.insert(
                wish.id,
                Held::Refused {
                    sku: sku.clone(),
                    available,
                },
            );
            continue;
        }
        for (sku, quantity) in &wish.lines {
            *left.entry(sku).or_default() -= quantity;
            taken.push((wish.id, sku, *quantity));
        }
    }
    remove(connection, refusals.keys().copied().collect()).await?;
    write_lines(connection, &taken).await?;
    Ok(refusals)
}

async fn remove(connection: &mut PgConnection, ids: Vec<ReservationId>) -> Result<(), sqlx::Error> {
    if !ids.is_empty() {
        sqlx::query("DELETE FROM reservation WHERE id = ANY($1)")
            .bind(uuids(&ids))
            .execute(connection)
            .await?;
    }
    Ok(())
}

async fn write_lines(
    connection: &mut PgConnection,
    lines: &[(ReservationId, &Sku, i64)],
) -> Result<(), sqlx::Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = lines.iter().map(|(id, ..)| id.as_uuid()).collect();
    let skus: Vec<&str> = lines.iter().map(|(_, sku, _)| sku.as_str()).collect();
    let quantities: Vec<i64> = lines.iter().map(|(.., quantity)| *quantity).collect();
    sqlx::query(
        "WITH line AS (
             INSERT INTO reservation_line (reservation_id, sku, quantity)
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[]) RETURNING sku, quantity),
         taken AS (SELECT sku, sum(quantity)::bigint AS quantity FROM line GROUP BY sku)
         UPDATE stock SET held = held + taken.quantity FROM taken WHERE stock.sku = taken.sku",
    )
    .bind(ids)
    .bind(skus)
    .bind(quantities)
    .execute(connection)
    .await?;
    Ok(())
}
