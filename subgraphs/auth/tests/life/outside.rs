//! Signing in with an outside provider.

use serde_json::{Value, json};

use crate::{
    provider::{Lie, Provider, Subject, consent, subject},
    support::{Auth, codes, person_of},
};

/// A service that knows a provider under the name `example`.
pub async fn start() -> (Auth, Provider) {
    let provider = Provider::start().await;
    let config = provider.config();
    let auth = Auth::start_with(|auth| drop(auth.oidc.insert("example".to_owned(), config))).await;
    (auth, provider)
}

/// Begins a flow.
pub async fn begin(auth: &Auth) -> Value {
    let begun = auth
        .anonymous("beginOidcSignIn", json!({ "provider": "example" }))
        .await;
    assert!(codes(&begun).is_empty(), "{begun}");
    begun["flow"].clone()
}

/// What an honest client sends after the provider sent its person back.
pub async fn answer(flow: &Value) -> Value {
    let back = consent(flow["authorizationUrl"].as_str().unwrap()).await.unwrap();
    json!({ "code": back["code"], "state": back["state"], "flowSecret": flow["flowSecret"] })
}

/// Goes all the way.
pub async fn sign_in(auth: &Auth) -> Value {
    let answer = answer(&begin(auth).await).await;
    auth.anonymous("completeOidcSignIn", answer).await
}

#[tokio::test]
async fn a_provider_makes_an_account_once() {
    let (auth, provider) = start().await;
    let listed = auth
        .ask(
            &fondaco_chassis::Caller::Anonymous,
            "{ oidcProviders }",
            Value::Null,
        )
        .await;
    assert_eq!(listed["data"]["oidcProviders"], json!(["example"]));
    let somebody = subject();
    provider.set_subject(somebody.clone());
    let first = sign_in(&auth).await;
    assert!(codes(&first).is_empty(), "{first}");
    assert_eq!(first["user"]["email"], somebody.email);
    let again = person_of(&sign_in(&auth).await, &somebody.email);
    assert_eq!(first["user"]["id"], json!(again.id));
    // The provider's id of the person counts, not the address.
    provider.set_subject(Subject {
        email: "new@example.com".into(),
        ..somebody
    });
    assert_eq!(sign_in(&auth).await["user"]["id"], json!(again.id));
    let events = auth.events(again.id).await;
    assert_eq!(
        events[..4],
        ["signed_up", "email_verified", "provider_linked", "signed_in"]
    );
    // Just signed in, it may be deleted without the password it does not have.
    let deleted = auth.mutate(&again.caller, "deleteAccount", json!({})).await;
    assert!(codes(&deleted).is_empty(), "{deleted}");
    assert_ne!(sign_in(&auth).await["user"]["id"], json!(again.id));
}

#[tokio::test]
async fn a_provider_is_linked_to_a_proven_account() {
    let (auth, provider) = start().await;
    let person = auth.person().await;
    provider.set_subject(Subject {
        email: person.email.to_uppercase(),
        ..subject()
    });
    assert_eq!(sign_in(&auth).await["user"]["id"], json!(person.id));
}

#[tokio::test]
async fn a_provider_may_tell_the_address_apart() {
    let (auth, provider) = start().await;
    let somebody = Subject {
        apart: true,
        ..subject()
    };
    provider.set_subject(somebody.clone());
    let first = sign_in(&auth).await;
    assert!(codes(&first).is_empty(), "{first}");
    assert_eq!(first["user"]["email"], somebody.email);
    provider.set_subject(Subject {
        email_verified: false,
        apart: true,
        ..subject()
    });
    assert_eq!(codes(&sign_in(&auth).await), ["EMAIL_NOT_VERIFIED"]);

    provider.set_subject(Subject {
        apart: true,
        ..subject()
    });
    provider.lie(Lie::UserInfo);
    assert_eq!(codes(&sign_in(&auth).await), ["INVALID_CREDENTIALS"]);
    provider.lie(Lie::Endless);
    let answer = answer(&begin(&auth).await).await;
    let endless = auth
        .try_mutate(&fondaco_chassis::Caller::Anonymous, "completeOidcSignIn", answer)
        .await;
    assert_eq!(
        crate::support::error_code(&endless),
        "TEMPORARILY_UNAVAILABLE",
        "{endless}"
    );
}

#[tokio::test]
async fn a_provider_may_rotate_its_keys() {
    let (auth, provider) = start().await;
    assert!(codes(&sign_in(&auth).await).is_empty());
    provider.rotate_key();
    // What was just read is believed for ten seconds: no stream of forged tokens makes us ask more often.
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    assert!(codes(&sign_in(&auth).await).is_empty());
}

#[tokio::test]
async fn a_provider_that_is_away_is_no_refusal() {
    let mut config = Provider::start().await.config();
    config.issuer = "http://127.0.0.1:9".to_owned();
    let auth = Auth::start_with(|auth| drop(auth.oidc.insert("example".to_owned(), config))).await;
    let begun = auth
        .try_mutate(
            &fondaco_chassis::Caller::Anonymous,
            "beginOidcSignIn",
            json!({ "provider": "example" }),
        )
        .await;
    assert_eq!(
        crate::support::error_code(&begun),
        "TEMPORARILY_UNAVAILABLE",
        "{begun}"
    );
    let unknown = auth
        .anonymous("beginOidcSignIn", json!({ "provider": "nobody" }))
        .await;
    assert_eq!(codes(&unknown), ["INVALID_INPUT"]);
}
