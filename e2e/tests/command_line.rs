//! What the binary says where it cannot do what was asked: a clear error, a failing exit code, no panic.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use fondaco_e2e::platform::SUBGRAPHS;
use fondaco_e2e::port::free_address;
use fondaco_e2e::program;
use fondaco_e2e::scratch::Scratch;

async fn check(args: &[&str], expected: &str) {
    let output = program::run(args).await.unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {message}");
    assert!(
        message.contains(expected),
        "{args:?} should mention `{expected}`: {message}"
    );
    assert!(!message.contains("panicked"), "{args:?}: {message}");
}

#[tokio::test]
async fn files() {
    let folder = Scratch::new("command-line").unwrap();
    let write = |name, content| {
        folder
            .write(name, content)
            .unwrap()
            .to_string_lossy()
            .into_owned()
    };
    let listen = free_address();
    let typo = write("typo.yaml", "router:\n  listne: 127.0.0.1:1\n");
    let broken = write("broken.graphql", "type Query {");
    let plain = write("plain.graphql", "type Query { a: Int }");
    check(&["router", "--listen", &listen], "no supergraph").await;
    check(
        &["router", "--supergraph", "/no/such.graphql", "--listen", &listen],
        "/no/such.graphql",
    )
    .await;
    check(
        &["router", "--supergraph", &broken, "--listen", &listen],
        "broken.graphql",
    )
    .await;
    check(
        &["router", "--supergraph", &plain, "--listen", &listen],
        "plain.graphql",
    )
    .await;
    check(&["router", "--supergraph", &plain, "--config", &typo], "listne").await;
    check(&["up", "--config", &typo], "listne").await;
    check(&["up", "--config", "/no/such.yaml"], "/no/such.yaml").await;
    check(&["plan", "--supergraph", &broken, &plain], "broken.graphql").await;
    check(&["compose", "--config", "/no/such.yaml"], "/no/such.yaml").await;
    let unknown = write("unknown.yaml", "subgraph: {}\n");
    check(&["compose", "--config", &unknown], "subgraph").await;
    let config = "subgraphs:\n  a:\n    routing_url: http://a\n    schema: { file: broken.graphql }\n";
    let config = write("supergraph.yaml", config);
    check(&["compose", "--config", &config], "broken.graphql 1:").await;
    check(&["healthcheck", &format!("http://{listen}/ready")], &listen).await;
}

/// Each part refuses a key it does not know, wherever it stands, and a value that cannot be used.
#[tokio::test]
async fn configuration() {
    let folder = Scratch::new("configuration").unwrap();
    let cases = [
        ("databse_url: postgres://localhost", "databse_url"),
        ("identity: { secrt: x }", "secrt"),
        ("router: { limits: { detph: 3 } }", "detph"),
        ("router: { timeouts: { request_ms: soon } }", "request_ms"),
        (
            "router: { subgraph_urls: { auth: 'localhost:1' } }",
            "subgraph_urls.auth",
        ),
        ("auth: { password: { memory: 1 } }", "memory"),
        ("product: { dmeo: true }", "dmeo"),
        ("inventory: { reaper: 1 }", "reaper"),
        ("order: { hold_secs: 1 }", "hold_secs"),
        ("payment: { provider: goldbars }", "goldbars"),
        ("router: [", "fondaco.yaml"),
    ];
    for (content, named) in cases {
        let file = folder.write("fondaco.yaml", content).unwrap();
        let file = file.to_string_lossy();
        let parts = SUBGRAPHS.into_iter().chain(["router", "up"]);
        for part in parts {
            check(&[part, "--config", &file], named).await;
        }
    }
    for part in SUBGRAPHS {
        check(&[part, "--config", "/no/such.yaml"], "/no/such.yaml").await;
    }
}

#[tokio::test]
async fn environment() {
    let cases = [
        ("FONDACO_LISTEN", "everywhere", "FONDACO_LISTEN"),
        ("FONDACO_LOG_FORMAT", "xml", "FONDACO_LOG_FORMAT"),
        ("FONDACO_IDENTITY_SECRET", "short", "FONDACO_IDENTITY_SECRET"),
        ("DATABASE_URL", "mysql://localhost", "DATABASE_URL"),
    ];
    for (name, value, named) in cases {
        let mut variables = vec![
            ("FONDACO_LISTEN", "127.0.0.1:0".to_owned()),
            ("FONDACO_IDENTITY_SECRET", "s".repeat(32)),
            ("DATABASE_URL", "postgres://127.0.0.1:1".to_owned()),
            ("REDIS_URL", "redis://127.0.0.1:1".to_owned()),
        ];
        variables.retain(|(variable, _)| *variable != name);
        variables.push((name, value.to_owned()));
        let binary = program::binary().unwrap();
        let output = tokio::process::Command::new(binary)
            .arg("product")
            .envs(variables)
            .output();
        let output = output.await.unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}={value}: {message}");
        assert!(
            message.contains(named) && !message.contains("panicked"),
            "{name}={value}: {message}"
        );
    }
}

#[tokio::test]
async fn ports_that_are_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let supergraph = fondaco_e2e::platform::supergraph();
    check(
        &["router", "--supergraph", &supergraph, "--listen", &address],
        &address,
    )
    .await;
    check(&["up", "--listen", &address], &address).await;
    for part in SUBGRAPHS {
        check(&[part, "--listen", &address], &address).await;
    }
}
