//! Signing in with an outside OpenID Connect provider, all the way through the router.

use fondaco_e2e::platform::Platform;
use fondaco_e2e::provider::{EMAIL, Provider, SUBJECT, begin, complete, consent};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_signs_people_in() {
    let provider = Provider::start().await;
    let platform = Platform::start_configured(|config| config["auth"]["oidc"] = provider.config());
    let platform = platform.await.unwrap();
    let client = platform.client();
    let sign_in = async || {
        let flow = begin(&client).await;
        let answer = complete(&client, &consent(&flow, SUBJECT).await).await;
        answer.expect_data()["completeOidcSignIn"].clone()
    };

    let first = sign_in().await;
    assert_eq!(first["user"]["email"], EMAIL, "{first}");
    assert_eq!(first["user"]["name"], "Ada");
    let ada = client.with_token(first["tokens"]["accessToken"].as_str().unwrap());
    let me = ada.query("{ me { id email } }", json!({})).await.unwrap();
    assert_eq!(me.expect_data()["me"]["id"], first["user"]["id"]);
    let again = sign_in().await;
    assert_eq!(again["user"]["id"], first["user"]["id"], "the same account");
}
