//! Sales while processes are killed: nothing is oversold, nobody pays twice, nothing that was acknowledged is lost, the books balance.
//!
//! - [`plan`]: how many sales, buyers, units and kills; everything random follows from a seed
//! - [`killer`]: kills and starts processes again, empties Redis now and then
//! - [`buyer`]: presses the button until there is an answer, and writes down what was acknowledged
//! - [`verdict`]: what must be true afterwards

pub mod buyer;
pub mod killer;
pub mod plan;
pub mod verdict;

use futures::StreamExt;
use futures::future::join_all;
use tokio::sync::watch;

use crate::platform::Platform;
use crate::program::ProgramError;
use crate::redis_server::RedisServer;
use crate::shop::{self, Shopper, Variant};

use buyer::Outcome;
use killer::Killer;
use plan::Plan;
use verdict::Report;

/// Runs the plan on a platform of its own; `tell` hears of every sale. What is wrong is in the report.
pub async fn run(plan: &Plan, tell: impl Fn(&str)) -> Result<Report, ProgramError> {
    let redis = RedisServer::start().await?;
    let platform = Platform::start_beside(&redis.url(), |config| plan.configure(config)).await?;
    let client = platform.client();
    let merchant = shop::merchant(&client).await;
    let buyers: Vec<Shopper> = futures::stream::iter(0..plan.buyers)
        .map(|_| shop::sign_up(&client))
        .buffer_unordered(4)
        .collect()
        .await;
    let variants = shop::variants(&client).await;
    let on_sale: Vec<&Variant> = variants.iter().filter(|variant| !variant.drop).collect();
    let mut killer = Killer::new(platform, redis, plan);
    let mut report = Report::new(plan.seed);
    for number in 0..plan.sales {
        let variant = on_sale[number % on_sale.len()];
        shop::set_stock(&merchant, variant, plan.units).await;
        let outcomes = sell(&mut killer, &buyers, variant, number).await?;
        killer.rest().await;
        verdict::sale(&mut report, plan, number, &outcomes);
        tell(&format!("sale {}/{}: {}", number + 1, plan.sales, report.line()));
    }
    killer.end_everything().await?;
    killer.rest().await;
    tell("everything was killed at once and started again");
    verdict::journal(&mut report, &buyers).await;
    verdict::repeats(&mut report, &buyers, plan, &on_sale).await;
    verdict::books(&mut report, killer.platform()).await?;
    report.kills = killer.kills();
    if !report.problems.is_empty() {
        report.log = killer.platform().warnings();
    }
    Ok(report)
}

/// All buyers at once, while processes die.
async fn sell(
    killer: &mut Killer,
    buyers: &[Shopper],
    variant: &Variant,
    number: usize,
) -> Result<Vec<Outcome>, ProgramError> {
    let (over, is_over) = watch::channel(false);
    let buying = async {
        let outcomes = join_all(
            buyers
                .iter()
                .map(|buyer| buyer::buy(buyer, &variant.sku, plan::key(number))),
        );
        let outcomes = outcomes.await;
        // The killer listens until it has heard it.
        let _ = over.send(true);
        outcomes
    };
    let (outcomes, killed) = tokio::join!(buying, killer.work(is_over));
    killed?;
    Ok(outcomes)
}
