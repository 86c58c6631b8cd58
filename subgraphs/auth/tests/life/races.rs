//! Things that happen at once: what an account is when a sign-in ends counts, not what it was when the sign-in began.

use std::time::{Duration, Instant};

use fondaco_auth::config::PasswordConfig;
use fondaco_chassis::Caller;
use fondaco_contracts::UserId;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{Auth, OTHER_PASSWORD, PASSWORD, Person, claims, codes, error_code, random_email};

/// Hashes one at a time, each long enough for something to happen meanwhile.
async fn start_slow() -> Auth {
    Auth::start_with(|config| {
        config.password = PasswordConfig {
            iterations: 40,
            max_concurrent: Some(1),
            ..PasswordConfig::default()
        };
    })
    .await
}

/// Signs in, and does `meanwhile` while the password is being verified.
async fn sign_in_during(auth: &Auth, person: &Person, meanwhile: impl Future<Output = ()>) -> Value {
    let begun = Instant::now();
    let sign_in = async {
        let answer = auth.sign_in(&person.email, PASSWORD).await;
        (answer, begun.elapsed())
    };
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        meanwhile.await;
        begun.elapsed()
    };
    let ((answer, signed_in), done) = tokio::join!(sign_in, meanwhile);
    assert!(
        done < signed_in,
        "the change came too late to be one during the sign-in"
    );
    answer
}

#[tokio::test]
async fn a_change_during_a_sign_in_counts() {
    let auth = start_slow().await;
    for change in [
        "update users set password_hash = '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$a2V5' where id = $1",
        "update users set email = null, password_hash = null, deleted_at = now() where id = $1",
    ] {
        let person = auth.person().await;
        let answer = sign_in_during(&auth, &person, auth.sql(change, person.id)).await;
        assert_eq!(codes(&answer), ["INVALID_CREDENTIALS"], "{change}");
        assert_eq!(answer["tokens"], Value::Null);
        assert_eq!(
            running_sessions(&auth, person.id).await,
            1,
            "the one of signing up"
        );
    }
}

#[tokio::test]
async fn a_right_taken_away_during_a_sign_in_is_not_in_its_token() {
    let auth = start_slow().await;
    let (admin, person) = (auth.admin().await, auth.person().await);
    let role = json!({ "userId": person.id, "role": "MERCHANT" });
    auth.mutate(&admin.caller, "grantRole", role.clone()).await;
    let answer = sign_in_during(&auth, &person, async {
        auth.mutate(&admin.caller, "revokeRole", role).await;
    })
    .await;
    let claims = claims(answer["tokens"]["accessToken"].as_str().unwrap());
    assert_eq!(
        (&claims["roles"], &claims["scope"]),
        (&json!(["customer"]), &json!(""))
    );
}

#[tokio::test]
async fn of_two_who_change_a_password_at_once_one_does() {
    let auth = Auth::start().await;
    let person = auth.person().await;
    let other_device = auth.device_of(&person).await;
    let new = [OTHER_PASSWORD, "nine brittle lanterns drift"];
    let change = |device: Caller, new: &'static str| {
        let input = json!({ "currentPassword": PASSWORD, "newPassword": new });
        let auth = &auth;
        async move { auth.mutate(&device, "changePassword", input).await }
    };
    let answers = tokio::join!(
        change(person.caller.clone(), new[0]),
        change(other_device.caller.clone(), new[1])
    );
    let changed = [codes(&answers.0).is_empty(), codes(&answers.1).is_empty()];
    assert_eq!(
        changed.iter().filter(|changed| **changed).count(),
        1,
        "{answers:?}"
    );
    for (password, changed) in new.into_iter().zip(changed) {
        assert_eq!(
            codes(&auth.sign_in(&person.email, password).await).is_empty(),
            changed
        );
    }
}

#[tokio::test]
async fn of_many_who_sign_up_with_one_address_one_gets_it() {
    let auth = Auth::start_optional().await;
    let email = random_email();
    let input = json!({ "email": email, "password": PASSWORD });
    let answers = join_all((0..5).map(|_| auth.anonymous("signUp", input.clone()))).await;
    let mut outcomes: Vec<Vec<&str>> = answers.iter().map(codes).collect();
    outcomes.sort();
    assert_eq!(outcomes[0], [] as [&str; 0]);
    for outcome in &outcomes[1..] {
        assert_eq!(*outcome, ["EMAIL_TAKEN"]);
    }

    // The same where addresses must be proven: each has a code, and one code makes the account.
    let auth = Auth::start().await;
    join_all((0..5).map(|_| auth.anonymous("signUp", input.clone()))).await;
    let sent = auth.mails(&email, 5).await;
    let enter = |mail: &String| {
        let input = json!({ "email": email, "code": crate::support::code_in(mail) });
        let auth = &auth;
        async move { auth.anonymous("verifyEmail", input).await }
    };
    let answers = join_all(sent.iter().map(enter)).await;
    let made = answers.iter().filter(|answer| answer["user"].is_object()).count();
    assert_eq!(made, 1, "{answers:?}");
}

async fn running_sessions(auth: &Auth, user: UserId) -> i64 {
    let count = "select count(*) from sessions where user_id = $1 and revoked_at is null";
    sqlx::query_scalar(count)
        .bind(user.as_uuid())
        .fetch_one(&auth.database().await)
        .await
        .unwrap()
}

/// A process that dies in the middle leaves either everything or nothing; a log that cannot be written stands for the death.
#[tokio::test]
async fn a_change_its_sessions_and_its_record_are_one() {
    let auth = Auth::start().await;
    let (admin, person) = (auth.admin().await, auth.person().await);
    let device = auth.device_of(&person).await;
    let role = json!({ "userId": person.id, "role": "MERCHANT" });
    let full = "alter table security_events add constraint full_disk
                check (kind not in ('password_changed', 'role_granted', 'role_revoked', 'account_deleted')) not valid";
    let pool = auth.database().await;
    for (granted, caller, name, input) in [
        (
            false,
            &person.caller,
            "changePassword",
            json!({ "currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD }),
        ),
        (false, &admin.caller, "grantRole", role.clone()),
        (true, &admin.caller, "revokeRole", role.clone()),
        (
            true,
            &person.caller,
            "deleteAccount",
            json!({ "password": PASSWORD }),
        ),
    ] {
        if granted {
            auth.mutate(&admin.caller, "grantRole", role.clone()).await;
        }
        sqlx::query(full).execute(&pool).await.unwrap();
        let answer = auth.try_mutate(caller, name, input).await;
        assert!(!error_code(&answer).is_empty(), "{name}: {answer}");
        sqlx::query("alter table security_events drop constraint full_disk")
            .execute(&pool)
            .await
            .unwrap();
        let again = auth.device_of(&person).await;
        assert_eq!(again.caller.has_role("merchant"), granted, "{name}");
    }
    let refreshed = auth.refresh(&device.refresh_token).await;
    assert!(codes(&refreshed).is_empty(), "its session goes on: {refreshed}");
}
