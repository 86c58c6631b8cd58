//! Making holds durable: many reservations in one transaction. Redis has admitted them; here it is decided.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use fondaco_contracts::{ReservationId, Sku, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{CustomerUnits, Store, StoredReservation, lock_stock, reservations, uuids};
use crate::reservation::{Want, Wish};

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
    /// The counters that admitted it are not believed any more; nothing is stored.
    Stale,
    /// More of this SKU than the customer may have; nothing is stored.
    LimitExceeded {
        /// The SKU.
        sku: Sku,
        /// How many more the customer may have.
        left: i64,
    },
}

impl Store {
    /// Stores what can be held and says of each wish what became of it. They were admitted by the counters of `epoch`.
    pub async fn hold(&self, epoch: Uuid, wishes: &[Wish]) -> Result<Vec<Held>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let firsts = first_of_each(wishes);
        let expiries = insert(&mut transaction, epoch, &firsts).await?;
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
        let stale_unless_answered = |answer: Option<Held>| answer.unwrap_or(Held::Stale);
        Ok(answers.into_iter().map(stale_unless_answered).collect())
    }
}

/// Callers repeat themselves; the order by id is the order of locks.
fn first_of_each(wishes: &[Wish]) -> Vec<&Wish> {
    let mut firsts: Vec<&Wish> = wishes.iter().collect();
    firsts.sort_by_key(|wish| wish.id);
    firsts.dedup_by_key(|wish| wish.id);
    firsts
}

/// When each reservation expires that was not there before; none is stored where the epoch is another by now. The epoch's row is locked
/// against a rebuilding of the counters: it either knows of these holds, or comes first and refuses them.
async fn insert(
    connection: &mut PgConnection,
    epoch: Uuid,
    wishes: &[&Wish],
) -> Result<HashMap<ReservationId, DateTime<Utc>>, sqlx::Error> {
    let ids: Vec<Uuid> = wishes.iter().map(|wish| wish.id.as_uuid()).collect();
    let customers: Vec<Uuid> = wishes.iter().map(|wish| wish.customer.as_uuid()).collect();
    let parameters: Vec<String> = wishes.iter().map(|wish| wish.parameters()).collect();
    let lives: Vec<i32> = wishes.iter().map(|wish| wish.ttl_seconds).collect();
    let inserted: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(
        "WITH current AS (SELECT FROM epoch WHERE epoch = $5 FOR KEY SHARE)
         INSERT INTO reservation (id, customer_id, parameters, status, expires_at)
         SELECT id, customer_id, parameters, 'HELD', clock_timestamp() + make_interval(secs => ttl)
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[]) AS wish(id, customer_id, parameters, ttl)
         WHERE EXISTS (SELECT FROM current)
         ORDER BY id
         ON CONFLICT (id) DO NOTHING RETURNING id, expires_at",
    )
    .bind(ids)
    .bind(customers)
    .bind(parameters)
    .bind(lives)
    .bind(epoch)
    .fetch_all(connection)
    .await?;
    Ok(inserted
        .into_iter()
        .map(|(id, expires_at)| (id.into(), expires_at))
        .collect())
}

/// Takes the lines of `wishes` out of what is available, in order; those that cannot have all their lines are removed again.
async fn take_stock(
    connection: &mut PgConnection,
    wishes: &[&Wish],
) -> Result<HashMap<ReservationId, Held>, sqlx::Error> {
    let skus: BTreeSet<&Sku> = wishes.iter().flat_map(|wish| wish.lines.keys()).collect();
    let skus: Vec<Sku> = skus.into_iter().cloned().collect();
    let stock = lock_stock(connection, &skus).await?;
    let mut ledger = Ledger {
        left: stock
            .iter()
            .map(|row| (row.sku.clone(), row.available()))
            .collect(),
        limited: limited_units_of(connection, wishes).await?,
    };
    let (mut refusals, mut taken) = (HashMap::new(), Vec::new());
    for wish in wishes {
        if let Some(refusal) = ledger.refusal(wish) {
            refusals.insert(wish.id, refusal);
            continue;
        }
        ledger.take(wish);
        taken.extend(wish.lines.iter().map(|(sku, want)| (wish.id, sku, *want)));
    }
    remove(connection, refusals.keys().copied().collect()).await?;
    write_lines(connection, &taken).await?;
    Ok(refusals)
}

/// What is left while the wishes of a batch are answered; the stock rows are locked.
struct Ledger {
    left: HashMap<Sku, i64>,
    limited: HashMap<(Sku, UserId), i64>,
}

impl Ledger {
    fn refusal(&self, wish: &Wish) -> Option<Held> {
        wish.lines.iter().find_map(|(sku, want)| {
            let available = self.left.get(sku).copied().unwrap_or(0);
            let has = self
                .limited
                .get(&(sku.clone(), wish.customer))
                .copied()
                .unwrap_or(0);
            let left = want.per_customer_limit.map(|limit| (limit - has).max(0));
            match left {
                Some(left) if left < want.quantity => Some(Held::LimitExceeded {
                    sku: sku.clone(),
                    left,
                }),
                _ if available < want.quantity => Some(Held::Refused {
                    sku: sku.clone(),
                    available,
                }),
                _ => None,
            }
        })
    }

    fn take(&mut self, wish: &Wish) {
        for (sku, want) in &wish.lines {
            *self.left.entry(sku.clone()).or_default() -= want.quantity;
            if want.per_customer_limit.is_some() {
                *self.limited.entry((sku.clone(), wish.customer)).or_default() += want.quantity;
            }
        }
    }
}

/// What the customers of `wishes` have of the limited SKUs among them; no statement where nothing is limited.
async fn limited_units_of(
    connection: &mut PgConnection,
    wishes: &[&Wish],
) -> Result<HashMap<(Sku, UserId), i64>, sqlx::Error> {
    let (mut skus, mut customers) = (Vec::new(), Vec::new());
    for wish in wishes {
        for (sku, _) in wish
            .lines
            .iter()
            .filter(|(_, want)| want.per_customer_limit.is_some())
        {
            skus.push(sku.as_str());
            customers.push(wish.customer.as_uuid());
        }
    }
    if skus.is_empty() {
        return Ok(HashMap::new());
    }
    let units: Vec<CustomerUnits> = sqlx::query_as(
        "SELECT l.sku, r.customer_id, sum(l.quantity - l.returned)::bigint AS units
         FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::uuid[])) AS asked(sku, customer_id)
         JOIN reservation r ON r.customer_id = asked.customer_id
         JOIN reservation_line l ON l.reservation_id = r.id AND l.sku = asked.sku AND l.limited
         WHERE r.status IN ('HELD', 'CONFIRMED')
         GROUP BY l.sku, r.customer_id",
    )
    .bind(skus)
    .bind(customers)
    .fetch_all(connection)
    .await?;
    Ok(units
        .into_iter()
        .map(|one| ((one.sku, one.customer), one.units))
        .collect())
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
    lines: &[(ReservationId, &Sku, Want)],
) -> Result<(), sqlx::Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = lines.iter().map(|(id, ..)| id.as_uuid()).collect();
    let skus: Vec<&str> = lines.iter().map(|(_, sku, _)| sku.as_str()).collect();
    let quantities: Vec<i64> = lines.iter().map(|(.., want)| want.quantity).collect();
    let limited: Vec<bool> = lines
        .iter()
        .map(|(.., want)| want.per_customer_limit.is_some())
        .collect();
    sqlx::query(
        "WITH line AS (
             INSERT INTO reservation_line (reservation_id, sku, quantity, limited)
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::boolean[]) RETURNING sku, quantity),
         taken AS (SELECT sku, sum(quantity)::bigint AS quantity FROM line GROUP BY sku)
         UPDATE stock SET held = held + taken.quantity FROM taken WHERE stock.sku = taken.sku",
    )
    .bind(ids)
    .bind(skus)
    .bind(quantities)
    .bind(limited)
    .execute(connection)
    .await?;
    Ok(())
}
