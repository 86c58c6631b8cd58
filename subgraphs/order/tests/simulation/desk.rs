//! Payment and its provider, by payment's transition table. The provider keeps to its idempotency keys, and may not answer.

use fondaco_order::peers::payment::{Charge, Refunded};
use fondaco_payment::status::{Event, Status};

use crate::{chance::Chance, world::Defect};

/// What the provider did.
#[derive(Clone, Debug, Default)]
pub struct Provider {
    approves: Option<bool>,
    authorized: bool,
    voided: bool,
    pub captured: u32,
    pub refunded: u32,
}

#[derive(Clone, Debug)]
pub struct Desk {
    pub status: Option<Status>,
    /// The money is taken by a second step.
    pub two_steps: bool,
    capture: bool,
    pub provider: Provider,
    /// The provider answers everything.
    pub calm: bool,
    defect: Option<Defect>,
}

/// Payment died in the middle: its caller has no answer.
pub struct Died;

impl Desk {
    pub fn new(two_steps: bool, defect: Option<Defect>) -> Self {
        Self {
            status: None,
            two_steps,
            capture: !two_steps,
            provider: Provider::default(),
            calm: false,
            defect,
        }
    }

    pub fn charge(&mut self, chance: &mut Chance) -> Result<Charge, Died> {
        if self.status.is_none() {
            self.status = Some(Status::Pending);
            return self.ask(chance);
        }
        self.resolve(chance)
    }

    pub fn outcome(&mut self, chance: &mut Chance) -> Result<Option<Charge>, Died> {
        if self.status.is_none() {
            return Ok(None);
        }
        self.resolve(chance).map(Some)
    }

    pub fn complete(&mut self, chance: &mut Chance) -> Result<Option<Charge>, Died> {
        if self.status.is_none() {
            return Ok(None);
        }
        self.resolve(chance)?;
        if self.status == Some(Status::Authorized) {
            self.capture = true;
        }
        self.resolve(chance).map(Some)
    }

    pub fn refund(&mut self, chance: &mut Chance) -> Result<Refunded, Died> {
        if self.status.is_none() {
            self.status = Some(Status::CalledOff);
        }
        let mut outcome = self.resolve(chance)?;
        if outcome == Charge::Authorized {
            outcome = self.void(chance);
        }
        match outcome {
            Charge::Unknown | Charge::Authorized | Charge::ConfirmationRequired => Ok(Refunded::Unknown),
            Charge::Declined(_) if self.status == Some(Status::Refunded) => Ok(Refunded::Refunded),
            Charge::Declined(_) => Ok(Refunded::NotCharged),
            Charge::Captured => self.pay_back(chance),
        }
    }

    fn pay_back(&mut self, chance: &mut Chance) -> Result<Refunded, Died> {
        let answers = self.answers(chance);
        if answers || chance.percent(50) {
            // The refund's id is the key: the same one again moves nothing.
            self.provider.refunded = 1;
        }
        if !answers {
            return Ok(Refunded::Unknown);
        }
        self.dies(chance)?;
        self.step(Event::Refunded);
        Ok(Refunded::Refunded)
    }

    fn void(&mut self, chance: &mut Chance) -> Charge {
        if !self.answers(chance) {
            return Charge::Unknown;
        }
        if self.provider.captured > 0 {
            self.step(Event::Captured);
        } else {
            self.provider.voided = true;
            self.step(Event::Voided);
        }
        self.stored().unwrap_or(Charge::Unknown)
    }

    fn resolve(&mut self, chance: &mut Chance) -> Result<Charge, Died> {
        if let Some(known) = self.stored() {
            return Ok(known);
        }
        // Whoever recorded it may still be waiting.
        if self.status == Some(Status::Pending) && !self.calm && chance.percent(30) {
            return Ok(Charge::Unknown);
        }
        self.ask(chance)
    }

    fn ask(&mut self, chance: &mut Chance) -> Result<Charge, Died> {
        let answers = self.answers(chance);
        if answers || chance.percent(50) {
            self.act(chance);
        }
        if !answers {
            self.step(Event::NoAnswer);
            return Ok(self.stored().unwrap_or(Charge::Unknown));
        }
        self.dies(chance)?;
        self.step(self.told());
        Ok(self.stored().unwrap_or(Charge::Unknown))
    }

    /// The effect at the provider of asking for the money.
    fn act(&mut self, chance: &mut Chance) {
        let approves = *self.provider.approves.get_or_insert_with(|| chance.percent(85));
        if !approves || self.provider.voided {
            return;
        }
        self.provider.authorized = true;
        let again = self.defect == Some(Defect::ChargesBlindly) && self.provider.captured > 0;
        if self.capture && (self.provider.captured == 0 || again) {
            self.provider.captured += 1;
        }
    }

    fn told(&self) -> Event {
        match &self.provider {
            provider if provider.captured > 0 => Event::Captured,
            provider if provider.authorized && !provider.voided => Event::Authorized,
            _ => Event::Declined,
        }
    }

    fn step(&mut self, event: Event) {
        if self
            .status
            .is_some_and(|status| event.possible_in().contains(&status))
        {
            self.status = Some(event.leads_to());
        }
    }

    fn stored(&self) -> Option<Charge> {
        let declined = |code: &str| Some(Charge::Declined(code.to_owned()));
        match self.status? {
            Status::Pending | Status::Unknown => None,
            Status::Authorized if self.capture => None,
            Status::Authorized => Some(Charge::Authorized),
            Status::RequiresConfirmation => Some(Charge::ConfirmationRequired),
            Status::Captured | Status::PartiallyRefunded => Some(Charge::Captured),
            Status::Declined => declined("card_declined"),
            Status::Voided => declined("voided"),
            Status::Refunded => declined("refunded"),
            Status::CalledOff => declined("called_off"),
        }
    }

    fn answers(&self, chance: &mut Chance) -> bool {
        self.calm || chance.percent(70)
    }

    fn dies(&self, chance: &mut Chance) -> Result<(), Died> {
        if !self.calm && chance.percent(5) {
            return Err(Died);
        }
        Ok(())
    }
}
