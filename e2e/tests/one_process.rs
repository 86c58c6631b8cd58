//! All stories on `fondaco up`; then a second start on the same data.

use fondaco_e2e::platform::{Mode, Platform};
use fondaco_e2e::scenario;

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

#[tokio::test(flavor = "multi_thread")]
async fn data_outlives_kill_9() {
    let mut platform = Platform::start(Mode::OneProcess).await.unwrap();
    let shopper = fondaco_e2e::shop::sign_up(&platform.client()).await;
    platform.programs.get_mut("up").unwrap().kill().await.unwrap();
    platform.start_one_process().await.unwrap();
    let again = serde_json::json!({ "input": { "email": shopper.email, "password": "x y z x y z x y z" } });
    let sign_up = "mutation S($input: SignUpInput!) { signUp(input: $input) { userErrors { code } } }";
    let answer = platform.client().query(sign_up, again).await.unwrap();
    assert_eq!(
        fondaco_e2e::shop::user_error(&answer, "signUp"),
        "EMAIL_TAKEN",
        "{}",
        answer.body
    );
}
