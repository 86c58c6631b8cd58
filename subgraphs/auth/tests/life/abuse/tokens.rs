//! Refresh tokens that are stolen, old, of the wrong kind, or not tokens at all.

use futures::future::join_all;
use serde_json::json;

use super::{Rows, World, row};
use crate::support::{Auth, OTHER_PASSWORD, PASSWORD, Person, codes, mutation, person_of};

const REFUSED: [&str; 1] = ["INVALID_REFRESH_TOKEN"];

pub fn rows(world: &World) -> Rows<'_> {
    let auth = &world.auth;
    let mut rows = vec![
        row(
            "refresh token used again after its successor: the session ends",
            reuse(auth),
        ),
        row("refresh token used again after the grace", late_reuse(auth)),
        row("refresh token used again from another address", elsewhere(auth)),
        row("refresh tokens used at once: one chain goes on", at_once(auth)),
        row("refresh after signing all devices out", after(auth, "signOutAll")),
        row("refresh after signing this device out", after(auth, "signOut")),
        row(
            "refresh after the password changed elsewhere",
            after_password_change(auth),
        ),
        row("refresh after the account was deleted", after_deletion(auth)),
        row("refresh token past its time", expired(auth)),
        row("refresh while signing out: no session survives", race(auth)),
    ];
    let access_token =
        async { auth.sign_in(&world.victim.email, PASSWORD).await["tokens"]["accessToken"].clone() };
    rows.push(row("access token as refresh token", async {
        assert_eq!(
            codes(&auth.refresh(access_token.await.as_str().unwrap()).await),
            REFUSED
        );
    }));
    let garbage = [
        ("empty", String::new()),
        ("truncated", world.victim.refresh_token[..20].to_owned()),
        ("of 100 KB", "a".repeat(100_000)),
        ("with a NUL", "a\u{0}b".to_owned()),
        ("of SQL", "' or 1=1 --".to_owned()),
        ("another's session id", world.victim.session.to_string()),
    ];
    for (what, token) in garbage {
        rows.push(row(format!("refresh token {what}"), async move {
            assert_eq!(codes(&auth.refresh(&token).await), REFUSED);
        }));
    }
    rows
}

/// Refreshes from one address.
async fn refresh_from(auth: &Auth, address: &str, token: &str) -> serde_json::Value {
    let input = json!({ "input": { "refreshToken": token } });
    let anonymous = fondaco_chassis::Caller::Anonymous;
    let answer = auth
        .ask_from(address, &anonymous, &mutation("refreshToken"), input)
        .await;
    answer["data"]["refreshToken"].clone()
}

async fn next(auth: &Auth, person: &Person, token: &str) -> Person {
    person_of(&refresh_from(auth, "192.0.2.1", token).await, &person.email)
}

async fn reuse(auth: &Auth) {
    let person = auth.person().await;
    let second = next(auth, &person, &person.refresh_token).await;
    let third = next(auth, &person, &second.refresh_token).await;
    assert_eq!(
        codes(&refresh_from(auth, "192.0.2.1", &person.refresh_token).await),
        REFUSED
    );
    assert_eq!(
        codes(&refresh_from(auth, "192.0.2.1", &third.refresh_token).await),
        REFUSED
    );
    assert!(
        auth.events(person.id)
            .await
            .contains(&"refresh_token_reused".to_owned())
    );
}

async fn late_reuse(auth: &Auth) {
    let person = auth.person().await;
    let second = next(auth, &person, &person.refresh_token).await;
    let later = "update refresh_tokens set used_at = used_at - interval '11 seconds' from sessions
                 where sessions.id = session_id and user_id = $1";
    auth.sql(later, person.id).await;
    assert_eq!(
        codes(&refresh_from(auth, "192.0.2.1", &person.refresh_token).await),
        REFUSED
    );
    assert_eq!(
        codes(&refresh_from(auth, "192.0.2.1", &second.refresh_token).await),
        REFUSED
    );
}

async fn elsewhere(auth: &Auth) {
    let person = auth.person().await;
    let second = next(auth, &person, &person.refresh_token).await;
    assert_eq!(
        codes(&refresh_from(auth, "192.0.2.2", &person.refresh_token).await),
        REFUSED
    );
    assert_eq!(
        codes(&refresh_from(auth, "192.0.2.1", &second.refresh_token).await),
        REFUSED
    );
}

async fn at_once(auth: &Auth) {
    let person = auth.person().await;
    let answers = join_all((0..8).map(|_| refresh_from(auth, "192.0.2.1", &person.refresh_token))).await;
    let tokens = answers
        .iter()
        .map(|answer| person_of(answer, &person.email).refresh_token);
    let mut tokens: Vec<String> = tokens.collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "the chain must not fork");
    let count = "update sessions set device_name = (select count(*) from refresh_tokens where session_id = sessions.id)
                 where user_id = $1";
    auth.sql(count, person.id).await;
    let count: String = sqlx::query_scalar("select device_name from sessions where user_id = $1")
        .bind(person.id.as_uuid())
        .fetch_one(&auth.database().await)
        .await
        .unwrap();
    assert_eq!(count, "2");
}

async fn after(auth: &Auth, sign_out: &str) {
    let person = auth.person().await;
    auth.sign_out(sign_out, &person).await;
    assert_eq!(codes(&auth.refresh(&person.refresh_token).await), REFUSED);
}

async fn after_password_change(auth: &Auth) {
    let here = auth.person().await;
    let there = auth.device_of(&here).await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD });
    assert!(codes(&auth.mutate(&here.caller, "changePassword", input).await).is_empty());
    assert_eq!(codes(&auth.refresh(&there.refresh_token).await), REFUSED);
}

async fn after_deletion(auth: &Auth) {
    let person = auth.person().await;
    auth.mutate(&person.caller, "deleteAccount", json!({ "password": PASSWORD }))
        .await;
    assert_eq!(codes(&auth.refresh(&person.refresh_token).await), REFUSED);
}

async fn expired(auth: &Auth) {
    let person = auth.person().await;
    let age = "update refresh_tokens set expires_at = now() from sessions where sessions.id = session_id and user_id = $1";
    auth.sql(age, person.id).await;
    assert_eq!(codes(&auth.refresh(&person.refresh_token).await), REFUSED);
}

async fn race(auth: &Auth) {
    for _ in 0..5 {
        let person = auth.person().await;
        let refresh = auth.refresh(&person.refresh_token);
        let (refreshed, _) = tokio::join!(refresh, auth.sign_out("signOutAll", &person));
        if codes(&refreshed).is_empty() {
            let later = person_of(&refreshed, &person.email);
            assert_eq!(codes(&auth.refresh(&later.refresh_token).await), REFUSED);
        }
    }
}
