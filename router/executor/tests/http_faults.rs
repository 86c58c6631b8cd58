//! Real sockets that misbehave in every way a subgraph can: partial data is kept and the error says what happened.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are not test functions to clippy"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fondaco_executor::SubgraphErrors;
use fondaco_executor::http::{HttpConfig, HttpTransport};
use support::{executor, executor_within, prepare, root, run};

/// Serves every connection with `behave`; returns the URL.
fn serve(behave: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    let behave = Arc::new(behave);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let behave = behave.clone();
            std::thread::spawn(move || behave(stream));
        }
    });
    url
}

/// Reads one request: its head, then as many bytes as `content-length` says. `None` at the connection's end.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        (stream.read(&mut byte).ok()? == 1).then_some(())?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap().to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap()
        .parse()
        .unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(head)
}

fn answer(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn check(url: &str, code: &str, message: &str) {
    check_within(Duration::from_secs(30), url, code, message);
}

fn check_within(timeout: Duration, url: &str, code: &str, message: &str) {
    let transport = Arc::new(HttpTransport::new(&HttpConfig::default()));
    let executor = executor_within(timeout, transport, url, SubgraphErrors::Expose);
    let operation = prepare(
        support::SCHEMA,
        "{ me { id } __typename }",
        vec![root("a", "{me{id}}")],
    );
    let response = run(&executor, &operation, None);
    assert!(
        response.contains(&format!(r#""code":"{code}","service":"a""#)),
        "{response}"
    );
    assert!(response.contains(r#""path":["me"]"#), "{response}");
    assert!(response.contains(message), "{response}");
    assert!(
        response.ends_with(r#""data":{"me":null,"__typename":"Query"}}"#),
        "{response}"
    );
}

fn check_answer(raw: String, code: &str, message: &str) {
    let url = serve(move |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(raw.as_bytes());
    });
    check(&url, code, message);
}

#[test]
fn faulty_answers_are_told_apart() {
    let json = "application/json";
    let malformed = "SUBREQUEST_MALFORMED_RESPONSE";
    for (raw, code, message) in [
        (
            answer("500 Oops", "text/plain", "boom"),
            "SUBREQUEST_HTTP_ERROR",
            "HTTP status 500",
        ),
        (
            answer("503 Busy", json, "{}"),
            "SUBREQUEST_HTTP_ERROR",
            "HTTP status 503",
        ),
        (
            answer("200 OK", "text/html", "<html>"),
            "SUBREQUEST_HTTP_ERROR",
            "content type `text/html`",
        ),
        (answer("200 OK", json, "<html>"), malformed, "could not be read"),
        (answer("200 OK", json, ""), malformed, "could not be read"),
        (
            answer("200 OK", json, "{\"data\":{}}x"),
            malformed,
            "could not be read",
        ),
        (
            answer("200 OK", json, &"[".repeat(90_000)),
            malformed,
            "nested deeper",
        ),
        (
            answer("200 OK", json, "{}"),
            malformed,
            "neither `data` nor `errors`",
        ),
        (
            answer("200 OK", json, "{\"data\":7}"),
            malformed,
            "`data` is not an object",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"data\"".into(),
            "SUBREQUEST_HTTP_ERROR",
            "broke off",
        ),
        (String::new(), "SUBREQUEST_HTTP_ERROR", "broke off"),
        ("nonsense\r\n\r\n".into(), "SUBREQUEST_HTTP_ERROR", "broke off"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n{".into(),
            "SUBREQUEST_HTTP_ERROR",
            "larger than 100000 bytes",
        ),
    ] {
        check_answer(raw, code, message);
    }
}

#[test]
fn graphql_errors_count_whatever_the_status() {
    let body = r#"{"errors":[{"message":"who are you","extensions":{"code":"UNAUTHENTICATED"}}]}"#;
    check_answer(
        answer("401 Unauthorized", "application/json", body),
        "UNAUTHENTICATED",
        "who are you",
    );
    let body = r#"{"data":{"me":null},"errors":[{"message":"m","extensions":{"code":"X"}}]}"#;
    check_answer(
        answer("200 OK", "application/graphql-response+json; charset=utf-8", body),
        "X",
        "\"m\"",
    );
}

#[test]
fn bytes_that_are_not_text_are_refused() {
    let url = serve(|mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"data\":\"\xff\xfe\"}");
    });
    check(&url, "SUBREQUEST_MALFORMED_RESPONSE", "not UTF-8");
}

#[test]
fn refused_connections_are_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    drop(listener);
    check(&url, "SUBREQUEST_HTTP_ERROR", "could not be reached");
}

#[test]
fn an_answer_without_end_is_cut_off_at_the_limit() {
    let url = serve(|mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        while stream.write_all(b"10\r\n[[[[[[[[[[[[[[[[\r\n").is_ok() {}
    });
    check(&url, "SUBREQUEST_HTTP_ERROR", "larger than 100000 bytes");
}

#[test]
fn silence_and_dripping_end_at_the_time_limit() {
    let limit = Duration::from_millis(700);
    let silent = serve(|_stream| std::thread::sleep(Duration::from_secs(60)));
    check_within(limit, &silent, "REQUEST_TIMEOUT", "within 700 ms");
    let dripping = serve(|mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 50000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    check_within(limit, &dripping, "REQUEST_TIMEOUT", "within 700 ms");
}

#[test]
fn connections_are_kept_and_requests_say_what_they_are() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let url = serve(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        while let Some(head) = read_request(&mut stream) {
            assert!(head.starts_with("post /graphql http/1.1"), "{head}");
            assert!(head.contains("content-type: application/json"), "{head}");
            assert!(
                head.contains("accept: application/graphql-response+json"),
                "{head}"
            );
            let body = r#"{"data":{"me":{"id":"1"}}}"#;
            stream
                .write_all(answer("200 OK", "application/json", body).as_bytes())
                .unwrap();
        }
    });
    let transport = Arc::new(HttpTransport::new(&HttpConfig::default()));
    let executor = executor(transport, &url, SubgraphErrors::Expose);
    let mut second = root("b", "{me{id}}");
    second.depends_on = vec![fondaco_planner::query_plan::FetchId(0)];
    let operation = prepare(
        support::SCHEMA,
        "{ me { id } }",
        vec![root("a", "{me{id}}"), second],
    );
    assert_eq!(run(&executor, &operation, None), r#"{"data":{"me":{"id":"1"}}}"#);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
