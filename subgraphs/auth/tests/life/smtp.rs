//! Mail to a real SMTP server, a program of its own: in clear, through STARTTLS, through TLS from the first byte, with and without AUTH.

use std::{
    io::{BufRead, BufReader, Lines},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use fondaco_auth::{
    config::{MailConfig, Secret},
    email::Email,
    mail::{InvalidMailConfig, Letter, Mailer},
};
use fondaco_chassis::{Tasks, testing::TestRuntime};
use serde_json::{Value, json};
use uuid::Uuid;

/// Long enough for a server on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// What must not arrive has had time to by then.
const SILENCE: Duration = Duration::from_secs(3);

/// A running server and what it has reported.
struct Server {
    program: Child,
    port: u64,
    ca_file: PathBuf,
    reports: Arc<Mutex<Vec<Value>>>,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let ca_file = std::env::temp_dir().join(format!("fondaco-smtp-{}.pem", Uuid::new_v4().simple()));
        let mut command = Command::new(python());
        command
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/smtp-server/server.py"
            ))
            .args(arguments);
        if arguments.contains(&"--tls") {
            command.arg("--ca-file").arg(&ca_file);
        }
        // It ends with the pipe, so with this process, whatever becomes of that.
        let mut program = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        let reports = Arc::<Mutex<Vec<Value>>>::default();
        let server = Self {
            program,
            port: first["port"].as_u64().unwrap(),
            ca_file,
            reports: Arc::clone(&reports),
        };
        std::thread::spawn(move || collect(lines, &reports));
        server
    }

    fn reports(&self) -> Vec<Value> {
        self.reports.lock().unwrap().clone()
    }

    /// The mails it took; waits for the first.
    async fn mails(&self, patience: Duration) -> Vec<Value> {
        let deadline = Instant::now() + patience;
        loop {
            let mut mails = self.reports();
            mails.retain(|report| report.get("content").is_some());
            if !mails.is_empty() || Instant::now() > deadline {
                return mails;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
        let _ = std::fs::remove_file(&self.ca_file);
    }
}

fn collect(lines: Lines<BufReader<ChildStdout>>, reports: &Mutex<Vec<Value>>) {
    for line in lines.map_while(Result::ok) {
        reports.lock().unwrap().push(serde_json::from_str(&line).unwrap());
    }
}

/// The interpreter beside which `./dev test` has installed the server.
fn python() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
    let python = cache.join("fondaco/smtp-server/bin/python");
    assert!(python.exists(), "no {}: ./dev test installs it", python.display());
    python
}

fn config(url: &str) -> MailConfig {
    MailConfig {
        from: "Shop <shop@example.com>".to_owned(),
        smtp_url: Some(Secret::from(url)),
        ..MailConfig::default()
    }
}

/// Posts a letter to `to` the way `config` says.
fn post(test: &TestRuntime, config: &MailConfig, to: &str) {
    let mailer = Mailer::new(config, Tasks::new(&test.runtime)).unwrap();
    let letter = Letter::VerifyEmail {
        code: "123456".to_owned(),
    };
    mailer.post(&Email::parse(to).unwrap(), letter);
}

#[tokio::test]
async fn a_mail_arrives() {
    let (test, server) = (TestRuntime::new(), Server::start(&[]));
    post(
        &test,
        &config(&format!("smtp://localhost:{}", server.port)),
        "ada@example.com",
    );
    let mail = server.mails(PATIENCE).await.pop().unwrap();
    assert_eq!(
        (&mail["sender"], &mail["recipients"], &mail["encrypted"]),
        (
            &json!("shop@example.com"),
            &json!(["ada@example.com"]),
            &json!(false)
        )
    );
    let content = mail["content"].as_str().unwrap();
    for part in [
        "From: Shop <shop@example.com>",
        "To: ada@example.com",
        "Subject: Your code",
        "    123456",
    ] {
        assert!(content.contains(part), "{part}: {content}");
    }
}

#[tokio::test]
async fn the_password_is_shown_through_tls_only_and_opens_the_server() {
    for (tls, scheme, query) in [("starttls", "smtp", "?tls=required"), ("implicit", "smtps", "")] {
        let test = TestRuntime::new();
        let server = Server::start(&[
            "--tls",
            tls,
            "--user",
            "shop@example.com",
            "--password",
            "s3 cr/t",
        ]);
        let config = MailConfig {
            ca_file: Some(server.ca_file.clone()),
            ..config(&format!(
                "{scheme}://shop%40example.com:s3%20cr%2Ft@localhost:{}{query}",
                server.port
            ))
        };
        post(&test, &config, "ada@example.com");
        let mail = server.mails(PATIENCE).await.pop().unwrap();
        assert_eq!(
            (&mail["encrypted"], &mail["user"]),
            (&json!(true), &json!("shop@example.com")),
            "{tls}"
        );
        let shown = json!({ "password_shown": true, "right": true, "encrypted": true });
        assert_eq!(server.reports()[0], shown, "{tls}");
    }
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_vouches_for_is_shown_nothing() {
    for (tls, scheme, query) in [("starttls", "smtp", "?tls=required"), ("implicit", "smtps", "")] {
        let test = TestRuntime::new();
        let server = Server::start(&["--tls", tls, "--user", "shop", "--password", "s3cr3t"]);
        let url = format!("{scheme}://shop:s3cr3t@localhost:{}{query}", server.port);
        post(&test, &config(&url), "ada@example.com");
        tokio::time::sleep(SILENCE).await;
        assert_eq!(server.reports(), [] as [Value; 0], "{tls}");
        // Nor one whose certificate names another host.
        let named_otherwise = MailConfig {
            ca_file: Some(server.ca_file.clone()),
            ..config(&url.replace("localhost", "127.0.0.1"))
        };
        post(&test, &named_otherwise, "ada@example.com");
        tokio::time::sleep(SILENCE).await;
        assert_eq!(server.reports(), [] as [Value; 0], "{tls}");
    }
}

#[tokio::test]
async fn an_offer_of_tls_that_somebody_took_out_is_missed() {
    let (test, server) = (TestRuntime::new(), Server::start(&[]));
    let url = format!("smtp://shop:s3cr3t@localhost:{}?tls=required", server.port);
    post(&test, &config(&url), "ada@example.com");
    assert!(server.mails(SILENCE).await.is_empty());
    assert_eq!(server.reports(), [] as [Value; 0]);
}

#[tokio::test]
async fn a_wrong_password_is_shown_once() {
    let test = TestRuntime::new();
    let server = Server::start(&["--tls", "starttls", "--user", "shop", "--password", "right"]);
    let url = format!("smtp://shop:wrong@localhost:{}?tls=required", server.port);
    let config = MailConfig {
        ca_file: Some(server.ca_file.clone()),
        ..config(&url)
    };
    post(&test, &config, "ada@example.com");
    tokio::time::sleep(SILENCE).await;
    let shown = json!({ "password_shown": true, "right": false, "encrypted": true });
    assert!(
        server.reports().iter().all(|report| *report == shown),
        "{:?}",
        server.reports()
    );
    // Once by each mechanism that the server offers: not once more after a pause.
    assert!(
        (1..=2).contains(&server.reports().len()),
        "{:?}",
        server.reports()
    );
}

#[tokio::test]
async fn a_server_that_says_later_is_asked_again() {
    let (test, server) = (TestRuntime::new(), Server::start(&["--busy", "1"]));
    post(
        &test,
        &config(&format!("smtp://localhost:{}", server.port)),
        "ada@example.com",
    );
    assert_eq!(server.mails(PATIENCE).await.len(), 1);
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again() {
    let (test, server) = (TestRuntime::new(), Server::start(&[]));
    let config = config(&format!("smtp://localhost:{}", server.port));
    post(&test, &config, "nobody@example.com");
    assert!(server.mails(SILENCE).await.is_empty());
    post(&test, &config, "ada@example.com");
    let mails = server.mails(PATIENCE).await;
    assert_eq!(mails[0]["recipients"], json!(["ada@example.com"]));
}

#[tokio::test]
async fn settings_that_cannot_work_are_named_without_the_password() {
    let test = TestRuntime::new();
    let no_ca = || Some(PathBuf::from("/nonexistent/ca.pem"));
    let check = |url: &str, ca_file: Option<PathBuf>, named: &str| {
        let config = MailConfig {
            ca_file,
            ..config(url)
        };
        let error: InvalidMailConfig = Mailer::new(&config, Tasks::new(&test.runtime)).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(named) && !error.contains("s3cr3t"),
            "{url}: {error}"
        );
    };
    check("smpt://shop:s3cr3t@mail", None, "auth.mail.smtp_url is not a URL");
    check("smtp://shop:s3cr3t@mail", None, "tls=required");
    check("smtp://shop:s3cr3t@mail?tls=opportunistic", None, "tls=required");
    check(
        "smtp://shop:s3cr3t@mail?tls=maybe",
        None,
        "auth.mail.smtp_url is not a URL",
    );
    check("smtps://shop:s3cr3t@mail", no_ca(), "auth.mail.ca_file");
    check("smtp://mail", no_ca(), "auth.mail.ca_file");
    let empty = std::env::temp_dir().join(format!("fondaco-empty-{}.pem", Uuid::new_v4().simple()));
    std::fs::write(&empty, "nothing here").unwrap();
    check(
        "smtps://shop:s3cr3t@mail",
        Some(empty.clone()),
        "auth.mail.ca_file",
    );
    std::fs::remove_file(empty).unwrap();
}
