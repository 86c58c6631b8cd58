//! Signing in with an outside OpenID Connect provider that is a program of its own, all the way through the router.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fondaco_e2e::client::Client;
use fondaco_e2e::platform::Platform;
use fondaco_e2e::port::free_port;
use fondaco_e2e::scratch::Scratch;
use reqwest::Url;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

const REDIRECT_URL: &str = "https://shop.example.com/signed-in";
/// Python takes its time on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);

const BEGIN: &str = "mutation($input: BeginOidcSignInInput!) { beginOidcSignIn(input: $input) {
    flow { authorizationUrl state flowSecret } userErrors { code } } }";
const COMPLETE: &str = "mutation($input: CompleteOidcSignInInput!) { completeOidcSignIn(input: $input) {
    user { id email name } tokens { accessToken refreshToken } userErrors { code } } }";

/// A running provider that knows one person.
struct Provider {
    program: Child,
    issuer: String,
    _folder: Scratch,
}

impl Provider {
    async fn start() -> Self {
        let port = free_port();
        let ada =
            json!({ "sub": "ada", "email": "ada@outside.example", "email_verified": true, "name": "Ada" });
        let folder = Scratch::new("oidc-provider").unwrap();
        let program = Command::new(installed())
            .args(["--port", &port.to_string(), "--require-nonce", "true"])
            .args(["--user-claims", &ada.to_string()])
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
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The program that `./dev test` installs.
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

async fn begin(client: &Client) -> Value {
    let input = json!({ "input": { "provider": "outside" } });
    let answer = client.query(BEGIN, input).await.unwrap();
    answer.expect_data()["beginOidcSignIn"]["flow"].clone()
}

/// What a browser does: the person consents as `subject`, and comes back with a code and a state.
async fn consent(flow: &Value, subject: &str) -> (String, String) {
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
    (parameter("code"), parameter("state"))
}

async fn complete(client: &Client, flow: &Value, (code, state): (String, String)) -> Value {
    let input = json!({ "input": { "code": code, "state": state, "flowSecret": flow["flowSecret"] } });
    let answer = client.query(COMPLETE, input).await.unwrap();
    answer.expect_data()["completeOidcSignIn"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_signs_people_in_and_nobody_else() {
    let provider = Provider::start().await;
    let platform = Platform::start_configured(|config| {
        config["auth"]["oidc"] = json!({ "outside": {
            "issuer": provider.issuer, "client_id": "fondaco-shop", "client_secret": "any secret will do",
            "redirect_url": REDIRECT_URL,
        }});
    });
    let platform = platform.await.unwrap();
    let client = platform.client();

    let flow = begin(&client).await;
    let signed_in = complete(&client, &flow, consent(&flow, "ada").await).await;
    assert_eq!(signed_in["user"]["email"], "ada@outside.example", "{signed_in}");
    assert_eq!(signed_in["user"]["name"], "Ada");
    let ada = client.with_token(signed_in["tokens"]["accessToken"].as_str().unwrap());
    let me = ada.query("{ me { id email } }", json!({})).await.unwrap();
    assert_eq!(me.expect_data()["me"]["id"], signed_in["user"]["id"]);

    let flow = begin(&client).await;
    let again = complete(&client, &flow, consent(&flow, "ada").await).await;
    assert_eq!(again["user"]["id"], signed_in["user"]["id"], "the same account");

    // The code of one flow in another: its nonce and its verifier are wrong.
    let (mine, theirs) = (begin(&client).await, begin(&client).await);
    let (code, _) = consent(&theirs, "ada").await;
    let (_, state) = consent(&mine, "ada").await;
    let refused = complete(&client, &mine, (code, state)).await;
    assert_eq!(
        refused["userErrors"][0]["code"], "INVALID_CREDENTIALS",
        "{refused}"
    );
    // Somebody for whose address the provider does not vouch.
    let flow = begin(&client).await;
    let unproven = complete(&client, &flow, consent(&flow, "eve").await).await;
    assert_eq!(
        unproven["userErrors"][0]["code"], "EMAIL_NOT_VERIFIED",
        "{unproven}"
    );
}
