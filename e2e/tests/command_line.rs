//! What the binary says where it cannot do what was asked: a clear error, a failing exit code, no panic.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

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
    check(&["auth", "--listen", &address], &address).await;
}

#[tokio::test]
async fn servers_that_cannot_be_reached() {
    let folder = Scratch::new("unreachable").unwrap();
    let (nobody, listen) = (free_address(), free_address());
    let config = format!(
        "database_url: postgres://fondaco:secret-password@{nobody}\nredis_url: redis://{nobody}\n\
         start_patience_seconds: 1\nidentity: {{ secret: {} }}\n",
        "s".repeat(32)
    );
    let config = folder
        .write("fondaco.yaml", &config)
        .unwrap()
        .to_string_lossy()
        .into_owned();
    // What the environment says goes before the file.
    let args = ["-u", "DATABASE_URL", "-u", "REDIS_URL"];
    let binary = program::binary().unwrap();
    let output = tokio::process::Command::new("env")
        .args(args)
        .arg(binary)
        .args(["product", "--config", &config, "--listen", &listen])
        .output()
        .await
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains(&nobody) && !message.contains("secret-password"),
        "{message}"
    );
}
