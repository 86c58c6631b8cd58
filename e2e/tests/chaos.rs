//! The short version of `./dev chaos`.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use std::time::Duration;

use fondaco_e2e::chaos::{self, plan::Plan};

#[tokio::test(flavor = "multi_thread")]
async fn sales_are_exact_while_processes_die() {
    let plan = Plan {
        seed: 7,
        sales: 2,
        buyers: 30,
        units: 8,
        every: Duration::from_millis(1_200),
    };
    let report = chaos::run(&plan, |line| println!("{line}")).await.unwrap();
    assert!(
        report.problems.is_empty(),
        "{:#?}\n{}\n{}",
        report.problems,
        report.books,
        report.log
    );
    assert!(report.sold_out > 0, "{}", report.line());
    println!("{}, killed {:?}", report.line(), report.kills);
}
