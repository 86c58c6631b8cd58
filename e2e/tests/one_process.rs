//! All stories on `fondaco up`; what its logs hold.

use fondaco_e2e::platform::{Mode, Platform};
use fondaco_e2e::{logs, scenario};

#[tokio::test(flavor = "multi_thread")]
async fn stories() {
    let mut platform = Platform::start(Mode::OneProcess).await.unwrap();
    scenario::all(&platform).await;
    assert_eq!(
        platform.stop().await.unwrap(),
        Vec::<String>::new(),
        "{}",
        platform.logs()
    );
}

/// At this level every statement and every call between the parts shows.
#[tokio::test(flavor = "multi_thread")]
async fn logs_hold_no_secrets_and_no_personal_data() {
    for mode in [Mode::OneProcess, Mode::Separate] {
        let platform = Platform::start_logging(mode, "debug").await.unwrap();
        scenario::journey::run(&platform).await;
        let offences = logs::offences(&platform, &[]);
        assert!(offences.is_empty(), "{mode:?}: {}", offences.join("\n"));
        assert!(platform.logs().contains("DEBUG"), "{}", platform.logs());
    }
}
