//! The reservation: what it is and the states it passes through.

use std::collections::BTreeMap;

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use fondaco_contracts::{ReservationId, Sku, UserId};
use sha2::{Digest, Sha256};

/// Where a reservation stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Enum)]
#[graphql(inaccessible)]
pub enum ReservationStatus {
    /// The units wait for their payment.
    Held,
    /// The units are sold.
    Confirmed,
    /// The units are for sale again.
    Released,
    /// The payment took too long; the units are for sale again.
    Expired,
}

/// What can happen to a reservation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Settlement {
    /// It was paid.
    Confirm,
    /// It was called off.
    Release,
    /// Its time is up.
    Expire,
}

impl ReservationStatus {
    const ALL: [Self; 4] = [Self::Held, Self::Confirmed, Self::Released, Self::Expired];

    /// The next state, or `None` where the settlement changes nothing. A sold order that is called off returns its units; one that was paid
    /// after its hold had expired gets its units again where they are still there, unless it was called off meanwhile: a confirmation that
    /// is overtaken on its way must not sell to an order that is given up.
    pub const fn after(self, settlement: Settlement) -> Option<Self> {
        match (self, settlement) {
            (Self::Held | Self::Expired, Settlement::Confirm) => Some(Self::Confirmed),
            (Self::Held | Self::Confirmed | Self::Expired, Settlement::Release) => Some(Self::Released),
            (Self::Held, Settlement::Expire) => Some(Self::Expired),
            (Self::Confirmed, Settlement::Confirm | Settlement::Expire)
            | (Self::Released, _)
            | (Self::Expired, Settlement::Expire) => None,
        }
    }

    /// As the database stores it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Confirmed => "CONFIRMED",
            Self::Released => "RELEASED",
            Self::Expired => "EXPIRED",
        }
    }

    /// From what the database stores.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What is wanted of one SKU, and the terms of its sale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Want {
    /// How many units.
    pub quantity: i64,
    /// How many of them one customer may have, in all orders together.
    pub per_customer_limit: Option<i64>,
    /// When the sale opens.
    pub opens_at: Option<DateTime<Utc>>,
}

/// A wish to hold units. Lines are sorted by SKU, one a SKU: the order in which they are taken.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The order's id.
    pub id: ReservationId,
    /// Whose it is.
    pub customer: UserId,
    /// What of it.
    pub lines: BTreeMap<Sku, Want>,
    /// How long.
    pub ttl_seconds: i32,
}

impl Wish {
    /// A hash of what is asked for, by which a repeat is told from another request with the same id.
    pub fn parameters(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.customer.as_uuid());
        for (sku, want) in &self.lines {
            hash.update(format!("|{sku}={}", want.quantity));
        }
        hash.finalize()[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// How a wish was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Held in both stores.
    Reserved {
        /// Until then.
        expires_at: DateTime<Utc>,
    },
    /// Too few units of a SKU.
    SoldOut {
        /// The SKU.
        sku: Sku,
        /// What is left of it.
        available: i64,
    },
    /// The sale of a SKU has not opened.
    NotStarted(Sku),
    /// More of a SKU than one customer may have.
    LimitExceeded {
        /// The SKU.
        sku: Sku,
        /// How many more this customer may have.
        left: i64,
    },
    /// A SKU that has no stock record.
    UnknownSku(Sku),
    /// The counter of a SKU cannot be loaded now.
    NotReady(Sku),
    /// The id was used before, for something else or to its end.
    KeyReused,
}

#[cfg(test)]
mod tests {
    use fondaco_chassis::testing::documented;

    use super::*;

    #[test]
    fn the_documented_table_is_this_one() {
        let mut table = vec![["–", "reserved", ReservationStatus::Held.as_str()].map(str::to_owned)];
        for from in ReservationStatus::ALL {
            let settlements = [
                (Settlement::Confirm, "confirm"),
                (Settlement::Release, "release"),
                (Settlement::Expire, "expire"),
            ];
            let rows = settlements.into_iter().filter_map(|(settlement, name)| {
                Some([from.as_str(), name, from.after(settlement)?.as_str()])
            });
            table.extend(rows.map(|row| row.map(str::to_owned)));
        }
        table.sort();
        assert_eq!(documented("reservation"), table);
    }

    #[test]
    fn the_state_machine() {
        use ReservationStatus::{Confirmed, Expired, Held, Released};
        use Settlement::{Confirm, Expire, Release};
        let check = |from: ReservationStatus, expected: [Option<ReservationStatus>; 3]| {
            assert_eq!(
                [Confirm, Release, Expire].map(|settlement| from.after(settlement)),
                expected,
                "{from:?}"
            );
        };
        check(Held, [Some(Confirmed), Some(Released), Some(Expired)]);
        check(Confirmed, [None, Some(Released), None]);
        check(Released, [None, None, None]);
        check(Expired, [Some(Confirmed), Some(Released), None]);
    }
}
