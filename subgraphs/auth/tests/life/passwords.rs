//! Choosing a new password by mail, and deleting an account.

use fondaco_chassis::testing;
use serde_json::{Value, json};

use crate::support::{Auth, OTHER_PASSWORD, PASSWORD, codes, other_code};

#[tokio::test]
async fn a_forgotten_password_is_chosen_anew() {
    let auth = Auth::start().await;
    let person = auth.person().await;
    let request = json!({ "email": person.email });
    assert!(codes(&auth.anonymous("requestPasswordReset", request.clone()).await).is_empty());
    let first = auth.code(&person.email, 2).await;
    assert_eq!(first.len(), 8);
    auth.anonymous("requestPasswordReset", request).await;
    let second = auth.code(&person.email, 3).await;
    let reset = async |code: &str, new: &str| {
        let input = json!({ "email": person.email, "code": code, "newPassword": new });
        auth.anonymous("resetPassword", input).await
    };
    assert_eq!(
        codes(&reset(&first, OTHER_PASSWORD).await),
        ["INVALID_CODE"],
        "a newer code voids it"
    );
    assert_eq!(codes(&reset(&second, "password").await), ["WEAK_PASSWORD"]);
    assert_eq!(
        codes(&reset(&other_code(&second), OTHER_PASSWORD).await),
        ["INVALID_CODE"]
    );
    assert!(codes(&reset(&second, OTHER_PASSWORD).await).is_empty());
    assert_eq!(
        codes(&reset(&second, PASSWORD).await),
        ["INVALID_CODE"],
        "a code is good once"
    );

    assert_eq!(
        codes(&auth.refresh(&person.refresh_token).await),
        ["INVALID_REFRESH_TOKEN"]
    );
    assert_eq!(
        codes(&auth.sign_in(&person.email, PASSWORD).await),
        ["INVALID_CREDENTIALS"]
    );
    assert!(codes(&auth.sign_in(&person.email, OTHER_PASSWORD).await).is_empty());
    let events = auth.events(person.id).await;
    for kind in ["password_reset_requested", "password_reset", "sessions_ended"] {
        assert!(events.iter().any(|event| event == kind), "{kind}: {events:?}");
    }
}

#[tokio::test]
async fn a_profile_changes() {
    let auth = Auth::start().await;
    let person = auth.person().await;
    let update = async |name: Value| {
        auth.mutate(&person.caller, "updateProfile", json!({ "name": name }))
            .await
    };
    assert_eq!(
        update(json!(" Ada Lovelace ")).await["user"]["name"],
        "Ada Lovelace"
    );
    assert_eq!(codes(&update(json!("n".repeat(101))).await), ["INVALID_INPUT"]);
    assert_eq!(codes(&update(json!("a\u{0}b")).await), ["INVALID_INPUT"]);
    assert_eq!(update(Value::Null).await["user"]["name"], Value::Null);
}

#[tokio::test]
async fn a_deleted_account_leaves_nothing_personal() {
    let auth = Auth::start().await;
    let person = auth.person().await;
    let delete = async |password: &str| {
        auth.mutate(&person.caller, "deleteAccount", json!({ "password": password }))
            .await
    };
    assert_eq!(codes(&delete("wrong").await), ["INVALID_CREDENTIALS"]);
    assert!(codes(&delete(PASSWORD).await).is_empty());

    let me = auth.ask(&person.caller, "{ me { id } }", Value::Null).await;
    assert_eq!(me["data"]["me"], Value::Null);
    let users = "query($users: [_Any!]!) { _entities(representations: $users) { ... on User { id } } }";
    let users_variables = json!({ "users": [{ "__typename": "User", "id": person.id }] });
    let entity = auth.ask(&testing::service("order"), users, users_variables).await;
    assert_eq!(entity["data"]["_entities"], json!([null]));
    assert_eq!(
        codes(&auth.refresh(&person.refresh_token).await),
        ["INVALID_REFRESH_TOKEN"]
    );
    assert_eq!(
        codes(&auth.sign_in(&person.email, PASSWORD).await),
        ["INVALID_CREDENTIALS"]
    );

    let pool = auth.database().await;
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from users where email is not null or name is not null or password_hash is not null)
              + (select count(*) from sessions where address is not null or device_name is not null)
              + (select count(*) from one_time_codes)
              + (select count(*) from security_events where user_id is not null and address is not null)",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(left, 0);
    // The address is free again, for a new account.
    auth.anonymous("signUp", json!({ "email": person.email, "password": PASSWORD }))
        .await;
    let code = auth.code(&person.email, 2).await;
    let verified = auth
        .anonymous("verifyEmail", json!({ "email": person.email, "code": code }))
        .await;
    let again = crate::support::person_of(&verified, &person.email);
    assert_ne!(again.id, person.id);
}

#[tokio::test]
async fn the_last_admin_stays() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let delete = json!({ "password": PASSWORD });
    assert_eq!(
        codes(&auth.mutate(&admin.caller, "deleteAccount", delete.clone()).await),
        ["LAST_ADMIN"]
    );
    let resign = json!({ "userId": admin.id, "role": "ADMIN" });
    assert_eq!(
        codes(&auth.mutate(&admin.caller, "revokeRole", resign.clone()).await),
        ["LAST_ADMIN"]
    );
    let other = auth.person().await;
    let grant = json!({ "userId": other.id, "role": "ADMIN" });
    assert!(codes(&auth.mutate(&admin.caller, "grantRole", grant).await).is_empty());
    assert!(codes(&auth.mutate(&admin.caller, "deleteAccount", delete).await).is_empty());
}
