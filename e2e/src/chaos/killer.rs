//! Kills processes as `kill -9` does and starts them again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::plan::{Chance, Plan};
use crate::platform::Platform;
use crate::program::ProgramError;
use crate::redis_server::RedisServer;

/// What may die. Redis dies, or forgets everything and lives on.
const VICTIMS: [&str; 6] = ["order", "inventory", "payment", "redis", "product", "flush"];

/// Everything that buys and sells, in the order in which it is started.
const ALL: [&str; 6] = ["auth", "product", "inventory", "order", "payment", "router"];

/// How often in a row all parts must be ready.
const CALM: usize = 4;
const REST: Duration = Duration::from_secs(60);

/// Holds the platform while it is being broken.
#[derive(Debug)]
pub struct Killer {
    platform: Platform,
    redis: RedisServer,
    chance: Chance,
    every: Duration,
    kills: BTreeMap<&'static str, usize>,
}

impl Killer {
    /// With the plan's seed.
    pub fn new(platform: Platform, redis: RedisServer, plan: &Plan) -> Self {
        Self {
            platform,
            redis,
            chance: Chance::new(plan.seed),
            every: plan.every,
            kills: BTreeMap::new(),
        }
    }

    /// The platform, whole.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// How often each was killed.
    pub fn kills(&self) -> BTreeMap<&'static str, usize> {
        self.kills.clone()
    }

    /// Kills one process after another until `is_over`; at least one.
    pub async fn work(&mut self, mut is_over: watch::Receiver<bool>) -> Result<(), ProgramError> {
        loop {
            let pause = self.every / 2 + self.every.mul_f64(self.chance.below(1_000) as f64 / 1_000.0);
            let heard = tokio::time::timeout(pause, is_over.wait_for(|over| *over)).await;
            if heard.is_ok() {
                return Ok(());
            }
            let victim = VICTIMS[self.chance.below(VICTIMS.len() as u64) as usize];
            self.kill(victim).await?;
        }
    }

    /// Waits until all parts are ready again.
    pub async fn rest(&self) {
        let deadline = Instant::now() + REST;
        let mut calm = 0;
        while calm < CALM && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let answers = ALL.map(|part| reqwest::get(self.platform.url(part, "/ready")));
            let answers = futures::future::join_all(answers).await;
            let ready = |answer: &reqwest::Result<reqwest::Response>| {
                answer.as_ref().is_ok_and(|answer| answer.status().is_success())
            };
            calm = if answers.iter().all(ready) { calm + 1 } else { 0 };
        }
    }

    async fn kill(&mut self, victim: &'static str) -> Result<(), ProgramError> {
        *self.kills.entry(victim).or_default() += 1;
        match victim {
            "flush" => Ok(self.redis.flush().await?),
            "redis" => {
                self.redis.kill().await?;
                let away = 50 + self.chance.below(400);
                tokio::time::sleep(Duration::from_millis(away)).await;
                Ok(self.redis.start_again().await?)
            }
            part => {
                if let Some(program) = self.platform.programs.get_mut(part) {
                    program.kill().await?;
                }
                self.platform.start_part(part).await
            }
        }
    }

    /// All of it dies at once, and is started again.
    pub async fn end_everything(&mut self) -> Result<(), ProgramError> {
        for part in ALL {
            if let Some(program) = self.platform.programs.get_mut(part) {
                program.signal(nix::sys::signal::Signal::SIGKILL);
            }
        }
        for part in ALL {
            if let Some(program) = self.platform.programs.get_mut(part) {
                // It is dead; its address is free only when it has ended.
                program.kill().await?;
            }
        }
        self.redis.kill().await?;
        self.redis.start_again().await?;
        for part in ALL {
            self.platform.start_part(part).await?;
        }
        Ok(())
    }
}
