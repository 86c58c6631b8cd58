//! However much is logged, no password, token or code is.

use fondaco_e2e::platform::{Mode, Platform};
use fondaco_e2e::{scenario, shop};

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged() {
    let platform = Platform::start_logging(Mode::Separate, "debug").await.unwrap();
    let mut secrets = scenario::account::run(&platform).await;
    let shopper = shop::sign_up(&platform.client()).await;
    secrets.extend([shopper.token.clone(), "correct horse battery staple".to_owned()]);
    let variants = shop::variants(&platform.client()).await;
    let variant = variants.iter().find(|variant| variant.available > 0).unwrap();
    shop::buy_one(&shopper, &variant.sku).await.expect_data();

    let logs = platform.logs();
    for part in ["router", "auth", "order"] {
        let log = platform.programs[part].log();
        assert!(log.contains("DEBUG"), "{part} logs in detail:\n{log}");
    }
    assert!(secrets.len() > 10, "{}", secrets.len());
    let leaks: Vec<&str> = logs
        .lines()
        .filter(|line| secrets.iter().any(|secret| shows(line, secret)))
        .collect();
    assert!(
        leaks.is_empty(),
        "{} lines leak:\n{}",
        leaks.len(),
        leaks.join("\n")
    );
}

/// Six digits are also part of any timestamp: a code counts where it stands alone.
fn shows(line: &str, secret: &str) -> bool {
    let is_code = secret.bytes().all(|byte| byte.is_ascii_digit());
    let stands_alone = |start: usize| {
        let before = line[..start].chars().next_back();
        let after = line[start + secret.len()..].chars().next();
        let joins = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '.');
        !joins(before) && !joins(after)
    };
    line.match_indices(secret)
        .any(|(start, _)| !is_code || stands_alone(start))
}

#[test]
fn codes_are_told_from_timestamps() {
    assert!(!shows("10:18:15.123456Z DEBUG", "123456"));
    assert!(!shows("id=a123456b", "123456"));
    assert!(shows(r#"{"code":"123456"}"#, "123456") && shows("code 123456", "123456"));
    assert!(shows("x=correct horse battery!", "correct horse battery"));
}
