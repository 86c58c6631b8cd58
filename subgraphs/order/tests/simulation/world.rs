//! The world of one order: its row, its events, its peers, a network, a clock, and what must hold in all of it.

use chrono::{DateTime, TimeDelta, Utc};
use fondaco_contracts::OrderEvent;
use fondaco_inventory::reservation::{ReservationStatus, Settlement};
use fondaco_order::{
    order::{Event, Status},
    peers::payment::{Charge, Refunded},
};

use crate::{
    chance::Chance,
    desk::Desk,
    warehouse::{TOTAL, Warehouse},
    worker::{Step, Worker},
};

/// Seconds that a hold lives, until the sweeper looks, and until it looks again.
const HOLD: i64 = 30;
const SETTLE_AFTER: i64 = 20;
pub const AGAIN: i64 = 2;
/// Steps with faults, and as many without as an end may take.
const WILD_STEPS: usize = 120;
const CALM_STEPS: usize = 2_000;
const MAX_WORKERS: usize = 4;

/// Ways in which the code could be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A lost answer counts as "not paid".
    TakesUnknownForFailed,
    /// A charge is repeated under another key.
    ChargesBlindly,
    /// A hold near its end is not confirmed first, and nobody minds lost stock.
    TrustsLapsedHolds,
    /// Lost stock is logged and forgotten.
    IgnoresLostStock,
    /// Orders that are given up keep what was paid.
    KeepsTheMoney,
    /// Some events never arrive.
    LosesEvents,
}

impl Defect {
    pub const ALL: [Self; 6] = [
        Self::TakesUnknownForFailed,
        Self::ChargesBlindly,
        Self::TrustsLapsedHolds,
        Self::IgnoresLostStock,
        Self::KeepsTheMoney,
        Self::LosesEvents,
    ];
}

/// The order as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub status: Status,
    version: u32,
    pub held_until: i64,
    pub refund_due: bool,
    settle_at: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
pub enum Call {
    Reserve,
    Confirm,
    Release,
    Charge,
    Complete,
    Outcome,
    Refund,
}

#[derive(Clone, Debug)]
pub enum Reply {
    Held(Option<i64>),
    Sold(bool),
    Released,
    Outcome(Option<Charge>),
    Refunded(Refunded),
}

pub struct World {
    pub now: i64,
    pub defect: Option<Defect>,
    pub tell: bool,
    pub story: Vec<String>,
    chance: Chance,
    order: Option<Row>,
    /// Published by the order service; inventory has handled so many.
    outbox: Vec<OrderEvent>,
    handled: usize,
    /// News of lost stock that the order service has not handled.
    lost: usize,
    warehouse: Warehouse,
    desk: Desk,
    workers: Vec<Worker>,
    /// Calls that are still on their way; nobody waits for them any more.
    network: Vec<Call>,
    wild: bool,
}

pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

impl World {
    pub fn new(seed: u64, defect: Option<Defect>) -> Self {
        let mut chance = Chance::new(seed);
        let two_steps = chance.percent(25);
        Self {
            now: 0,
            defect,
            tell: false,
            story: Vec::new(),
            chance,
            order: None,
            outbox: Vec::new(),
            handled: 0,
            lost: 0,
            warehouse: Warehouse::default(),
            desk: Desk::new(two_steps, defect),
            workers: vec![buyer(None)],
            network: Vec::new(),
            wild: true,
        }
    }

    /// The status that the order ends in, or what went wrong.
    pub fn run(&mut self) -> Result<String, String> {
        for _ in 0..WILD_STEPS {
            self.step();
            self.check_always()?;
        }
        (self.wild, self.desk.calm) = (false, true);
        for _ in 0..CALM_STEPS {
            if self.is_quiet() {
                self.check_end()?;
                let status = self.order.as_ref().map(|row| row.status.to_string());
                return Ok(status.unwrap_or_else(|| "none".to_owned()));
            }
            self.step();
            self.check_always()?;
        }
        Err(format!("it does not come to an end: {:?}", self.order))
    }

    fn step(&mut self) {
        match self.chance.below(10) {
            0..=3 => self.work(),
            4 => self.deliver(),
            5 => self.deliver_lost_stock(),
            6 => self.now += 1 + self.chance.below(6) as i64,
            7 => self.warehouse.expire(self.now),
            8 => self.sweep(),
            _ if self.wild => self.disturb(),
            _ => self.arrive(),
        }
    }

    fn is_quiet(&self) -> bool {
        let settled = self.order.as_ref().is_none_or(|row| row.settle_at.is_none());
        let held = self.warehouse.reservation == Some(ReservationStatus::Held);
        let silent = self.network.is_empty() && self.workers.is_empty();
        settled && silent && !held && self.handled == self.outbox.len() && self.lost == 0
    }

    fn work(&mut self) {
        if self.workers.is_empty() {
            return;
        }
        let index = self.chance.below(self.workers.len());
        let worker = self.workers.swap_remove(index);
        if self.wild && self.chance.percent(3) {
            self.note(|| format!("dies before {:?}", worker.step));
            return;
        }
        let what = self.tell.then(|| format!("{:?}", worker.step));
        if let Some(next) = worker.work(self) {
            self.workers.push(next);
        }
        self.note(|| what.unwrap_or_default());
    }

    /// The customer repeats, completes or cancels; somebody else buys; a late call arrives.
    fn disturb(&mut self) {
        match self.chance.below(8) {
            0 | 1 if self.workers.len() < MAX_WORKERS => self.repeat(),
            2 if self.desk.two_steps && self.workers.len() < MAX_WORKERS => self.complete(),
            3 if self.chance.percent(25) => self.cancel(),
            4 | 5 if self.warehouse.available() > 0 => {
                self.warehouse.others += 1;
                self.note(|| "somebody else buys".to_owned());
            }
            _ => self.arrive(),
        }
    }

    /// A repeated purchase of an order that is settled only reads.
    fn repeat(&mut self) {
        let order = self.order.clone();
        if order.as_ref().is_none_or(|row| row.status == Status::Pending) {
            self.workers.push(buyer(order));
        }
    }

    fn complete(&mut self) {
        let pending = self.order.clone().filter(|row| row.status == Status::Pending);
        if let Some(row) = pending {
            self.workers.push(Worker {
                read: Some(row),
                step: Step::Complete,
            });
        }
    }

    fn cancel(&mut self) {
        if self.order.is_some() && self.workers.len() < MAX_WORKERS {
            self.workers.push(Worker {
                read: self.order.clone(),
                step: Step::Apply {
                    event: Event::Cancelled,
                    pay_back: true,
                },
            });
        }
    }

    fn sweep(&mut self) {
        let now = self.now;
        let Some(row) = self.order.as_mut() else { return };
        if row.settle_at.is_none_or(|due| due > now) || self.workers.len() >= MAX_WORKERS {
            return;
        }
        row.settle_at = Some(now + AGAIN);
        let step = if row.status == Status::Pending {
            Step::LookUp
        } else {
            Step::PayBack
        };
        self.workers.push(Worker {
            read: Some(row.clone()),
            step,
        });
    }

    /// Inventory handles the next event: the inbox lets each act once, and events of one order arrive in their order.
    fn deliver(&mut self) {
        let Some(event) = self.outbox.get(self.handled).copied() else {
            return;
        };
        self.handled += 1;
        if self.defect == Some(Defect::LosesEvents) && self.chance.percent(10) {
            return;
        }
        let settlement = match event {
            OrderEvent::Confirmed => Settlement::Confirm,
            OrderEvent::Cancelled | OrderEvent::Failed => Settlement::Release,
            _ => return,
        };
        let status = self.warehouse.settle(settlement);
        let sold = status == Some(ReservationStatus::Confirmed);
        let ignores = [Some(Defect::IgnoresLostStock), Some(Defect::TrustsLapsedHolds)];
        if settlement == Settlement::Confirm && !sold && !ignores.contains(&self.defect) {
            self.lost += 1;
        }
        self.note(|| format!("inventory handles {event:?}: {status:?}"));
    }

    fn deliver_lost_stock(&mut self) {
        if self.lost == 0 {
            return;
        }
        self.lost -= 1;
        if let Some(row) = self.order.clone() {
            let moved = self.transition(&row, Event::StockLost, true);
            self.note(|| format!("stock lost: {moved:?}"));
        }
    }

    fn arrive(&mut self) {
        if !self.network.is_empty() {
            let index = self.chance.below(self.network.len());
            let call = self.network.swap_remove(index);
            let reply = self.serve(call);
            self.note(|| format!("late {call:?}: {reply:?}"));
        }
    }

    /// A call over a network that loses, delays and doubles; none where no answer comes.
    pub fn call(&mut self, call: Call) -> Option<Reply> {
        if !self.wild {
            return self.serve(call);
        }
        match self.chance.below(20) {
            0 | 1 => return None,
            2 | 3 => {
                self.network.push(call);
                return None;
            }
            4 | 5 => self.network.push(call),
            6 | 7 => {
                self.serve(call);
                return None;
            }
            _ => {}
        }
        self.serve(call)
    }

    fn serve(&mut self, call: Call) -> Option<Reply> {
        let reply = match call {
            Call::Reserve => Reply::Held(self.warehouse.reserve(self.now, HOLD)),
            Call::Confirm => {
                let status = self.warehouse.settle(Settlement::Confirm);
                Reply::Sold(status == Some(ReservationStatus::Confirmed))
            }
            Call::Release => {
                self.warehouse.settle(Settlement::Release);
                Reply::Released
            }
            Call::Charge => Reply::Outcome(Some(self.desk.charge(&mut self.chance).ok()?)),
            Call::Complete => Reply::Outcome(self.desk.complete(&mut self.chance).ok()?),
            Call::Outcome => Reply::Outcome(self.desk.outcome(&mut self.chance).ok()?),
            Call::Refund => Reply::Refunded(self.desk.refund(&mut self.chance).ok()?),
        };
        Some(reply)
    }

    /// Stores the order, or finds that somebody was faster.
    pub fn place(&mut self, held_until: i64) -> Row {
        let settle_at = self.now + SETTLE_AFTER;
        let row = self.order.get_or_insert(Row {
            status: Status::Pending,
            version: 1,
            held_until,
            refund_due: false,
            settle_at: Some(settle_at),
        });
        row.clone()
    }

    /// The update of the store: conditional on status and version, with its event in the same transaction.
    pub fn transition(&mut self, read: &Row, event: Event, refund_due: bool) -> Option<Row> {
        let row = self.order.as_mut()?;
        let to = read.status.after(event).ok()?;
        if row.status != read.status || row.version != read.version {
            return None;
        }
        row.status = to;
        row.version += 1;
        row.refund_due = refund_due;
        row.settle_at = refund_due.then_some(self.now);
        self.outbox.push(event.published());
        Some(row.clone())
    }

    pub fn paid_back(&mut self) {
        let settled = self.order.as_mut().filter(|row| row.status != Status::Pending);
        if let Some(row) = settled {
            (row.refund_due, row.settle_at) = (false, None);
        }
    }

    pub fn look_in(&mut self, seconds: i64) {
        self.look_at(self.now + seconds);
    }

    pub fn look_at(&mut self, when: i64) {
        let open = self.order.as_mut().filter(|row| row.settle_at.is_some());
        if let Some(row) = open {
            row.settle_at = Some(when);
        }
    }

    fn check_always(&self) -> Result<(), String> {
        if self.warehouse.available() < 0 {
            return Err(format!("oversold: more than {TOTAL}"));
        }
        let provider = &self.desk.provider;
        if provider.captured > 1 || provider.refunded > provider.captured {
            return Err(format!("charged or refunded twice: {provider:?}"));
        }
        Ok(())
    }

    fn check_end(&self) -> Result<(), String> {
        let kept = self.desk.provider.captured - self.desk.provider.refunded;
        let reservation = self.warehouse.reservation;
        let sold = reservation == Some(ReservationStatus::Confirmed);
        let fine = match self.order.as_ref().map(|row| row.status) {
            Some(Status::Confirmed) => kept == 1 && sold,
            Some(Status::Failed | Status::Cancelled) => kept == 0 && !sold,
            None => kept == 0 && !sold,
            Some(_) => false,
        };
        if fine {
            return Ok(());
        }
        Err(format!(
            "{:?} ends with {kept} payment kept and its reservation {reservation:?}",
            self.order
        ))
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if self.tell {
            let status = self.order.as_ref().map(|row| row.status);
            self.story.push(format!(
                "{:>4} s  {}  | order {status:?}, hold {:?}, payment {:?}, provider {:?}",
                self.now,
                what(),
                self.warehouse.reservation,
                self.desk.status,
                self.desk.provider
            ));
        }
    }
}

/// A purchase, for the first time or again.
fn buyer(order: Option<Row>) -> Worker {
    let step = if order.is_some() {
        Step::Charge
    } else {
        Step::Reserve
    };
    Worker { read: order, step }
}
