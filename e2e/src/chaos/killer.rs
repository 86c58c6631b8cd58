//! Kills processes as `kill -9` does; each is started again at once, and is ready when it is ready.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;

use super::lab::Lab;
use super::plan::Chance;
use crate::program::ProgramError;

/// What may die. Redis dies, or forgets everything and lives on.
pub const ANYTHING: [&str; 9] = [
    "order",
    "inventory",
    "payment",
    "redis",
    "product",
    "flush",
    "router",
    "auth",
    "postgres",
];

/// Kills one after another.
#[derive(Debug)]
pub struct Killer {
    chance: Chance,
    victims: &'static [&'static str],
    every: Duration,
    kills: BTreeMap<&'static str, usize>,
}

impl Killer {
    /// One of `victims` every so often, on average.
    pub fn new(seed: u64, victims: &'static [&'static str], every: Duration) -> Self {
        Self {
            chance: Chance::new(seed),
            victims,
            every,
            kills: BTreeMap::new(),
        }
    }

    /// How often each was killed, in words.
    pub fn story(&self) -> String {
        let each = self
            .kills
            .iter()
            .map(|(victim, times)| format!("{victim} {times}"));
        format!(
            "{} kills ({})",
            self.kills.values().sum::<usize>(),
            each.collect::<Vec<_>>().join(", ")
        )
    }

    /// Kills until `is_over`.
    pub async fn work(
        &mut self,
        lab: &mut Lab,
        mut is_over: watch::Receiver<bool>,
    ) -> Result<(), ProgramError> {
        loop {
            let pause = self.every / 2 + self.every.mul_f64(self.chance.below(1_000) as f64 / 1_000.0);
            let heard = tokio::time::timeout(pause, is_over.wait_for(|over| *over)).await;
            if heard.is_ok() {
                return Ok(());
            }
            let victim = self.victims[self.chance.below(self.victims.len() as u64) as usize];
            self.kill(lab, victim).await?;
        }
    }

    async fn kill(&mut self, lab: &mut Lab, victim: &'static str) -> Result<(), ProgramError> {
        *self.kills.entry(victim).or_default() += 1;
        match victim {
            "flush" => Ok(lab.redis.flush().await?),
            "redis" => {
                lab.redis.kill().await?;
                tokio::time::sleep(Duration::from_millis(50 + self.chance.below(400))).await;
                Ok(lab.redis.start_again().await?)
            }
            "postgres" => {
                lab.postgres.kill().await?;
                Ok(lab.postgres.start_again().await?)
            }
            part => {
                lab.platform.kill_part(part).await?;
                lab.platform.launch_part(part)
            }
        }
    }
}
