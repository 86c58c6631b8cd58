//! Whoever works on the order: a purchase, its second step, the sweeper, a cancellation. One step at a time; between any two steps others
//! work, and the process may die.

use fondaco_order::{
    order::{Event, Status},
    peers::payment::{Charge, Refunded},
    saga::{self, Decision, Learnt},
};

use crate::world::{Call, Defect, Reply, Row, World, at};

/// What a worker does next.
#[derive(Clone, Debug)]
pub enum Step {
    Reserve,
    Place { held_until: i64 },
    Charge,
    Complete,
    LookUp,
    Follow(Learnt),
    ConfirmSale,
    Apply { event: Event, pay_back: bool },
    Release,
    PayBack,
}

/// A worker with the order as it read it.
#[derive(Clone, Debug)]
pub struct Worker {
    pub read: Option<Row>,
    pub step: Step,
}

impl Worker {
    /// The next step; none where this was the last.
    pub fn work(mut self, world: &mut World) -> Option<Self> {
        let next = match self.step.clone() {
            Step::Reserve => match world.call(Call::Reserve)? {
                Reply::Held(Some(held_until)) => Step::Place { held_until },
                _ => return None,
            },
            Step::Place { held_until } => {
                self.read = Some(world.place(held_until));
                self.read.as_ref().filter(|row| row.status == Status::Pending)?;
                Step::Charge
            }
            Step::Charge => Step::Follow(Learnt::Charge(charged(world.call(Call::Charge)))),
            Step::Complete => match world.call(Call::Complete)? {
                Reply::Outcome(Some(charge)) => Step::Follow(Learnt::Charge(charge)),
                _ => return None,
            },
            Step::LookUp => match world.call(Call::Outcome)? {
                Reply::Outcome(Some(charge)) => Step::Follow(Learnt::Charge(charge)),
                Reply::Outcome(None) => Step::Follow(Learnt::NeverCharged),
                _ => return None,
            },
            Step::ConfirmSale => match world.call(Call::Confirm)? {
                Reply::Sold(sold) => Step::Follow(Learnt::Sale(sold)),
                _ => return None,
            },
            Step::Follow(learnt) => self.decide(world, &learnt)?,
            Step::Apply { event, pay_back } => self.apply(world, event, pay_back)?,
            Step::Release => {
                // The event releases too.
                let _ = world.call(Call::Release);
                self.read.as_ref().filter(|row| row.refund_due)?;
                Step::PayBack
            }
            Step::PayBack => {
                if let Some(Reply::Refunded(Refunded::Refunded | Refunded::NotCharged)) =
                    world.call(Call::Refund)
                {
                    world.paid_back();
                }
                return None;
            }
        };
        self.step = next;
        Some(self)
    }

    fn decide(&self, world: &mut World, learnt: &Learnt) -> Option<Step> {
        let row = self.read.as_ref()?;
        let unknown = *learnt == Learnt::Charge(Charge::Unknown);
        if unknown && world.defect == Some(Defect::TakesUnknownForFailed) {
            return Some(fail(false));
        }
        match saga::decide(Some(at(row.held_until)), learnt, at(world.now)) {
            Decision::LookAgain => world.look_in(crate::world::AGAIN),
            Decision::LookAtLapse => world.look_at(row.held_until),
            Decision::ConfirmSale if world.defect == Some(Defect::TrustsLapsedHolds) => {
                return Some(confirm());
            }
            Decision::ConfirmSale => return Some(Step::ConfirmSale),
            Decision::Confirm => return Some(confirm()),
            Decision::Fail { pay_back, .. } => {
                return Some(fail(pay_back && world.defect != Some(Defect::KeepsTheMoney)));
            }
        }
        None
    }

    fn apply(&mut self, world: &mut World, event: Event, pay_back: bool) -> Option<Step> {
        let moved = world.transition(self.read.as_ref()?, event, pay_back)?;
        let (failed, due) = (moved.status == Status::Failed, moved.refund_due);
        self.read = Some(moved);
        if failed {
            return Some(Step::Release);
        }
        due.then_some(Step::PayBack)
    }
}

fn confirm() -> Step {
    Step::Apply {
        event: Event::PaymentCaptured,
        pay_back: false,
    }
}

fn fail(pay_back: bool) -> Step {
    Step::Apply {
        event: Event::PaymentDeclined,
        pay_back,
    }
}

/// No answer is an unknown outcome.
fn charged(reply: Option<Reply>) -> Charge {
    match reply {
        Some(Reply::Outcome(Some(charge))) => charge,
        _ => Charge::Unknown,
    }
}
