//! Sign-in with an outside provider, with what comes back from it tampered with.

use serde_json::{Value, json};

use super::Matrix;
use super::lab::Lab;
use crate::client::Answer;
use crate::provider::{SUBJECT, begin, complete, consent};

const TABLE: &str = "outside sign-in";

/// Completes flows with parts of others, of nobody's, and twice; and first an honest one.
pub async fn run(lab: &Lab, matrix: &mut Matrix) {
    let client = lab.platform.client();
    let honest = consent(&begin(&client).await, SUBJECT).await;
    let answer = complete(&client, &honest).await;
    assert!(
        answer.data()["completeOidcSignIn"]["tokens"].is_object(),
        "an honest sign-in: {}",
        answer.body
    );
    let answer = complete(&client, &honest).await;
    matrix.note(TABLE, "the same answer twice", is_refused(&answer), &answer);

    for part in ["code", "state", "flowSecret"] {
        let other = consent(&begin(&client).await, SUBJECT).await;
        for (what, value) in [
            ("of another flow", other[part].clone()),
            ("made up", json!("A".repeat(43))),
            ("empty", json!("")),
            ("100 KB", json!("A".repeat(100_000))),
        ] {
            let mut back = consent(&begin(&client).await, SUBJECT).await;
            back[part] = value;
            let answer = complete(&client, &back).await;
            matrix.note(TABLE, format!("{part} {what}"), is_refused(&answer), &answer);
        }
    }
    let mut elsewhere = consent(&begin(&client).await, SUBJECT).await;
    elsewhere["issuer"] = json!("https://attacker.example");
    let answer = complete(&client, &elsewhere).await;
    matrix.note(
        TABLE,
        "the answer of another issuer",
        is_refused(&answer),
        &answer,
    );
    let unproven = consent(&begin(&client).await, "eve").await;
    let answer = complete(&client, &unproven).await;
    matrix.note(TABLE, "a person nobody vouches for", is_refused(&answer), &answer);

    for input in [
        json!({ "provider": "outside", "redirectUrl": "https://attacker.example/" }),
        json!({ "provider": "https://attacker.example" }),
        json!({ "provider": "../outside" }),
    ] {
        let query = "mutation($input: BeginOidcSignInInput!) { beginOidcSignIn(input: $input) { flow { authorizationUrl } userErrors { code } } }";
        let answer = client.query(query, json!({ "input": input })).await.unwrap();
        let held = answer.data()["beginOidcSignIn"]["flow"].is_null();
        matrix.note(TABLE, format!("begun with {input}"), held, &answer);
    }
}

fn is_refused(answer: &Answer) -> bool {
    let payload = &answer.data()["completeOidcSignIn"];
    payload["tokens"] == Value::Null
        && payload["user"] == Value::Null
        && payload["userErrors"][0]["code"].is_string()
}
