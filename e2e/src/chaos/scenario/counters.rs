//! Redis forgets everything, then is put back to an old state, in the middle of a sale and with many open holds: sales close, counters are
//! rebuilt from Postgres, sales reopen, nothing is oversold.

use std::time::Duration;

use tokio::time::sleep;

use crate::chaos::finding::Finding;
use crate::chaos::lab::Lab;
use crate::chaos::load::{self, Load};
use crate::chaos::plan::{Plan, settle_soon};
use crate::chaos::verdict;
use crate::program::ProgramError;
use crate::shop;

const PEOPLE: usize = 12;
/// The holds are of so many SKUs.
const SPREAD: usize = 10;
const REOPENED_WITHIN: Duration = Duration::from_secs(6);
const REBUILT_WITHIN_MS: u64 = 5_000;
const SETTLE: Duration = Duration::from_secs(2);

/// Has it forget, and remember what is not true any more.
pub async fn run(plan: &Plan, tell: &dyn Fn(&str)) -> Result<Finding, ProgramError> {
    let mut lab = Lab::start(settle_soon).await?;
    let people = lab.sign_up(PEOPLE).await;
    hold(&lab, plan.holds).await?;
    let sku = lab.plenty().sku.clone();
    // From now on Redis knows of the holds.
    lab.redis.flush().await?;
    sleep(SETTLE).await;
    lab.recovery().await;
    let mut finding = Finding::default();
    let load = Load::start(&people, &sku);
    sleep(SETTLE).await;
    lab.redis.take_snapshot().await?;
    for fault in ["FLUSHALL", "old snapshot"] {
        sleep(SETTLE).await;
        let rebuilt = rebuilds(&lab).len();
        match fault {
            "FLUSHALL" => lab.redis.flush().await?,
            _ => lab.redis.restore_snapshot().await?,
        }
        let reopened = lab.recovery().await;
        finding.recovery = finding.recovery.max(reopened);
        finding.expect(reopened.is_some_and(|time| time < REOPENED_WITHIN), || {
            format!("{fault}: reopened after {reopened:?}")
        });
        let took = rebuilds(&lab)
            .get(rebuilt..)
            .and_then(|new| new.iter().max().copied());
        finding.figure(format!(
            "{fault}: rebuilt in {took:?} ms, sold again after {reopened:?}"
        ));
        finding.expect(took.is_some_and(|took| took <= REBUILT_WITHIN_MS), || {
            format!("{fault}: rebuilt in {took:?} ms")
        });
        tell(&finding.figures.last().cloned().unwrap_or_default());
    }
    sleep(SETTLE).await;
    let presses = load.stop().await;
    match load::repeat_refused(&people, &sku, &presses).await {
        Ok(acknowledged) => verdict::journal(&mut finding, &people, &acknowledged).await,
        Err(problem) => finding.problem(problem),
    }
    finding.done = format!(
        "FLUSHALL, then an old snapshot restored, with {} open holds",
        plan.holds
    );
    lab.close(&mut finding).await?;
    Ok(finding)
}

/// Milliseconds that each rebuilding took, as inventory has logged them.
fn rebuilds(lab: &Lab) -> Vec<u64> {
    let log = lab.platform.programs["inventory"].log();
    let lines = log.lines().filter(|line| line.contains("rebuilt from Postgres"));
    lines.filter_map(took_ms).collect()
}

/// The number after the name, whatever colours stand between.
fn took_ms(line: &str) -> Option<u64> {
    let after = line.split("took_ms").nth(1)?;
    let plain = after.split("\u{1b}[0m").last()?;
    plain.trim_start_matches('=').trim().parse().ok()
}

/// Writes open holds into Postgres as reservations have them; buying them one by one would take longer than all the rest.
async fn hold(lab: &Lab, holds: u64) -> Result<(), ProgramError> {
    let each = holds.div_ceil(SPREAD as u64);
    for variant in &lab.variants[..SPREAD] {
        shop::set_stock(&lab.merchant, variant, each + 10).await;
        let sku = &variant.sku;
        let statement = format!(
            "with held as (insert into reservation (id, customer_id, parameters, status, expires_at)
                 select gen_random_uuid(), gen_random_uuid(), md5(n::text), 'HELD', now() + interval '20 minutes'
                 from generate_series(1, {each}) n returning id),
             line as (insert into reservation_line (reservation_id, sku, quantity, limited)
                 select id, '{sku}', 1, false from held returning 1)
             update stock set held = held + (select count(*) from line) where sku = '{sku}'"
        );
        lab.postgres.sql("fondaco_inventory", &statement).await?;
    }
    Ok(())
}
