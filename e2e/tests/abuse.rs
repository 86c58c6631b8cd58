//! The abuse matrix: every attack fails safely.

use fondaco_e2e::abuse::lab::Lab;
use fondaco_e2e::abuse::{Matrix, accounts, direct_calls, escalation, oauth, other_users, tokens};

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_fails_safely() {
    let lab = Lab::start().await;
    let mut matrix = Matrix::default();
    tokens::run(&lab, &mut matrix).await;
    direct_calls::run(&lab, &mut matrix).await;
    escalation::run(&lab, &mut matrix).await;
    other_users::run(&lab, &mut matrix).await;
    oauth::run(&lab, &mut matrix).await;
    accounts::run(&lab, &mut matrix).await;
    println!("{}", matrix.report());
    assert!(matrix.len() > 290, "{}", matrix.report());
    assert_eq!(matrix.breaches(), 0, "{}", matrix.report());
    assert!(
        !lab.platform.logs().contains("panicked at"),
        "{}",
        lab.platform.logs()
    );
}
