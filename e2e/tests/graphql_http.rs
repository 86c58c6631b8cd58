//! The audits of the npm package graphql-http, against a router. `./dev test` installs the package.

use std::path::Path;
use std::time::Duration;

use fondaco_e2e::platform::supergraph;
use fondaco_e2e::port::free_address;
use fondaco_e2e::program::Program;
use fondaco_e2e::scratch::Scratch;

#[tokio::test(flavor = "multi_thread")]
async fn audits_pass() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("graphql-http");
    let installed = project.join("node_modules").is_dir();
    assert!(
        installed,
        "run `npm ci` in e2e/graphql-http first, as ./dev test does"
    );
    let (folder, listen) = (Scratch::new("graphql-http").unwrap(), free_address());
    let args = ["router", "--supergraph", &supergraph(), "--listen", &listen];
    let mut router = Program::start("router", folder.path(), &args, &[]).unwrap();
    router
        .ready(&format!("http://{listen}/ready"), Duration::from_secs(20))
        .await
        .unwrap();
    let url = format!("http://{listen}/graphql");
    let audit = tokio::process::Command::new("node")
        .arg("audit.js")
        .arg(url)
        .current_dir(&project)
        .output();
    let output = audit.await.unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{report}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(report.contains(" 0 error"), "{report}");
}
