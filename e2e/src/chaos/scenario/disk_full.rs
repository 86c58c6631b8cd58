//! The disk of Redis' append-only file, then that of Postgres and its log, is full: nothing is acknowledged that is not kept, and once there
//! is room again everything goes on by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::sleep;

use crate::chaos::finding::Finding;
use crate::chaos::lab::Lab;
use crate::chaos::load::{self, Load, Press};
use crate::chaos::plan::{Plan, settle_soon};
use crate::chaos::verdict;
use crate::disk::Disk;
use crate::postgres_server::PostgresServer;
use crate::program::ProgramError;
use crate::redis_server::RedisServer;

const PEOPLE: usize = 8;
const POSTGRES_MEGABYTES: u32 = 220;
const REDIS_MEGABYTES: u32 = 24;
const WARM_UP: Duration = Duration::from_secs(2);
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);
/// Segments of the log are reused, so that it takes no more room than this.
const SMALL_LOG: [&str; 3] = ["max_wal_size=64MB", "min_wal_size=32MB", "wal_init_zero=off"];

/// Fills one disk, then the other, under load.
pub async fn run(plan: &Plan, tell: &dyn Fn(&str)) -> Result<Finding, ProgramError> {
    let (of_postgres, of_redis) = (Disk::mount(POSTGRES_MEGABYTES)?, Disk::mount(REDIS_MEGABYTES)?);
    let postgres = PostgresServer::start_in(&of_postgres.folder("postgres")?, &SMALL_LOG).await?;
    let redis = RedisServer::start_in(&of_redis.folder("redis")?).await?;
    let mut lab = Lab::beside(postgres, redis, settle_soon).await?;
    let people = lab.sign_up(PEOPLE).await;
    let sku = lab.plenty().sku.clone();
    let mut finding = Finding::default();
    let load = Load::start(&people, &sku);
    let mut full = Vec::new();
    for (name, disk) in [("Redis", &of_redis), ("Postgres", &of_postgres)] {
        sleep(WARM_UP).await;
        let from = load.now();
        disk.fill()?;
        // Postgres still has room in its segments for a while.
        sleep(plan.outage).await;
        let ended = supervise(&mut lab, disk).await?;
        full.push((name, from, load.now()));
        let recovery = lab.recovery().await;
        finding.recovery = finding.recovery.max(recovery);
        finding.expect(recovery.is_some_and(|time| time <= RECOVERED_WITHIN), || {
            format!("{name}: recovered after {recovery:?}")
        });
        finding.figure(format!(
            "{name}: {}sold again after {recovery:?}",
            if ended { "the server ended, " } else { "" }
        ));
        tell(&finding.figures.last().cloned().unwrap_or_default());
    }
    let presses = load.stop().await;
    for (name, from, to) in full {
        refusals(&mut finding, name, from, to, &presses);
    }
    match load::repeat_refused(&people, &sku, &presses).await {
        Ok(acknowledged) => verdict::journal(&mut finding, &people, &acknowledged).await,
        Err(problem) => finding.problem(problem),
    }
    finding.done = format!(
        "disks of {REDIS_MEGABYTES} MB (Redis) and {POSTGRES_MEGABYTES} MB (Postgres) full for {} s each, under load",
        plan.outage.as_secs()
    );
    lab.close(&mut finding).await?;
    Ok(finding)
}

/// Makes room, and starts a server that has ended for want of it, as a supervisor does. Whether there was one.
async fn supervise(lab: &mut Lab, disk: &Disk) -> Result<bool, ProgramError> {
    disk.free()?;
    let ended = lab.postgres.has_ended();
    if ended {
        lab.postgres.start_again().await?;
    }
    Ok(ended)
}

fn refusals(finding: &mut Finding, name: &str, from: Duration, to: Duration, presses: &[Press]) {
    let mut codes = BTreeMap::<&str, usize>::new();
    for press in presses.iter().filter(|press| press.at >= from && press.at < to) {
        if let Err(code) = &press.ended {
            *codes.entry(code).or_default() += 1;
        }
    }
    finding.figure(format!("{name}: {codes:?}"));
    // A charge whose answer is lost is PAYMENT_PENDING, and settled later.
    let known = ["TEMPORARILY_UNAVAILABLE", "PAYMENT_PENDING"];
    finding.expect(codes.keys().all(|code| known.contains(code)), || {
        format!("{name}: {codes:?}")
    });
    finding.expect(!codes.is_empty(), || format!("{name}: nobody was refused"));
}
