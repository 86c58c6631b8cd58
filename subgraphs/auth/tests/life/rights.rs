//! Granting roles and scopes.

use serde_json::{Value, json};

use crate::support::{Auth, codes, error_code, person_of};

#[tokio::test]
async fn rights_are_granted_and_taken_away() {
    let auth = Auth::start().await;
    let admin = auth.admin().await;
    let person = auth.person().await;
    let role = json!({ "userId": person.id, "role": "MERCHANT" });
    let scope = |scope: &str| json!({ "userId": person.id, "scope": scope });

    let granted = auth.mutate(&admin.caller, "grantRole", role.clone()).await;
    assert_eq!(granted["user"]["roles"], json!(["CUSTOMER", "MERCHANT"]));
    let granted = auth
        .mutate(&admin.caller, "grantScope", scope("order:read:any"))
        .await;
    assert_eq!(granted["user"]["scopes"], json!(["order:read:any"]));
    let again = auth
        .mutate(&admin.caller, "grantScope", scope("order:read:any"))
        .await;
    assert_eq!(again["user"]["scopes"], json!(["order:read:any"]));
    assert_eq!(
        codes(&auth.mutate(&admin.caller, "grantScope", scope("a b")).await),
        ["INVALID_INPUT"]
    );

    // More rights come with the next refresh.
    let refreshed = person_of(&auth.refresh(&person.refresh_token).await, &person.email);
    assert_eq!(refreshed.session, person.session);
    for right in ["product:write", "inventory:write", "order:read:any"] {
        assert!(refreshed.caller.has_scope(right), "{right}");
    }
    // Fewer rights end the session that has them in its token.
    auth.mutate(&admin.caller, "revokeRole", role).await;
    assert_eq!(
        codes(&auth.refresh(&refreshed.refresh_token).await),
        ["INVALID_REFRESH_TOKEN"]
    );
    let back = auth.device_of(&person).await;
    assert!(!back.caller.has_scope("product:write") && back.caller.has_scope("order:read:any"));

    let query = "query($user: ID!) { securityEvents(userId: $user) { kind actorId detail } }";
    let events = auth.ask(&admin.caller, query, json!({ "user": person.id })).await;
    let events = events["data"]["securityEvents"].as_array().unwrap();
    let revoked = events
        .iter()
        .find(|event| event["kind"] == "ROLE_REVOKED")
        .unwrap();
    assert_eq!(
        (&revoked["actorId"], &revoked["detail"]),
        (&json!(admin.id), &json!("merchant"))
    );
}

#[tokio::test]
async fn administrators_find_accounts() {
    let auth = Auth::start().await;
    let (admin, person) = (auth.admin().await, auth.person().await);
    let query = "query($email: String!) { userByEmail(email: $email) { id email } }";
    let find = async |email: &str| {
        auth.ask(&admin.caller, query, json!({ "email": email })).await["data"]["userByEmail"].clone()
    };
    assert_eq!(find(&person.email).await["id"], json!(person.id));
    assert_eq!(find("nobody@example.com").await, Value::Null);
    let unknown = json!({ "userId": uuid::Uuid::now_v7(), "role": "MERCHANT" });
    assert_eq!(
        codes(&auth.mutate(&admin.caller, "grantRole", unknown).await),
        ["NOT_FOUND"]
    );
    // A role that was taken away is no right, whatever a token still says.
    let other = auth.admin().await;
    auth.sql("update users set roles = '{customer}' where id = $1", other.id)
        .await;
    let late = auth
        .ask(&other.caller, query, json!({ "email": person.email }))
        .await;
    assert_eq!(error_code(&late), "FORBIDDEN");
}
