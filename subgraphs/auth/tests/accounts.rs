//! The auth service through its router: accounts, sessions, tokens, entities.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use axum::http::StatusCode;
use fondaco_auth::{
    AuthConfig,
    access_token::AccessClaims,
    config::{EmailVerification, MailConfig, PasswordConfig},
    demo,
    rate_limit::Limit,
};
use fondaco_chassis::{
    Caller, Service,
    testing::{self, StatementCounter, TestRuntime},
};
use fondaco_contracts::UserId;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

const SIGN_UP: &str = "mutation($input: SignUpInput!) { signUp(input: $input) {
    user { id email name roles } tokens { accessToken refreshToken tokenType expiresIn } userErrors { code field } } }";
const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) {
    user { id email roles } tokens { accessToken refreshToken } userErrors { code field message } } }";
const REFRESH: &str = "mutation($input: RefreshTokenInput!) { refreshToken(input: $input) {
    user { id } tokens { accessToken refreshToken } userErrors { code field } } }";
const USERS: &str =
    "query($users: [_Any!]!) { _entities(representations: $users) { ... on User { id email name } } }";

struct Auth {
    test: TestRuntime,
    service: Service,
}

impl Auth {
    async fn start() -> Self {
        Self::start_with(&config()).await
    }

    async fn start_with(config: &AuthConfig) -> Self {
        let test = TestRuntime::new();
        let service = fondaco_auth::start(config, &test.runtime).await.unwrap();
        Self { test, service }
    }

    async fn call(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        let answer = self
            .test
            .call(&self.service.router, "auth", caller, query, variables)
            .await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"].clone()
    }

    async fn sign_up(&self, email: &str) -> Value {
        let input = json!({ "email": email, "password": "correct horse", "name": "Ada" });
        self.call(&Caller::Anonymous, SIGN_UP, json!({ "input": input }))
            .await["signUp"]
            .clone()
    }

    async fn sign_in(&self, email: &str, password: &str) -> Value {
        let input = json!({ "email": email, "password": password });
        self.call(&Caller::Anonymous, SIGN_IN, json!({ "input": input }))
            .await["signIn"]
            .clone()
    }

    async fn refresh(&self, token: &Value) -> Value {
        let variables = json!({ "input": { "refreshToken": token } });
        let identity = &self.test.runtime.identity;
        let mut claims = identity.claims(&Caller::Anonymous, "auth");
        claims.addr = Some([192, 0, 2, 1].into());
        let body = json!({ "query": REFRESH, "variables": variables }).to_string();
        let header = identity.sign_claims(&claims);
        let answer = testing::post(&self.service.router, Some(&header), body).await.1;
        answer["data"]["refreshToken"].clone()
    }

    async fn claims(&self, token: &str) -> AccessClaims {
        let (_, jwks) = testing::get(&self.service.router, "/.well-known/jwks.json").await;
        let jwks: JwkSet = serde_json::from_value(jwks).unwrap();
        let header = decode_header(token).unwrap();
        assert_eq!(
            (header.alg, header.typ.as_deref()),
            (Algorithm::EdDSA, Some("at+jwt"))
        );
        let key = DecodingKey::from_jwk(jwks.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&["fondaco"]);
        validation.set_issuer(&["fondaco"]);
        decode(token, &key, &validation).unwrap().claims
    }
}

/// Cheap hashes: what they cost is not what is tested here.
fn config() -> AuthConfig {
    let password = PasswordConfig {
        memory_kib: 64,
        iterations: 1,
        parallelism: 1,
        max_concurrent: Some(2),
        min_chars: Some(8),
    };
    let mail = MailConfig {
        outbox: Some(std::env::temp_dir().join("fondaco-test-outbox")),
        ..MailConfig::default()
    };
    AuthConfig {
        password,
        mail,
        email_verification: Some(EmailVerification::Optional),
        ..AuthConfig::default()
    }
}

fn user_id(payload: &Value) -> UserId {
    payload["user"]["id"].as_str().unwrap().parse().unwrap()
}

fn codes(payload: &Value) -> Vec<(&str, Option<&str>)> {
    let errors = payload["userErrors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| (error["code"].as_str().unwrap(), error["field"].as_str()))
        .collect()
}

#[tokio::test]
async fn an_account_signs_up_signs_in_and_is_me() {
    let auth = Auth::start().await;
    let signed_up = auth.sign_up(" Ada@Example.com ").await;
    assert_eq!(signed_up["user"]["email"], "ada@example.com");
    assert_eq!(signed_up["user"]["roles"], json!(["CUSTOMER"]));
    assert_eq!(signed_up["tokens"]["tokenType"], "Bearer");
    assert_eq!(signed_up["tokens"]["expiresIn"], 3600);
    assert!(codes(&signed_up).is_empty());

    let signed_in = auth.sign_in("ADA@example.com", "correct horse").await;
    assert_eq!(user_id(&signed_in), user_id(&signed_up));

    let me = "{ me { id email name createdAt } }";
    let caller = testing::customer(user_id(&signed_up));
    let answer = auth.call(&caller, me, Value::Null).await;
    assert_eq!(
        (&answer["me"]["email"], &answer["me"]["name"]),
        (&json!("ada@example.com"), &json!("Ada"))
    );
    assert_eq!(
        auth.call(&Caller::Anonymous, me, Value::Null).await["me"],
        Value::Null
    );
    let deleted = testing::customer(UserId::new());
    assert_eq!(auth.call(&deleted, me, Value::Null).await["me"], Value::Null);
}

#[tokio::test]
async fn access_tokens_verify_against_the_jwks() {
    let auth = Auth::start_with(&AuthConfig {
        demo: true,
        ..config()
    })
    .await;
    let signed_in = auth.sign_in("merchant@example.com", demo::PASSWORD).await;
    let claims = auth
        .claims(signed_in["tokens"]["accessToken"].as_str().unwrap())
        .await;
    assert_eq!(claims.sub, user_id(&signed_in));
    assert_eq!(claims.exp, claims.iat + 3600);
    assert_eq!(claims.token_use, "access");
    assert_eq!(claims.roles, ["customer", "merchant"]);
    assert_eq!(claims.scope, "product:write inventory:write order:write");

    // A second instance on the same database signs with the same key and seeds nothing twice.
    let again = fondaco_auth::start(
        &AuthConfig {
            demo: true,
            ..config()
        },
        &auth.test.runtime,
    )
    .await
    .unwrap();
    let jwks = |router| async move { testing::get(router, "/.well-known/jwks.json").await.1 };
    assert_eq!(jwks(&again.router).await, jwks(&auth.service.router).await);
}

#[tokio::test]
async fn without_the_demo_there_is_no_merchant() {
    let auth = Auth::start().await;
    let answer = auth.sign_in("merchant@example.com", demo::PASSWORD).await;
    assert_eq!(codes(&answer), [("INVALID_CREDENTIALS", None)]);
}

#[tokio::test]
async fn what_signs_up_is_checked() {
    let auth = Auth::start().await;
    auth.sign_up("ada@example.com").await;
    let long = "x".repeat(257);
    let long_name = "n".repeat(101);
    let cases = [
        (
            "ada@example.com",
            "correct horse",
            "Ada",
            vec![("EMAIL_TAKEN", Some("email"))],
        ),
        (
            "ADA@EXAMPLE.COM",
            "correct horse",
            "Ada",
            vec![("EMAIL_TAKEN", Some("email"))],
        ),
        (
            "ada",
            "correct horse",
            "Ada",
            vec![("INVALID_INPUT", Some("email"))],
        ),
        (
            "eve@example.com",
            "1234567",
            "Ada",
            vec![("WEAK_PASSWORD", Some("password"))],
        ),
        (
            "eve@example.com",
            long.as_str(),
            "Ada",
            vec![("WEAK_PASSWORD", Some("password"))],
        ),
        (
            "eve@example.com",
            "correct horse",
            long_name.as_str(),
            vec![("INVALID_INPUT", Some("name"))],
        ),
        (
            "",
            "",
            "Ada",
            vec![
                ("INVALID_INPUT", Some("email")),
                ("WEAK_PASSWORD", Some("password")),
            ],
        ),
    ];
    for (email, password, name, expected) in cases {
        let input = json!({ "email": email, "password": password, "name": name });
        let answer = auth
            .call(&Caller::Anonymous, SIGN_UP, json!({ "input": input }))
            .await;
        assert_eq!(codes(&answer["signUp"]), expected, "{email} {password}");
        assert_eq!(
            (&answer["signUp"]["user"], &answer["signUp"]["tokens"]),
            (&Value::Null, &Value::Null)
        );
    }
}

#[tokio::test]
async fn concurrent_sign_ups_of_one_address_make_one_account() {
    let auth = Auth::start().await;
    // As many as one address may try in an hour.
    let answers = futures::future::join_all((0..5).map(|_| auth.sign_up("ada@example.com"))).await;
    assert_eq!(
        answers.iter().filter(|answer| codes(answer).is_empty()).count(),
        1
    );
}

#[tokio::test]
async fn unknown_accounts_and_wrong_passwords_are_not_told_apart() {
    let auth = Auth::start().await;
    auth.sign_up("ada@example.com").await;
    let wrong = auth.sign_in("ada@example.com", "wrong horse").await;
    assert_eq!(codes(&wrong), [("INVALID_CREDENTIALS", None)]);
    for (email, password) in [
        ("eve@example.com", "wrong horse"),
        ("not an address", "wrong horse"),
        ("ada@example.com", ""),
    ] {
        assert_eq!(auth.sign_in(email, password).await, wrong);
    }
}

#[tokio::test]
async fn refresh_tokens_are_good_once_and_reuse_ends_the_session() {
    let auth = Auth::start().await;
    let signed_up = auth.sign_up("ada@example.com").await;
    let other_device = auth.sign_in("ada@example.com", "correct horse").await;
    let first = &signed_up["tokens"]["refreshToken"];

    let second = auth.refresh(first).await;
    assert_eq!(user_id(&second), user_id(&signed_up));
    let third = auth.refresh(&second["tokens"]["refreshToken"]).await;
    let before = auth
        .claims(signed_up["tokens"]["accessToken"].as_str().unwrap())
        .await;
    let after = auth
        .claims(third["tokens"]["accessToken"].as_str().unwrap())
        .await;
    assert_eq!(before.sid, after.sid);

    let invalid = [("INVALID_REFRESH_TOKEN", Some("refreshToken"))];
    assert_eq!(codes(&auth.refresh(first).await), invalid);
    assert_eq!(
        codes(&auth.refresh(&third["tokens"]["refreshToken"]).await),
        invalid,
        "the family is revoked"
    );
    assert!(codes(&auth.refresh(&other_device["tokens"]["refreshToken"]).await).is_empty());
    for garbage in [json!(""), json!("x"), signed_up["tokens"]["accessToken"].clone()] {
        assert_eq!(codes(&auth.refresh(&garbage).await), invalid);
    }
}

#[tokio::test]
async fn concurrent_refreshes_continue_one_chain() {
    let auth = Auth::start().await;
    let signed_up = auth.sign_up("ada@example.com").await;
    let token = &signed_up["tokens"]["refreshToken"];
    let answers = futures::future::join_all((0..6).map(|_| auth.refresh(token))).await;
    let successor = &answers[0]["tokens"]["refreshToken"];
    assert!(successor.is_string() && successor != token);
    for answer in &answers {
        assert_eq!(&answer["tokens"]["refreshToken"], successor);
    }
    assert!(codes(&auth.refresh(successor).await).is_empty());
    let invalid = [("INVALID_REFRESH_TOKEN", Some("refreshToken"))];
    assert_eq!(
        codes(&auth.refresh(token).await),
        invalid,
        "the chain has moved on"
    );
}

#[tokio::test]
async fn users_are_loaded_in_one_statement_and_addresses_stay_private() {
    let auth = Auth::start().await;
    let mut users = Vec::new();
    for index in 0..25 {
        users.push(user_id(&auth.sign_up(&format!("user{index}@example.com")).await));
    }
    let unknown = UserId::new();
    let representations: Vec<Value> = users
        .iter()
        .chain([&users[0], &unknown])
        .map(|id| json!({ "__typename": "User", "id": id }))
        .collect();

    let statements = StatementCounter::start();
    let seen_by = async |caller: &Caller| {
        let answer = auth
            .call(caller, USERS, json!({ "users": representations }))
            .await;
        assert_eq!(statements.take(), 1);
        answer["_entities"].as_array().unwrap().clone()
    };
    let by_service = seen_by(&testing::service("order")).await;
    assert!(by_service[..26].iter().all(|user| user["email"].is_string()));
    assert_eq!(by_service[26], Value::Null);

    let by_user = seen_by(&testing::customer(users[3])).await;
    let visible: Vec<usize> = (0..26)
        .filter(|index| by_user[*index]["email"].is_string())
        .collect();
    assert_eq!(visible, [3]);
    assert!(
        seen_by(&Caller::Anonymous).await[..26]
            .iter()
            .all(|user| user["email"].is_null())
    );
}

#[tokio::test]
async fn only_proven_callers_are_believed() {
    let auth = Auth::start().await;
    let id = user_id(&auth.sign_up("ada@example.com").await);
    let body = json!({ "query": "{ me { id } }" }).to_string();
    let elsewhere = auth.test.runtime.identity.sign(&testing::customer(id), "order");
    for header in ["", "garbage", &elsewhere] {
        let (status, answer) = testing::post(&auth.service.router, Some(header), body.clone()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
    let (status, answer) = testing::post(&auth.service.router, None, body).await;
    assert_eq!((status, &answer["data"]["me"]), (StatusCode::OK, &Value::Null));
}

#[tokio::test]
async fn many_sign_ins_at_once_all_get_an_answer() {
    let mut config = config();
    config.rate_limits.sign_in.per_account = Some(Limit::new(100, 1));
    let auth = Auth::start_with(&config).await;
    auth.sign_up("ada@example.com").await;
    let sign_ins = (0..100).map(|_| auth.sign_in("ada@example.com", "correct horse"));
    for answer in futures::future::join_all(sign_ins).await {
        assert!(codes(&answer).is_empty(), "{answer}");
    }
}
