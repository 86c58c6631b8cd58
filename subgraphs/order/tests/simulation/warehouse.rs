//! Inventory: one SKU with one unit, one reservation of ours, and somebody else who wants the unit too.

use fondaco_inventory::reservation::{ReservationStatus, Settlement};

pub const TOTAL: i64 = 1;

#[derive(Clone, Debug, Default)]
pub struct Warehouse {
    pub reservation: Option<ReservationStatus>,
    pub expires_at: i64,
    /// Units that somebody else has bought.
    pub others: i64,
}

impl Warehouse {
    fn ours(&self) -> i64 {
        let has = matches!(
            self.reservation,
            Some(ReservationStatus::Held | ReservationStatus::Confirmed)
        );
        i64::from(has)
    }

    pub fn available(&self) -> i64 {
        TOTAL - self.ours() - self.others
    }

    /// When the hold lapses; none where there is no unit, or the reservation has ended.
    pub fn reserve(&mut self, now: i64, lives: i64) -> Option<i64> {
        match self.reservation {
            None if self.available() > 0 => {
                self.reservation = Some(ReservationStatus::Held);
                self.expires_at = now + lives;
                Some(self.expires_at)
            }
            Some(ReservationStatus::Held | ReservationStatus::Confirmed) => Some(self.expires_at),
            _ => None,
        }
    }

    /// As the store settles: by the table, and an expired hold only while its unit is there.
    pub fn settle(&mut self, settlement: Settlement) -> Option<ReservationStatus> {
        let before = self.reservation?;
        if let Some(after) = before.after(settlement) {
            let late_sale = before == ReservationStatus::Expired && after == ReservationStatus::Confirmed;
            if !late_sale || self.available() > 0 {
                self.reservation = Some(after);
            }
        }
        self.reservation
    }

    pub fn expire(&mut self, now: i64) {
        if self.reservation == Some(ReservationStatus::Held) && now >= self.expires_at {
            self.settle(Settlement::Expire);
        }
    }
}
