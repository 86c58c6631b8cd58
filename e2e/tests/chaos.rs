//! The short versions of `./dev chaos`.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use fondaco_e2e::chaos::finding::Finding;
use fondaco_e2e::chaos::plan::Plan;
use fondaco_e2e::chaos::scenario::Scenario;

const SEED: u64 = 7;

async fn happens(scenario: Scenario) -> Finding {
    let finding = scenario
        .run(&Plan::short(SEED), &|line| println!("{line}"))
        .await
        .unwrap();
    assert!(
        finding.problems.is_empty(),
        "{:#?}\n{}",
        finding.problems,
        finding.log
    );
    println!("{:?}", finding.cells());
    finding
}

#[tokio::test(flavor = "multi_thread")]
async fn any_process_may_die_during_a_sale() {
    let finding = happens(Scenario::Kills).await;
    assert_eq!(finding.sold + finding.lost_stock as u64, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_survives_the_end_of_everything() {
    let finding = happens(Scenario::Journal).await;
    assert!(finding.acknowledged >= 120, "{finding:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_forget_or_remember_wrongly() {
    happens(Scenario::Counters).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_outlive_broker_and_carriers() {
    happens(Scenario::Broker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_may_stand_still() {
    happens(Scenario::Freeze).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_thrice_has_one_effect() {
    happens(Scenario::Repeats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_replies_and_doubled_webhooks_move_no_money_twice() {
    let finding = happens(Scenario::Provider).await;
    assert_eq!(finding.acknowledged, 60, "{finding:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_may_be_wrong() {
    happens(Scenario::Clock).await;
}
