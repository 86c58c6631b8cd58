//! Signed-in devices, and how the router learns that one is signed out.

use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::{Value, json};

use crate::support::{Auth, OTHER_PASSWORD, PASSWORD, Person, codes, person_of};

const SESSIONS: &str = "{ sessions { id deviceName address createdAt lastSeenAt isCurrent } }";

async fn sessions(auth: &Auth, person: &Person) -> Vec<Value> {
    let answer = auth.ask(&person.caller, SESSIONS, Value::Null).await;
    answer["data"]["sessions"].as_array().unwrap().clone()
}

/// Whether the router is told within two seconds that the session has ended.
async fn is_announced(auth: &Auth, person: &Person) -> bool {
    let redis = auth.redis().await;
    let key = redis.key(format_args!("session:revoked:{}", person.session));
    let deadline = Instant::now() + Duration::from_secs(2);
    while Instant::now() < deadline {
        let (at, ttl): (Option<i64>, i64) = redis::pipe()
            .cmd("GET")
            .arg(&key)
            .cmd("TTL")
            .arg(&key)
            .query_async(&mut redis.connection())
            .await
            .unwrap();
        if let Some(at) = at {
            assert!((3800..=3900).contains(&ttl), "{ttl}");
            assert!((chrono::Utc::now().timestamp() - at).abs() < 10);
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn devices_are_listed_and_signed_out() {
    let auth = Auth::start().await;
    let phone = auth.person().await;
    let input = json!({ "email": phone.email, "password": PASSWORD, "deviceName": " Ada's laptop\u{7} " });
    let query = crate::support::mutation("signIn");
    let signed_in = auth
        .ask_from(
            "192.0.2.7",
            &fondaco_chassis::Caller::Anonymous,
            &query,
            json!({ "input": input }),
        )
        .await;
    let laptop = person_of(&signed_in["data"]["signIn"], &phone.email);

    let listed = sessions(&auth, &laptop).await;
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (
            &listed[0]["id"],
            &listed[0]["deviceName"],
            &listed[0]["address"],
            &listed[0]["isCurrent"]
        ),
        (
            &json!(laptop.session),
            &json!("Ada's laptop"),
            &json!("192.0.2.7"),
            &json!(true)
        )
    );
    assert_eq!(
        (&listed[1]["id"], &listed[1]["isCurrent"]),
        (&json!(phone.session), &json!(false))
    );

    let revoked = auth
        .mutate(
            &laptop.caller,
            "revokeSession",
            json!({ "sessionId": phone.session }),
        )
        .await;
    assert!(codes(&revoked).is_empty());
    assert!(is_announced(&auth, &phone).await);
    assert_eq!(
        codes(&auth.refresh(&phone.refresh_token).await),
        ["INVALID_REFRESH_TOKEN"]
    );
    let again = auth
        .mutate(
            &laptop.caller,
            "revokeSession",
            json!({ "sessionId": phone.session }),
        )
        .await;
    assert_eq!(codes(&again), ["NOT_FOUND"]);

    assert!(codes(&auth.sign_out("signOut", &laptop).await).is_empty());
    assert!(is_announced(&auth, &laptop).await);
    assert!(sessions(&auth, &laptop).await.is_empty());
}

#[tokio::test]
async fn signing_all_devices_out_publishes_each() {
    let auth = Auth::start().await;
    let first = auth.person().await;
    let second = auth.device_of(&first).await;
    let bystander = auth.person().await;

    let client = redis::Client::open(auth.test.runtime.redis_url.as_str()).unwrap();
    let mut subscription = client.get_async_pubsub().await.unwrap();
    subscription
        .subscribe(auth.redis().await.key("session:revoked"))
        .await
        .unwrap();
    assert!(codes(&auth.sign_out("signOutAll", &first).await).is_empty());
    let mut told: Vec<String> = subscription
        .on_message()
        .take(2)
        .map(|message| message.get_payload().unwrap())
        .collect()
        .await;
    told.sort();
    let mut expected = vec![first.session.to_string(), second.session.to_string()];
    expected.sort();
    assert_eq!(told, expected);
    assert!(is_announced(&auth, &first).await && is_announced(&auth, &second).await);
    assert!(!is_announced(&auth, &bystander).await);
    for device in [&first, &second] {
        assert_eq!(
            codes(&auth.refresh(&device.refresh_token).await),
            ["INVALID_REFRESH_TOKEN"]
        );
    }
    assert!(codes(&auth.refresh(&bystander.refresh_token).await).is_empty());
}

#[tokio::test]
async fn a_redis_that_lost_its_data_is_told_again() {
    let auth = Auth::start().await;
    let person = auth.person().await;
    auth.sign_out("signOut", &person).await;
    assert!(is_announced(&auth, &person).await);
    let redis = auth.redis().await;
    let keys = [
        redis.key(format_args!("session:revoked:{}", person.session)),
        redis.key("session:announced"),
    ];
    let () = redis::cmd("DEL")
        .arg(&keys)
        .query_async(&mut redis.connection())
        .await
        .unwrap();
    assert!(is_announced(&auth, &person).await);
}

#[tokio::test]
async fn a_changed_password_ends_the_other_devices() {
    let auth = Auth::start().await;
    let here = auth.person().await;
    let there = auth.device_of(&here).await;
    let change = async |current: &str, new: &str| {
        let input = json!({ "currentPassword": current, "newPassword": new });
        auth.mutate(&here.caller, "changePassword", input).await
    };
    assert_eq!(
        codes(&change("wrong", OTHER_PASSWORD).await),
        ["INVALID_CREDENTIALS"]
    );
    assert_eq!(codes(&change(PASSWORD, "password").await), ["WEAK_PASSWORD"]);
    assert!(codes(&change(PASSWORD, OTHER_PASSWORD).await).is_empty());
    assert!(is_announced(&auth, &there).await);
    assert_eq!(
        codes(&auth.refresh(&there.refresh_token).await),
        ["INVALID_REFRESH_TOKEN"]
    );
    assert!(codes(&auth.refresh(&here.refresh_token).await).is_empty());
    assert_eq!(
        codes(&auth.sign_in(&here.email, PASSWORD).await),
        ["INVALID_CREDENTIALS"]
    );
    assert!(codes(&auth.sign_in(&here.email, OTHER_PASSWORD).await).is_empty());
    let mails = auth.mails(&here.email, 2).await;
    assert!(mails[1].contains("Your password was changed"));
}
