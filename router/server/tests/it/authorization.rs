//! Directives: what a caller may not see is neither asked of a subgraph nor answered.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Client, Log};
use crate::issuer::{Issuer, Key};

/// One operation, by somebody or nobody.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    query: String,
    /// Of who asks; nobody without.
    scopes: Option<String>,
    data: Value,
    #[serde(default)]
    denied: Vec<String>,
    /// Words that no subgraph may have been sent.
    #[serde(default)]
    unasked: Vec<String>,
}

#[tokio::test]
async fn filtered_answers() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let client = Client::new(&issuer.config());
    let cases: Vec<Case> = serde_saphyr::from_str(include_str!("authorization/filtered.yaml")).unwrap();
    for case in cases {
        let bearer = case
            .scopes
            .as_ref()
            .map(|scopes| format!("Bearer {}", key.token(json!({ "scope": scopes }))));
        let headers: Vec<_> = bearer
            .iter()
            .map(|bearer| ("authorization", bearer.as_str()))
            .collect();
        // Twice: the second time from the plan cache.
        for _ in 0..2 {
            let answer = client.query(&case.query, &headers).await;
            let name = format!("{}: {}", case.query, answer.json());
            assert_eq!(answer.status, 200, "{name}");
            assert_eq!(answer.json()["data"], case.data, "{name}");
            let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
            let denied: Vec<String> = errors.iter().map(|error| path(&error["path"])).collect();
            assert_eq!(denied, case.denied, "{name}");
            assert!(
                errors
                    .iter()
                    .all(|error| error["extensions"]["code"] == "UNAUTHORIZED_FIELD_OR_TYPE"),
                "{name}"
            );
            for call in client.subgraphs.calls() {
                assert!(
                    !case.unasked.iter().any(|word| call.body.contains(word.as_str())),
                    "{name}: {}",
                    call.body
                );
            }
        }
    }
}

fn path(path: &Value) -> String {
    let keys = path.as_array().unwrap().iter().map(|key| key.as_str().unwrap());
    keys.collect::<Vec<_>>().join(".")
}

#[tokio::test]
async fn introspection_shows_what_the_caller_may_use() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let hide = "authorization: { hide_from_introspection: true, policies: { rules: { buyers: [{ roles: [buyer] }] } } }";
    let client = Client::new(&format!("{}\n{hide}", issuer.config()));
    let query = "{ __schema { types { name } mutationType { fields { name } } } \
                 product: __type(name: \"Product\") { fields { name } } parcel: __type(name: \"Parcel\") { fields { name } } }";
    let names = |value: &Value| -> Vec<String> {
        let names = value
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned());
        names.filter(|name| !name.starts_with("__")).collect()
    };
    let signed_in = key.token(json!({ "scope": "ship", "roles": ["buyer"] }));
    let as_buyer = client
        .query(query, &[("authorization", &format!("Bearer {signed_in}"))])
        .await
        .json();
    let as_nobody = client.query(query, &[]).await.json();
    let types = |answer: &Value| names(&answer["data"]["__schema"]["types"]);
    let fields = |answer: &Value, of: &str| names(&answer["data"][of]["fields"]);

    for (answer, of, expected) in [
        (&as_nobody, "product", &["id", "name", "stars"][..]),
        (
            &as_buyer,
            "product",
            &["id", "name", "margin", "supplier", "grade", "stars"],
        ),
        (&as_nobody, "parcel", &["fee"]),
        (&as_buyer, "parcel", &["id", "weight", "fee", "note"]),
    ] {
        assert_eq!(fields(answer, of), expected, "{of}: {answer}");
    }
    for (answer, name, shown) in [
        (&as_nobody, "Vault", false),
        (&as_nobody, "Grade", false),
        (&as_nobody, "Item", true),
        (&as_buyer, "Vault", true),
        (&as_buyer, "Grade", true),
    ] {
        assert_eq!(
            types(answer).iter().any(|one| one == name),
            shown,
            "{name}: {answer}"
        );
    }
    let mutations = names(&as_nobody["data"]["__schema"]["mutationType"]["fields"]);
    assert_eq!(mutations, ["rename", "slowly"]);
    // Without the setting everybody sees all of it.
    let open = Client::new(&issuer.config()).query(query, &[]).await.json();
    assert!(types(&open).iter().any(|one| one == "Vault"), "{open}");
}

#[tokio::test]
async fn a_dry_run_denies_nothing() {
    let client = Client::new("authorization: { dry_run: true, mode: reject }");
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || written.clone())
        .finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let answer = client.query("{ account product { cost } }", &[]).await;
    drop(logging);
    assert_eq!(
        answer.json(),
        json!({ "data": { "account": "account", "product": { "cost": 7 } } })
    );
    let log = log.text();
    for path in ["\"account\"", "\"product.cost\""] {
        assert!(log.contains(&format!("authorization.denied={path}")), "{log}");
    }
}

#[tokio::test]
async fn reject_mode_refuses_the_whole_operation() {
    let client = Client::new("authorization: { mode: reject }");
    let answer = client.query("{ account product { id } }", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (403, "UNAUTHORIZED_FIELD_OR_TYPE")
    );
    assert!(client.subgraphs.calls().is_empty());
    assert_eq!(client.query("{ product { id } }", &[]).await.status, 200);
}
