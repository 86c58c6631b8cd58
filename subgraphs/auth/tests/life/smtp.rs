//! Mail through a real SMTP conversation with a server that listens on a socket.

use std::{
    io,
    net::{IpAddr, TcpListener},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use fondaco_auth::{
    config::{MailConfig, Secret},
    email::Email,
    mail::{Letter, Mailer},
};
use fondaco_chassis::{Tasks, testing::TestRuntime};
use mailin_embedded::{Handler, Response, Server, SslConfig, response};

/// A mail as the server took it: sender, recipients, content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Taken {
    from: String,
    to: Vec<String>,
    content: String,
}

#[derive(Clone, Default)]
struct Mailbox {
    current: Taken,
    refusals: Arc<Mutex<u32>>,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Handler for Mailbox {
    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> Response {
        // Grey-listing: come back later.
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return response::INTERNAL_ERROR;
        }
        self.current = Taken {
            from: from.to_owned(),
            ..Taken::default()
        };
        response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        if to.starts_with("nobody@") {
            return response::NO_MAILBOX;
        }
        self.current.to.push(to.to_owned());
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.current.content.push_str(&String::from_utf8_lossy(line));
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.taken.lock().unwrap().push(self.current.clone());
        response::OK
    }
}

/// Starts a server and gives its port.
fn serve(mailbox: &Mailbox) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut server = Server::new(mailbox.clone());
    server.with_name("mail.example.com").with_tcp_listener(listener);
    server.with_ssl(SslConfig::None).unwrap();
    std::thread::spawn(move || server.serve().unwrap());
    port
}

fn mailer(test: &TestRuntime, url: &str) -> Mailer {
    let config = MailConfig {
        from: "Shop <shop@example.com>".to_owned(),
        smtp_url: Some(Secret::from(url)),
        outbox: None,
    };
    Mailer::new(&config, Tasks::new(&test.runtime)).unwrap()
}

async fn wait_for(mailbox: &Mailbox, limit: Duration) -> Option<Taken> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if let Some(taken) = mailbox.taken.lock().unwrap().first() {
            return Some(taken.clone());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

fn letter() -> Letter {
    Letter::VerifyEmail {
        code: "123456".to_owned(),
    }
}

#[tokio::test]
async fn a_mail_arrives() {
    let (test, mailbox) = (TestRuntime::new(), Mailbox::default());
    let port = serve(&mailbox);
    let to = Email::parse("ada@example.com").unwrap();
    mailer(&test, &format!("smtp://127.0.0.1:{port}")).post(&to, letter());
    let taken = wait_for(&mailbox, Duration::from_secs(20)).await.unwrap();
    assert_eq!(
        (&*taken.from, &*taken.to),
        ("shop@example.com", &["ada@example.com".to_owned()][..])
    );
    for part in [
        "From: Shop <shop@example.com>",
        "To: ada@example.com",
        "Subject: Your code",
        "    123456",
    ] {
        assert!(taken.content.contains(part), "{part}: {}", taken.content);
    }
}

#[tokio::test]
async fn a_server_that_says_later_is_asked_again() {
    let (test, mailbox) = (TestRuntime::new(), Mailbox::default());
    *mailbox.refusals.lock().unwrap() = 1;
    let port = serve(&mailbox);
    let to = Email::parse("ada@example.com").unwrap();
    mailer(&test, &format!("smtp://127.0.0.1:{port}")).post(&to, letter());
    assert!(wait_for(&mailbox, Duration::from_secs(20)).await.is_some());
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again() {
    let (test, mailbox) = (TestRuntime::new(), Mailbox::default());
    let port = serve(&mailbox);
    let mailer = mailer(&test, &format!("smtp://127.0.0.1:{port}"));
    mailer.post(&Email::parse("nobody@example.com").unwrap(), letter());
    assert_eq!(wait_for(&mailbox, Duration::from_secs(3)).await, None);
    mailer.post(&Email::parse("ada@example.com").unwrap(), letter());
    let taken = wait_for(&mailbox, Duration::from_secs(20)).await.unwrap();
    assert_eq!(taken.to, ["ada@example.com"]);
}

#[test]
fn a_wrong_url_is_named_without_its_password() {
    let test = TestRuntime::new();
    let config = MailConfig {
        smtp_url: Some(Secret::from("smpt://shop:s3cr3t@mail")),
        ..MailConfig::default()
    };
    let error = Mailer::new(&config, Tasks::new(&test.runtime))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("auth.mail.smtp_url") && !error.contains("s3cr3t"),
        "{error}"
    );
}
