//! Signing up where addresses must be proven, and where they need not be.

use fondaco_auth::config::{FirstAdmin, Secret};
use fondaco_chassis::Caller;
use serde_json::{Value, json};

use crate::support::{Auth, OTHER_PASSWORD, PASSWORD, codes, other_code, person_of, random_email};

#[tokio::test]
async fn an_account_begins_when_its_address_is_proven() {
    let auth = Auth::start().await;
    let email = "ada@example.com";
    let input = json!({ "email": email, "password": PASSWORD, "name": "Ada", "deviceName": "Phone" });
    let signed_up = auth.anonymous("signUp", input).await;
    let nothing_yet = json!({ "verificationRequired": true, "user": null, "tokens": null, "userErrors": [] });
    assert_eq!(signed_up, nothing_yet);
    assert_eq!(
        codes(&auth.sign_in(email, PASSWORD).await),
        ["INVALID_CREDENTIALS"]
    );

    let code = auth.code(email, 1).await;
    assert_eq!(code.len(), 6);
    let enter = async |code: &str| {
        auth.anonymous("verifyEmail", json!({ "email": email, "code": code }))
            .await
    };
    assert_eq!(codes(&enter(&other_code(&code)).await), ["INVALID_CODE"]);
    let verified = enter(&code).await;
    assert_eq!(verified["user"]["emailVerified"], true, "{verified}");
    let person = person_of(&verified, email);
    assert_eq!(
        codes(&enter(&code).await),
        ["INVALID_CODE"],
        "a code is good once"
    );
    assert!(codes(&auth.sign_in(email, PASSWORD).await).is_empty());
    assert_eq!(
        auth.events(person.id).await,
        ["signed_up", "email_verified", "signed_in", "signed_in"]
    );
}

#[tokio::test]
async fn five_wrong_codes_void_the_right_one_and_ten_minutes_do_too() {
    let auth = Auth::start().await;
    for (email, wrong, aged) in [
        ("a@example.com", 5, false),
        ("b@example.com", 4, true),
        ("c@example.com", 4, false),
    ] {
        auth.anonymous("signUp", json!({ "email": email, "password": PASSWORD }))
            .await;
        let code = auth.code(email, 1).await;
        let enter = async |code: &str| {
            auth.anonymous("verifyEmail", json!({ "email": email, "code": code }))
                .await
        };
        for _ in 0..wrong {
            assert_eq!(codes(&enter(&other_code(&code)).await), ["INVALID_CODE"]);
        }
        if aged {
            let pool = auth.database().await;
            let age = "update one_time_codes set expires_at = expires_at - interval '601 seconds'";
            sqlx::query(age).execute(&pool).await.unwrap();
        }
        let is_good = wrong < 5 && !aged;
        assert_eq!(codes(&enter(&code).await).is_empty(), is_good, "{email}");
    }
}

#[tokio::test]
async fn the_code_decides_whose_password_an_account_gets() {
    let auth = Auth::start().await;
    let email = "ada@example.com";
    let sign_up = async |password| {
        auth.anonymous("signUp", json!({ "email": email, "password": password }))
            .await
    };
    sign_up(OTHER_PASSWORD).await;
    sign_up(PASSWORD).await;
    let mails = auth.mails(email, 2).await;
    // With two sign-ups waiting nobody can tell whose code to send again.
    auth.anonymous("sendEmailVerification", json!({ "email": email }))
        .await;
    assert_eq!(auth.mails_at_rest(email).await, 2);
    let code = crate::support::code_in(&mails[1]);
    let verified = auth
        .anonymous("verifyEmail", json!({ "email": email, "code": code }))
        .await;
    assert!(codes(&verified).is_empty(), "{verified}");
    assert_eq!(
        codes(&auth.sign_in(email, OTHER_PASSWORD).await),
        ["INVALID_CREDENTIALS"]
    );
    assert!(codes(&auth.sign_in(email, PASSWORD).await).is_empty());
    let other = crate::support::code_in(&mails[0]);
    let late = auth
        .anonymous("verifyEmail", json!({ "email": email, "code": other }))
        .await;
    assert_eq!(codes(&late), ["INVALID_CODE"]);
}

#[tokio::test]
async fn a_code_is_sent_again_a_few_times() {
    let auth = Auth::start().await;
    let email = "ada@example.com";
    auth.anonymous("signUp", json!({ "email": email, "password": PASSWORD }))
        .await;
    auth.mails(email, 1).await;
    let send = async || {
        auth.try_mutate(
            &Caller::Anonymous,
            "sendEmailVerification",
            json!({ "email": email }),
        )
        .await
    };
    for count in 2..=6 {
        assert_eq!(send().await.get("errors"), None);
        auth.mails(email, count).await;
    }
    let refused = send().await;
    assert_eq!(crate::support::error_code(&refused), "RATE_LIMITED");
    let retry_after = refused["errors"][0]["extensions"]["retryAfter"].as_u64().unwrap();
    assert!((1..=720).contains(&retry_after), "{refused}");
    assert_eq!(auth.mails_at_rest(email).await, 6);
    let code = auth.code(email, 6).await;
    let verified = auth
        .anonymous("verifyEmail", json!({ "email": email, "code": code }))
        .await;
    assert!(codes(&verified).is_empty(), "{verified}");
}

#[tokio::test]
async fn where_proving_is_optional_an_account_begins_at_once() {
    let auth = Auth::start_optional().await;
    let person = auth.person().await;
    let me = "{ me { emailVerified } }";
    let seen =
        async || auth.ask(&person.caller, me, Value::Null).await["data"]["me"]["emailVerified"].clone();
    assert_eq!(seen().await, false);
    let code = auth.code(&person.email, 1).await;
    let verified = auth
        .anonymous("verifyEmail", json!({ "email": person.email, "code": code }))
        .await;
    assert_eq!((codes(&verified).len(), &verified["tokens"]), (0, &Value::Null));
    assert_eq!(seen().await, true);
    auth.anonymous("sendEmailVerification", json!({ "email": person.email }))
        .await;
    assert_eq!(
        auth.mails_at_rest(&person.email).await,
        1,
        "there is nothing to prove any more"
    );
}

#[tokio::test]
async fn the_first_admin_comes_from_the_configuration() {
    let (by_password, by_proof) = (random_email(), random_email());
    let admin = |email: &str, password| FirstAdmin {
        email: email.to_owned(),
        password,
    };
    let first = admin(&by_password, Some(Secret::from(PASSWORD)));
    let auth = Auth::start_with(|config| config.first_admin = Some(first)).await;
    let signed_in = auth.sign_in(&by_password, PASSWORD).await;
    assert_eq!(signed_in["user"]["roles"], json!(["CUSTOMER", "ADMIN"]));

    let first = admin(&by_proof, None);
    let auth = Auth::start_with(|config| config.first_admin = Some(first)).await;
    let anybody = auth.person().await;
    assert!(!anybody.caller.has_role("admin"));
    let person = auth.person_called(&by_proof).await;
    assert!(person.caller.has_role("admin") && person.caller.has_scope("account:admin"));
    assert!(auth.events(person.id).await.contains(&"role_granted".to_owned()));
}
