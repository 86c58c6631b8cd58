//! An outside OpenID Connect provider that is a program of its own, not ours: `oidc-provider-mock`, which `./dev test` installs.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::port::free_port;
use crate::scratch::Scratch;

/// Where the provider sends people back.
pub const REDIRECT_URL: &str = "https://shop.example.com/signed-in";
/// The one person the provider vouches for.
pub const SUBJECT: &str = "ada";
/// Her address there.
pub const EMAIL: &str = "ada@outside.example";

/// Python takes its time on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);

const BEGIN: &str = "mutation($input: BeginOidcSignInInput!) { beginOidcSignIn(input: $input) {
    flow { authorizationUrl state flowSecret } userErrors { code } } }";
const COMPLETE: &str = "mutation($input: CompleteOidcSignInInput!) { completeOidcSignIn(input: $input) {
    user { id email name } tokens { accessToken refreshToken } userErrors { code } } }";

/// A running provider. It ends with this value.
pub struct Provider {
    program: Child,
    issuer: String,
    _folder: Scratch,
}

impl Provider {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let port = free_port();
        let person = json!({ "sub": SUBJECT, "email": EMAIL, "email_verified": true, "name": "Ada" });
        let folder = Scratch::new("oidc-provider").unwrap();
        let program = Command::new(installed())
            .args(["--port", &port.to_string(), "--require-nonce", "true"])
            .args(["--user-claims", &person.to_string()])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let provider = Self {
            program,
            issuer: format!("http://127.0.0.1:{port}"),
            _folder: folder,
        };
        let metadata = format!("{}/.well-known/openid-configuration", provider.issuer);
        let begun = Instant::now();
        while reqwest::get(&metadata).await.is_err() {
            assert!(begun.elapsed() < START_LIMIT, "the provider does not start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        provider
    }

    /// The section `auth.oidc` of a platform that knows it as `outside`.
    pub fn config(&self) -> Value {
        json!({ "outside": {
            "issuer": self.issuer, "client_id": "fondaco-shop", "client_secret": "any secret will do",
            "redirect_url": REDIRECT_URL,
        }})
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn installed() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
    let program = cache.join("fondaco/oidc-provider/bin/oidc-provider-mock");
    assert!(
        program.exists(),
        "no {}: ./dev test installs it",
        program.display()
    );
    program
}

/// Begins a sign-in: gives `authorizationUrl`, `state` and `flowSecret`.
pub async fn begin(client: &Client) -> Value {
    let input = json!({ "input": { "provider": "outside" } });
    let answer = client.query(BEGIN, input).await.unwrap();
    answer.expect_data()["beginOidcSignIn"]["flow"].clone()
}

/// What a browser does: the person consents as `subject`, and comes back. Gives what an honest client then sends.
pub async fn consent(flow: &Value, subject: &str) -> Value {
    let browser = reqwest::Client::builder()
        .redirect(Policy::none())
        .build()
        .unwrap();
    let form = browser
        .post(flow["authorizationUrl"].as_str().unwrap())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("sub={subject}"));
    let response = form.send().await.unwrap();
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(REDIRECT_URL), "{location}");
    let location = Url::parse(location).unwrap();
    let parameter = |name: &str| {
        let (_, value) = location.query_pairs().find(|(key, _)| key == name).unwrap();
        value.into_owned()
    };
    json!({ "code": parameter("code"), "state": parameter("state"), "flowSecret": flow["flowSecret"] })
}

/// Completes a sign-in with what came back.
pub async fn complete(client: &Client, back: &Value) -> Answer {
    client.query(COMPLETE, json!({ "input": back })).await.unwrap()
}
