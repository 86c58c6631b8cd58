//! A thousand people sign in at once, at the cost of hashes as deployed.

use fondaco_auth::{config::PasswordConfig, rate_limit::Limit};
use fondaco_chassis::Caller;
use futures::future::join_all;
use serde_json::json;

use crate::support::{Auth, PASSWORD, codes, error_code, random_email};

const PEOPLE: usize = 1000;
const BOUND_KIB: u64 = 1024 * 1024;

/// The most memory this process ever had, in KiB (`proc_pid_status(5)`).
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn hashing_is_bounded() {
    let auth = Auth::start_with(|config| {
        config.password = PasswordConfig::default();
        config.rate_limits.sign_in.per_account = Some(Limit::new(PEOPLE as u32, 1));
    })
    .await;
    let person = auth.person().await;
    let unknown = random_email();
    let sign_ins = (0..PEOPLE).map(|index| {
        let email = if index % 2 == 0 { &person.email } else { &unknown };
        auth.try_mutate(
            &Caller::Anonymous,
            "signIn",
            json!({ "email": email, "password": PASSWORD }),
        )
    });
    let (mut signed_in, mut refused, mut busy) = (0, 0, 0);
    for answer in join_all(sign_ins).await {
        match error_code(&answer) {
            "TEMPORARILY_UNAVAILABLE" => busy += 1,
            "" if codes(&answer["data"]["signIn"]).is_empty() => signed_in += 1,
            "" => refused += 1,
            _ => panic!("{answer}"),
        }
    }
    let peak = peak_kib();
    println!(
        "{signed_in} signed in, {refused} refused, {busy} told to come back; peak memory {} MiB",
        peak / 1024
    );
    assert_eq!(signed_in + refused + busy, PEOPLE);
    assert!(
        signed_in > 0 && refused > 0,
        "somebody is served while others wait"
    );
    assert!(peak < BOUND_KIB, "{peak} KiB");
}
