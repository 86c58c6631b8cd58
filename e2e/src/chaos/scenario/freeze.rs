//! Redis, then Postgres, stands still: its connections stay open and nothing is answered. Whoever asks is told so within two seconds, memory
//! stays bounded, and soon after it goes on everything is as fast as before.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::sleep;

use crate::chaos::finding::Finding;
use crate::chaos::lab::Lab;
use crate::chaos::load::{self, Load, Press};
use crate::chaos::plan::{Plan, settle_soon};
use crate::chaos::verdict;
use crate::program::ProgramError;

const PEOPLE: usize = 16;
const WARM_UP: Duration = Duration::from_secs(2);
const BEFORE: Duration = Duration::from_secs(3);
/// An answer comes within it, whatever stands still.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
/// Throughput is back within it.
const BACK_WITHIN: Duration = Duration::from_secs(10);
const WINDOW: Duration = Duration::from_secs(2);
/// Of the throughput before.
const BACK: f64 = 0.9;
/// All parts together may grow by this while a server stands still.
const GROWTH_BYTES: u64 = 200 << 20;

/// What stands still.
#[derive(Clone, Copy, Debug)]
enum Server {
    Redis,
    Postgres,
}

/// Stops one, then the other, under load.
pub async fn run(plan: &Plan, tell: &dyn Fn(&str)) -> Result<Finding, ProgramError> {
    let lab = Lab::start(settle_soon).await?;
    let people = lab.sign_up(PEOPLE).await;
    let sku = lab.plenty().sku.clone();
    let mut finding = Finding::default();
    let load = Load::start(&people, &sku);
    sleep(WARM_UP).await;
    let mut stops = Vec::new();
    for server in [Server::Redis, Server::Postgres] {
        let stop = stand_still(&lab, &load, server, plan.outage, &mut finding).await;
        tell(&finding.figures.last().cloned().unwrap_or_default());
        stops.push(stop);
    }
    let presses = load.stop().await;
    for (server, from, to) in stops {
        answered_in_time(&mut finding, server, from, to, &presses);
    }
    match load::repeat_refused(&people, &sku, &presses).await {
        Ok(acknowledged) => verdict::journal(&mut finding, &people, &acknowledged).await,
        Err(problem) => finding.problem(problem),
    }
    finding.done = format!(
        "SIGSTOP of Redis, then Postgres, {} s each, under the load of {PEOPLE} buyers",
        plan.outage.as_secs()
    );
    lab.close(&mut finding).await?;
    Ok(finding)
}

/// Gives the time in which nothing was answered.
async fn stand_still(
    lab: &Lab,
    load: &Load,
    server: Server,
    outage: Duration,
    finding: &mut Finding,
) -> (Server, Duration, Duration) {
    let began = load.now();
    sleep(BEFORE).await;
    let (before, memory) = (load.rate(began, load.now()), lab.resident_bytes());
    let stopped = load.now();
    match server {
        Server::Redis => lab.redis.freeze(),
        Server::Postgres => lab.postgres.freeze(),
    }
    sleep(outage).await;
    let grown = lab.resident_bytes().saturating_sub(memory);
    match server {
        Server::Redis => lab.redis.thaw(),
        Server::Postgres => lab.postgres.thaw(),
    }
    let went_on = load.now();
    let back = time_until_back(load, before, went_on).await;
    finding.recovery = finding.recovery.max(back);
    let told = back.map_or("not back".to_owned(), |back| {
        format!("back after {:.1} s", back.as_secs_f64())
    });
    finding.figure(format!(
        "{server:?}: {before:.0} purchases/s before, {told}, memory +{} MB",
        grown >> 20
    ));
    finding.expect(back.is_some(), || {
        let after = load.rate(went_on, load.now());
        format!(
            "{server:?}: {before:.0} purchases/s before, {after:.0} in the {} s after",
            BACK_WITHIN.as_secs()
        )
    });
    finding.expect(grown < GROWTH_BYTES, || {
        format!("{server:?}: memory grew by {} MB", grown >> 20)
    });
    (server, stopped, went_on)
}

/// How long after `went_on` the throughput began to be as it was.
async fn time_until_back(load: &Load, before: f64, went_on: Duration) -> Option<Duration> {
    let mut from = went_on;
    while from <= went_on + BACK_WITHIN {
        sleep((from + WINDOW).saturating_sub(load.now())).await;
        if load.rate(from, from + WINDOW) >= BACK * before {
            return Some(from - went_on);
        }
        from += Duration::from_millis(500);
    }
    None
}

fn answered_in_time(finding: &mut Finding, server: Server, from: Duration, to: Duration, presses: &[Press]) {
    let (mut slowest, mut codes) = (Duration::ZERO, BTreeMap::<&str, usize>::new());
    // What is asked in the last seconds of it may be answered by a server that goes on.
    let during = |press: &&Press| press.at + press.took > from && press.at + ANSWERED_WITHIN < to;
    for press in presses.iter().filter(during) {
        slowest = slowest.max(press.took.min(press.at + press.took - from));
        if let Err(code) = &press.ended {
            *codes.entry(code).or_default() += 1;
        }
    }
    finding.figure(format!(
        "{server:?}: slowest refusal {:.2} s, {codes:?}",
        slowest.as_secs_f64()
    ));
    finding.expect(slowest <= ANSWERED_WITHIN, || {
        format!("{server:?}: an answer took {:.2} s", slowest.as_secs_f64())
    });
    finding.expect(
        codes.keys().all(|code| *code == "TEMPORARILY_UNAVAILABLE"),
        || format!("{server:?}: {codes:?}"),
    );
    finding.expect(!codes.is_empty(), || format!("{server:?}: nobody was refused"));
}
