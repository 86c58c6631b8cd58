//! The OAuth flow: state, redirect and code tampered with, and ID tokens that lie.

use serde_json::{Value, json};

use super::{Rows, World, row};
use crate::{
    outside::{answer, begin, sign_in},
    provider::{Lie, REDIRECT_URL, Subject, consent, subject},
    support::{PASSWORD, codes, error_code, mutation, random_email},
};

const REFUSED: [&str; 1] = ["INVALID_CREDENTIALS"];

pub fn rows(world: &World) -> Rows<'_> {
    let mut rows = vec![
        row(
            "OAuth: state of nobody",
            changed(world, "state", json!("made up")),
        ),
        row("OAuth: state of another flow", swapped(world, "state")),
        row(
            "OAuth: answer in another browser (sign-in CSRF)",
            swapped(world, "flowSecret"),
        ),
        row("OAuth: no flow secret", changed(world, "flowSecret", json!(""))),
        row(
            "OAuth: code of another flow (injection, PKCE)",
            swapped(world, "code"),
        ),
        row("OAuth: code made up", changed(world, "code", json!("made up"))),
        row(
            "OAuth: code of a megabyte",
            changed(world, "code", json!("c".repeat(1_000_000))),
        ),
        row(
            "OAuth: redirect from another issuer (mix-up)",
            changed(world, "issuer", json!("https://evil.example.com")),
        ),
        row("OAuth: state used twice", twice(world)),
        row("OAuth: state after a failed try", after_failure(world)),
        row("OAuth: redirect to elsewhere, at the provider", redirected(world)),
        row("OAuth: redirect to elsewhere, as input", redirect_input(world)),
        row("OAuth: address that the provider has not proven", unproven(world)),
        row(
            "OAuth: account lying in wait in another's name",
            lying_in_wait(world),
        ),
    ];
    for lie in [
        Lie::Nonce,
        Lie::Audience,
        Lie::Issuer,
        Lie::Expired,
        Lie::Unsigned,
        Lie::OtherKey,
        Lie::ClientSecret,
        Lie::PublicKey,
        Lie::NoIdToken,
    ] {
        rows.push(row(format!("OAuth: ID token, {lie:?}"), lied_to(world, lie)));
    }
    rows
}

async fn complete(world: &World, answer: Value) -> Value {
    world.outside.0.anonymous("completeOidcSignIn", answer).await
}

async fn changed(world: &World, field: &str, value: Value) {
    let mut tampered = answer(&begin(&world.outside.0).await).await;
    tampered[field] = value;
    assert_eq!(codes(&complete(world, tampered).await), REFUSED);
}

async fn swapped(world: &World, field: &str) {
    let mut tampered = answer(&begin(&world.outside.0).await).await;
    tampered[field] = answer(&begin(&world.outside.0).await).await[field].clone();
    assert_eq!(codes(&complete(world, tampered).await), REFUSED);
}

async fn twice(world: &World) {
    let (_, provider) = &world.outside;
    let honest = answer(&begin(&world.outside.0).await).await;
    assert!(codes(&complete(world, honest.clone()).await).is_empty());
    let before = provider.exchanges();
    assert_eq!(codes(&complete(world, honest).await), REFUSED);
    assert_eq!(provider.exchanges(), before, "the provider is not even asked");
}

async fn after_failure(world: &World) {
    let honest = answer(&begin(&world.outside.0).await).await;
    let mut wrong = honest.clone();
    wrong["flowSecret"] = json!("guess");
    assert_eq!(codes(&complete(world, wrong).await), REFUSED);
    assert_eq!(codes(&complete(world, honest).await), REFUSED);
}

async fn redirected(world: &World) {
    let flow = begin(&world.outside.0).await;
    let url = flow["authorizationUrl"].as_str().unwrap();
    let ours = "https%3A%2F%2Fshop.example.com%2Fsigned-in";
    assert!(url.contains(ours), "{REDIRECT_URL} is configured: {url}");
    let elsewhere = url.replace(ours, "https%3A%2F%2Fevil.example.com");
    assert_eq!(consent(&elsewhere).await.unwrap_err(), 400);
}

async fn redirect_input(world: &World) {
    let input = json!({ "input": { "provider": "example", "redirectUrl": "https://evil.example.com" } });
    let answer = world
        .outside
        .0
        .ask(&world.attacker.caller, &mutation("beginOidcSignIn"), input)
        .await;
    assert_eq!(error_code(&answer), "BAD_USER_INPUT", "{answer}");
}

async fn unproven(world: &World) {
    let (auth, provider) = &world.outside;
    let victim = auth.person().await;
    provider.set_subject(Subject {
        email: victim.email,
        email_verified: false,
        ..subject()
    });
    let refused = sign_in(auth).await;
    provider.set_subject(subject());
    assert_eq!(codes(&refused), ["EMAIL_NOT_VERIFIED"]);
    assert_eq!(refused["tokens"], Value::Null);
}

/// The attacker has an account with the victim's address, unproven; the victim comes with the provider's word for it.
async fn lying_in_wait(world: &World) {
    let (auth, provider) = &world.outside;
    let email = random_email();
    let pool = auth.database().await;
    sqlx::query("insert into users (id, email) values ($1, $2)")
        .bind(uuid::Uuid::now_v7())
        .bind(&email)
        .execute(&pool)
        .await
        .unwrap();
    provider.set_subject(Subject { email, ..subject() });
    let refused = sign_in(auth).await;
    provider.set_subject(subject());
    assert_eq!(codes(&refused), ["EMAIL_TAKEN"]);
}

async fn lied_to(world: &World, lie: Lie) {
    let (auth, provider) = &world.outside;
    provider.set_subject(subject());
    provider.lie(lie);
    let refused = sign_in(auth).await;
    provider.lie(Lie::None);
    assert_eq!(codes(&refused), REFUSED, "{refused}");
    assert!(codes(&sign_in(auth).await).is_empty(), "the truth is believed");
    assert!(codes(&auth.sign_in(&random_email(), PASSWORD).await) == REFUSED);
}
