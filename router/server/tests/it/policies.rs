//! `@policy`: decided once per request, by rules or by a coprocessor.

use serde_json::json;

use crate::client::Client;
use crate::coprocessor::Coprocessor;
use crate::issuer::{Issuer, Key};

#[tokio::test]
async fn policies_are_decided_by_rules() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let rules = "authorization: { policies: { rules: { buyers: [{ roles: [buyer] }, { claims: { org.unit: purchasing } }], \
                 staff: [{ authenticated: true }], drivers: [{ scopes: [drive], roles: [driver] }] } } }";
    let client = Client::new(&format!("{}\n{rules}", issuer.config()));
    let (supplier, note) = ("{ product { supplier } }", "{ parcel { note } }");
    for (query, claims, granted) in [
        (supplier, json!({}), false),
        (supplier, json!({ "roles": ["buyer"] }), true),
        (supplier, json!({ "org": { "unit": "purchasing" } }), true),
        (supplier, json!({ "org": { "unit": "sales" } }), false),
        (note, json!({ "roles": ["buyer"] }), true),
        (note, json!({ "roles": ["driver"], "scope": "drive" }), true),
        (note, json!({ "roles": ["driver"] }), false),
        (note, json!({ "scope": "drive" }), false),
    ] {
        let bearer = format!("Bearer {}", key.token(claims.clone()));
        let answer = client.query(query, &[("authorization", &bearer)]).await.json();
        assert_eq!(
            answer.get("errors").is_none(),
            granted,
            "{query} {claims}: {answer}"
        );
        let anonymous = client.query(query, &[]).await;
        assert_eq!(anonymous.code(), "UNAUTHORIZED_FIELD_OR_TYPE", "{query}");
    }
}

#[tokio::test]
async fn policies_are_decided_by_a_coprocessor_once_per_request() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let coprocessor = Coprocessor::start().await;
    let config = format!(
        "{}\nauthorization: {{ policies: {{ coprocessor: {{ url: '{}', timeout_ms: 300 }} }} }}",
        issuer.config(),
        coprocessor.url
    );
    let client = Client::new(&config);
    let bearer = format!("Bearer {}", key.token(json!({ "sub": "ada" })));
    let headers = [("authorization", bearer.as_str())];
    let query = "{ product { supplier again: supplier } products { supplier } parcel { note } }";

    coprocessor.grant(json!({ "granted": ["buyers", "unasked"] }));
    let answer = client.query(query, &headers).await.json();
    assert_eq!(answer["data"]["product"]["supplier"], "Murano", "{answer}");
    assert_eq!(answer["data"]["parcel"]["note"], "4 kg", "{answer}");
    let asked = coprocessor.questions();
    assert_eq!(asked.len(), 1, "one question for the whole request");
    assert_eq!(asked[0]["policies"], json!(["buyers", "staff", "drivers"]));
    assert_eq!(asked[0]["caller"]["sub"], "ada");

    // Requests that touch no policy ask nobody.
    client.query("{ product { id } }", &headers).await;
    assert_eq!(coprocessor.questions().len(), 0);

    // Every other answer, and none at all, grants nothing.
    for decision in [
        json!({ "granted": [] }),
        json!({ "granted": true }),
        json!("x"),
        json!(null),
        Coprocessor::SILENCE,
    ] {
        coprocessor.grant(decision.clone());
        let answer = client.query("{ product { id supplier } }", &headers).await.json();
        assert_eq!(
            answer["data"]["product"],
            json!({ "id": "1", "supplier": null }),
            "{decision}"
        );
    }
}
