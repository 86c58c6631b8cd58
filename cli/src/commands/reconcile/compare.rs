//! What must be equal, and what a difference is called.

use std::fmt;

use fondaco_contracts::OrderId;
use fondaco_inventory::{books::StockBooks, reservation::ReservationStatus};
use fondaco_order::{books::OrderBooks, order::Status};
use fondaco_payment::books::PaymentBooks;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The SKU or order.
    subject: String,
    /// What is wrong, with figures.
    problem: String,
}

impl Difference {
    fn new(subject: impl fmt::Display, problem: String) -> Self {
        Self {
            subject: subject.to_string(),
            problem,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.problem)
    }
}

/// The first difference of a SKU.
pub fn stock(books: &StockBooks) -> Option<Difference> {
    let problem = stock_problem(books)?;
    Some(Difference::new(&books.sku, problem))
}

fn stock_problem(books: &StockBooks) -> Option<String> {
    let available = books.total - books.sold - books.held;
    if available < 0 {
        return Some(format!("oversold by {}", -available));
    }
    if (books.held, books.sold) != (books.lines_held, books.lines_sold) {
        return Some(format!(
            "the stock row says {} held and {} sold, the reservations {} and {}",
            books.held, books.sold, books.lines_held, books.lines_sold
        ));
    }
    let redis = books.redis?;
    ((available, books.held) != (redis.available, redis.held)).then(|| {
        format!(
            "Postgres says {available} available and {} held, Redis {} and {}",
            books.held, redis.available, redis.held
        )
    })
}

/// All differences of an order.
pub fn order(
    order: &OrderBooks,
    payment: Option<&PaymentBooks>,
    reservation: Option<ReservationStatus>,
) -> Vec<Difference> {
    let problems = [
        lines_problem(order),
        overdue_problem(order),
        ledger_problem(order, payment),
        reservation_problem(order, reservation),
    ];
    problems
        .into_iter()
        .flatten()
        .map(|problem| Difference::new(order.id, problem))
        .collect()
}

/// Money that belongs to no order.
pub fn stray(order: OrderId) -> Difference {
    Difference::new(
        order,
        "the ledger has money for an order that there is not".to_owned(),
    )
}

fn lines_problem(order: &OrderBooks) -> Option<String> {
    (order.lines != order.total)
        .then(|| format!("its lines cost {}, its total is {}", order.lines, order.total))
}

fn overdue_problem(order: &OrderBooks) -> Option<String> {
    order
        .is_overdue
        .then(|| format!("it is {} and should have been settled by now", order.status))
}

/// What the customer has paid, less what was given back, is what the ledger has.
fn ledger_problem(order: &OrderBooks, payment: Option<&PaymentBooks>) -> Option<String> {
    let (captured, refunded) = payment.map_or((0, 0), |books| (books.ledger_captured, books.ledger_refunded));
    if payment.is_some_and(|books| books.refunded != refunded) {
        return Some(format!(
            "its payment says {} was given back, the ledger {refunded}",
            payment.map_or(0, |books| books.refunded)
        ));
    }
    // Money is on its way in one direction or the other.
    if order.is_open {
        return None;
    }
    let expected = match order.status {
        Status::Confirmed | Status::Fulfilled | Status::Refunded => order.total - order.paid_back,
        Status::Cancelled | Status::Failed => 0,
        Status::Draft | Status::Pending => return None,
    };
    (captured - refunded != expected).then(|| {
        format!(
            "it is {}, which makes {expected} paid; the ledger has {captured} - {refunded} = {}",
            order.status,
            captured - refunded
        )
    })
}

fn reservation_problem(order: &OrderBooks, reservation: Option<ReservationStatus>) -> Option<String> {
    use ReservationStatus::{Confirmed, Held};
    let is_right = match order.status {
        Status::Confirmed | Status::Fulfilled | Status::Refunded => reservation == Some(Confirmed),
        Status::Cancelled | Status::Failed => !matches!(reservation, Some(Held | Confirmed)),
        Status::Draft | Status::Pending => true,
    };
    (!is_right).then(|| format!("it is {}, its reservation is {reservation:?}", order.status))
}

#[cfg(test)]
mod tests {
    use fondaco_contracts::ReservationId;
    use fondaco_inventory::books::RedisBooks;
    use fondaco_payment::status::Status as Paid;

    use super::*;

    #[test]
    fn stock_must_add_up_in_both_stores() {
        let good = StockBooks {
            sku: "COAT".parse().unwrap(),
            total: 10,
            held: 2,
            sold: 3,
            lines_held: 2,
            lines_sold: 3,
            redis: Some(RedisBooks {
                available: 5,
                held: 2,
            }),
        };
        let check = |change: fn(&mut StockBooks), expected: Option<&str>| {
            let mut books = good.clone();
            change(&mut books);
            let found = stock(&books).map(|difference| difference.to_string());
            assert_eq!(found.as_deref(), expected);
        };
        check(|_| {}, None);
        check(|books| books.redis = None, None);
        check(|books| books.total = 4, Some("COAT: oversold by 1"));
        check(
            |books| books.lines_sold = 4,
            Some("COAT: the stock row says 2 held and 3 sold, the reservations 2 and 4"),
        );
        check(
            |books| {
                books.redis = Some(RedisBooks {
                    available: 6,
                    held: 2,
                })
            },
            Some("COAT: Postgres says 5 available and 2 held, Redis 6 and 2"),
        );
    }

    #[test]
    fn orders_must_agree_with_ledger_and_stock() {
        let id = OrderId::new();
        let good = OrderBooks {
            id,
            reservation: ReservationId::from(id),
            status: Status::Confirmed,
            total: 100,
            lines: 100,
            granted: 30,
            paid_back: 30,
            is_open: false,
            is_overdue: false,
        };
        let paid = PaymentBooks {
            order: id,
            status: Paid::PartiallyRefunded,
            amount: Some(100),
            refunded: 30,
            ledger_captured: 100,
            ledger_refunded: 30,
        };
        let sold = Some(ReservationStatus::Confirmed);
        let count = |books: &OrderBooks, payment: Option<&PaymentBooks>, reservation| {
            order(books, payment, reservation).len()
        };
        assert_eq!(count(&good, Some(&paid), sold), 0);
        assert_eq!(count(&good, None, sold), 1, "nothing was paid");
        assert_eq!(count(&good, Some(&paid), None), 1, "nothing was sold");
        assert_eq!(count(&good, Some(&paid), Some(ReservationStatus::Expired)), 1);
        let twice = PaymentBooks {
            ledger_captured: 200,
            ..paid.clone()
        };
        assert_eq!(count(&good, Some(&twice), sold), 1, "charged twice");
        let cancelled = OrderBooks {
            status: Status::Cancelled,
            ..good.clone()
        };
        assert_eq!(
            count(&cancelled, Some(&paid), sold),
            2,
            "money and stock are kept"
        );
        let back = PaymentBooks {
            refunded: 100,
            ledger_refunded: 100,
            ..paid
        };
        assert_eq!(
            count(&cancelled, Some(&back), Some(ReservationStatus::Released)),
            0
        );
        assert_eq!(
            count(&cancelled, None, None),
            0,
            "called off before anything happened"
        );
        let open = OrderBooks {
            is_open: true,
            ..good.clone()
        };
        assert_eq!(count(&open, None, sold), 0, "money is on its way");
        let late = OrderBooks {
            is_open: true,
            is_overdue: true,
            lines: 99,
            ..good
        };
        assert_eq!(count(&late, None, sold), 2);
    }
}
