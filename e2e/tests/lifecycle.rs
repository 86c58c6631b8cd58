//! Starting, stopping and starting again: no process and no file stays that should not, and no data goes.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use std::path::Path;
use std::time::{Duration, Instant};

use fondaco_e2e::platform::{Mode, Platform};
use fondaco_e2e::program::{self, Program};
use fondaco_e2e::scratch::Scratch;
use fondaco_e2e::shop;
use nix::sys::signal::Signal;
use serde_json::json;

/// Ids of the processes that work in `folder`, as the servers do.
fn processes_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let works_in = std::fs::read_link(entry.path().join("cwd"));
        if works_in.is_ok_and(|works_in| works_in.starts_with(folder)) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

async fn expect_no_process_in(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !processes_in(folder).is_empty() {
        assert!(
            Instant::now() < deadline,
            "still running: {:?}",
            processes_in(folder)
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Code of the user error of a second sign-up with the shopper's address.
async fn sign_up_again(platform: &Platform, email: &str) -> String {
    let input = json!({ "input": { "email": email, "password": "another horse, another battery" } });
    let sign_up = "mutation S($input: SignUpInput!) { signUp(input: $input) { userErrors { code } } }";
    let answer = platform.client().query(sign_up, input).await.unwrap();
    answer.expect_data();
    shop::user_error(&answer, "signUp").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_every_child_and_data_stays_until_reset() {
    let mut platform = Platform::start(Mode::OneProcess).await.unwrap();
    let data = platform.data_folder();
    assert!(
        processes_in(&data).len() >= 4,
        "Postgres and Redis below their shells"
    );
    let shopper = shop::sign_up(&platform.client()).await;

    // Ctrl-C: when the launcher has ended, so have its children.
    assert_eq!(
        platform.stop().await.unwrap(),
        Vec::<String>::new(),
        "{}",
        platform.logs()
    );
    assert_eq!(processes_in(&data), Vec::<String>::new());
    platform.start_one_process().await.unwrap();
    assert_eq!(sign_up_again(&platform, &shopper.email).await, "EMAIL_TAKEN");

    // kill -9: they end by themselves, and even a start at once is not in their way.
    platform.programs.get_mut("up").unwrap().kill().await.unwrap();
    platform.start_one_process().await.unwrap();
    assert_eq!(sign_up_again(&platform, &shopper.email).await, "EMAIL_TAKEN");
    platform.programs.get_mut("up").unwrap().kill().await.unwrap();
    expect_no_process_in(&data).await;

    // In use, the data cannot be dropped; afterwards it can.
    platform.start_one_process().await.unwrap();
    let folder = data.to_string_lossy().into_owned();
    let refused = program::run(&["reset", "--data", &folder]).await.unwrap();
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && message.contains("in use"),
        "{message}"
    );
    platform.stop().await.unwrap();
    let reset = program::run(&["reset", "--data", &folder]).await.unwrap();
    assert!(reset.status.success(), "{reset:?}");
    assert!(!data.exists());
    platform.start_one_process().await.unwrap();
    assert_eq!(sign_up_again(&platform, &shopper.email).await, "");
    assert_eq!(platform.stop().await.unwrap(), Vec::<String>::new());
}

/// Runs `fondaco servers` with a temporary folder of its own, ends it by `end`, and tells what is left there.
async fn left_by_servers(script: &str, end: Option<Signal>) -> (Option<i32>, Vec<String>) {
    let (folder, temporary) = (Scratch::new("servers").unwrap(), Scratch::new("tmp").unwrap());
    let tmp = temporary.path().to_string_lossy().into_owned();
    let environment = [("TMPDIR", &*tmp)];
    let args = ["servers", "--", "sh", "-c", script];
    let mut program = Program::start("servers", folder.path(), &args, &environment).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !program.log().contains("running") {
        assert!(Instant::now() < deadline, "{}", program.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    if let Some(signal) = end {
        program.signal(signal);
    }
    let ended = program.wait(Duration::from_secs(30)).await.unwrap();
    expect_no_process_in(temporary.path()).await;
    let left = std::fs::read_dir(temporary.path()).unwrap().flatten();
    let left = left.map(|entry| entry.file_name().to_string_lossy().into_owned());
    (ended.and_then(|status| status.code()), left.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_leave_nothing_behind() {
    let nothing = Vec::<String>::new();
    let check = "test -n \"$DATABASE_URL\" && test -n \"$REDIS_URL\" && echo running";
    assert_eq!(left_by_servers(check, None).await, (Some(0), nothing.clone()));
    let failing = "echo running; exit 7";
    assert_eq!(left_by_servers(failing, None).await, (Some(7), nothing.clone()));
    // The command gets the signal passed on; its end is the end of all.
    let waiting = "echo running; exec sleep 600";
    let terminated = left_by_servers(waiting, Some(Signal::SIGTERM)).await;
    assert_eq!(terminated, (Some(128 + 15), nothing));
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_clear_away_what_a_killed_one_left() {
    let (folder, temporary) = (Scratch::new("servers").unwrap(), Scratch::new("tmp").unwrap());
    let tmp = temporary.path().to_string_lossy().into_owned();
    let environment = [("TMPDIR", &*tmp)];
    let start = |name: &str, script: &str| {
        let args = ["servers", "--", "sh", "-c", script];
        Program::start(name, folder.path(), &args, &environment).unwrap()
    };
    let mut killed = start("killed", "echo running; exec sleep 5");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !killed.log().contains("running") {
        assert!(Instant::now() < deadline, "{}", killed.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    killed.kill().await.unwrap();
    expect_no_process_in(temporary.path()).await;
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 1);
    let mut next = start("next", "true");
    let ended = next.wait(Duration::from_secs(60)).await.unwrap();
    assert!(ended.is_some_and(|status| status.success()), "{}", next.log());
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
