//! The place of an experiment: a platform of separate processes, a Postgres and a Redis of its own, people and goods.

use std::time::{Duration, Instant};

use futures::StreamExt;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::buyer::{self, Outcome};
use super::finding::Finding;
use crate::platform::{Platform, SUBGRAPHS};
use crate::postgres_server::PostgresServer;
use crate::program::ProgramError;
use crate::redis_server::RedisServer;
use crate::shop::{self, Shopper, Variant};

/// Every part, in the order in which they are started.
pub const PARTS: [&str; 6] = ["auth", "product", "inventory", "order", "payment", "router"];

/// How often in a row all parts must be ready.
const CALM: usize = 3;
const REST: Duration = Duration::from_secs(60);
const AT_ONCE: usize = 8;
/// There is plenty of it, for purchases that only ask whether one can buy.
const PLENTY: u64 = 10_000;

const STOCK: &str = "query Stock($skus: [ID!]!) { stock(skus: $skus) { available total sold held } }";

/// All of it ends with its owner.
#[derive(Debug)]
pub struct Lab {
    /// The parts.
    pub platform: Platform,
    /// Their Postgres.
    pub postgres: PostgresServer,
    /// Their Redis.
    pub redis: RedisServer,
    /// May see and change stock.
    pub merchant: Shopper,
    /// What is on sale.
    pub variants: Vec<Variant>,
    /// Buys to see whether one can.
    probe: Shopper,
}

/// Units of a SKU, as inventory tells its merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// To be had.
    pub available: u64,
    /// All there ever were.
    pub total: u64,
    /// Sold.
    pub sold: u64,
    /// Held for somebody.
    pub held: u64,
}

impl Lab {
    /// With servers of its own; `configure` changes the usual configuration.
    pub async fn start(configure: impl FnOnce(&mut Value)) -> Result<Self, ProgramError> {
        Self::beside(
            PostgresServer::start().await?,
            RedisServer::start().await?,
            configure,
        )
        .await
    }

    /// With these servers.
    pub async fn beside(
        postgres: PostgresServer,
        redis: RedisServer,
        configure: impl FnOnce(&mut Value),
    ) -> Result<Self, ProgramError> {
        let platform = Platform::start_beside(&postgres.url(), &redis.url(), configure).await?;
        let client = platform.client();
        let merchant = shop::merchant(&client).await;
        let mut variants = shop::variants(&client).await;
        variants.retain(|variant| !variant.drop);
        let probe = shop::sign_up(&client).await;
        let lab = Self {
            platform,
            postgres,
            redis,
            merchant,
            variants,
            probe,
        };
        shop::set_stock(&lab.merchant, lab.plenty(), PLENTY).await;
        Ok(lab)
    }

    /// Of this there is plenty.
    pub fn plenty(&self) -> &Variant {
        self.variants.last().expect("the demo catalogue has variants")
    }

    /// So many new customers.
    pub async fn sign_up(&self, count: usize) -> Vec<Shopper> {
        let client = self.platform.client();
        futures::stream::iter(0..count)
            .map(|_| shop::sign_up(&client))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    /// Stock of a SKU, by inventory's Postgres.
    pub async fn stock(&self, sku: &str) -> Option<Stock> {
        let answer = self
            .merchant
            .client
            .query(STOCK, json!({ "skus": [sku] }))
            .await
            .ok()?;
        let level = &answer.data()["stock"][0];
        Some(Stock {
            available: level["available"].as_u64()?,
            total: level["total"].as_u64()?,
            sold: level["sold"].as_u64()?,
            held: level["held"].as_u64()?,
        })
    }

    /// Waits until nobody holds any of it: what is held has been sold, given back, or has expired.
    pub async fn holds_end(&self, sku: &str) -> Option<Stock> {
        let deadline = Instant::now() + REST;
        loop {
            let stock = self.stock(sku).await;
            if stock.is_some_and(|stock| stock.held == 0 && stock.available + stock.sold == stock.total)
                || Instant::now() > deadline
            {
                return stock;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until all parts are ready again.
    pub async fn rest(&self) {
        let deadline = Instant::now() + REST;
        let mut calm = 0;
        while calm < CALM && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(100)).await;
            calm = if self.all_ready().await { calm + 1 } else { 0 };
        }
    }

    async fn all_ready(&self) -> bool {
        let answers = PARTS.map(|part| reqwest::get(self.platform.url(part, "/ready")));
        let answers = futures::future::join_all(answers).await;
        answers
            .iter()
            .all(|answer| answer.as_ref().is_ok_and(|answer| answer.status().is_success()))
    }

    /// How long it takes from now until somebody can buy.
    pub async fn recovery(&self) -> Option<Duration> {
        let began = Instant::now();
        let key = uuid::Uuid::new_v4().to_string();
        match buyer::buy(&self.probe, &self.plenty().sku, &key).await {
            Outcome::Bought(_) => Some(began.elapsed()),
            _ => None,
        }
    }

    /// Kills parts and servers at once, and starts all of it again.
    pub async fn end_everything(&mut self) -> Result<(), ProgramError> {
        for part in PARTS {
            if let Some(program) = self.platform.programs.get_mut(part) {
                program.signal(Signal::SIGKILL);
            }
        }
        self.redis.kill().await?;
        self.postgres.kill().await?;
        for part in PARTS {
            // It is dead; its address is free only when it has ended.
            self.platform.kill_part(part).await?;
        }
        self.redis.start_again().await?;
        self.postgres.start_again().await?;
        for part in PARTS {
            self.platform.launch_part(part)?;
        }
        Ok(())
    }

    /// Resident memory of all parts together, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let pids = PARTS
            .iter()
            .filter_map(|part| self.platform.programs.get(*part)?.pid());
        pids.map(crate::freeze::resident_bytes).sum()
    }

    /// The end of every experiment: the books, and what went wrong.
    pub async fn close(&self, finding: &mut Finding) -> Result<(), ProgramError> {
        let (table, balanced) = self.platform.reconcile().await?;
        finding.balanced = Some(balanced);
        finding.expect(balanced, || "the books do not balance".to_owned());
        let panicked = SUBGRAPHS.iter().chain(&["router"]).find(|part| {
            let program = self.platform.programs.get(**part);
            program.is_some_and(|program| program.log().contains("panicked at"))
        });
        finding.expect(panicked.is_none(), || format!("{panicked:?} panicked"));
        if !finding.problems.is_empty() {
            let differences = table.lines().filter(|line| !line.ends_with(" ok"));
            finding.log = differences.collect::<Vec<_>>().join("\n") + "\n" + &self.platform.warnings();
        }
        Ok(())
    }
}
