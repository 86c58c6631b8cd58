//! Directives: what a caller may not see is neither asked of a subgraph nor answered.

use serde_json::{Value, json};

use crate::client::{Client, Log};
use crate::issuer::{Issuer, Key};

/// Who asks.
#[derive(Clone, Copy)]
enum As {
    Nobody,
    Scopes(&'static str),
}

struct Case {
    query: &'static str,
    who: As,
    data: Value,
    denied: &'static [&'static str],
    /// Words that no subgraph may have been sent.
    unasked: &'static [&'static str],
}

fn cases() -> Vec<Case> {
    use As::{Nobody, Scopes};
    let case = |query, who, data, denied, unasked| Case {
        query,
        who,
        data,
        denied,
        unasked,
    };
    vec![
        case(
            "{ account product { id } }",
            Nobody,
            json!({ "account": null, "product": { "id": "1" } }),
            &["account"],
            &["account"],
        ),
        case(
            "{ account }",
            Nobody,
            json!({ "account": null }),
            &["account"],
            &["account"],
        ),
        case(
            "{ account }",
            Scopes(""),
            json!({ "account": "account" }),
            &[],
            &[],
        ),
        case(
            "{ product { id price: cost } }",
            Nobody,
            json!({ "product": { "id": "1", "price": null } }),
            &["product.price"],
            &["cost"],
        ),
        case(
            "{ product { cost } }",
            Scopes("write"),
            json!({ "product": { "cost": null } }),
            &["product.cost"],
            &["cost"],
        ),
        case(
            "{ product { cost } }",
            Scopes("admin write"),
            json!({ "product": { "cost": 7 } }),
            &[],
            &[],
        ),
        case(
            "{ product { cost } }",
            Scopes("root"),
            json!({ "product": { "cost": 7 } }),
            &[],
            &[],
        ),
        // A non-null field that is denied takes its parent with it, by the rules of the specification.
        case(
            "{ product { id margin } }",
            Nobody,
            json!({ "product": null }),
            &["product.margin"],
            &["margin"],
        ),
        case(
            "{ products { id cost } }",
            Nobody,
            json!({ "products": [{ "id": "1", "cost": null }, { "id": "1", "cost": null }] }),
            &["products.cost"],
            &["cost"],
        ),
        case(
            "{ product { id supplier } }",
            Scopes("root"),
            json!({ "product": { "id": "1", "supplier": null } }),
            &["product.supplier"],
            &["supplier"],
        ),
        // Enums, objects.
        case(
            "{ product { id grade } }",
            Nobody,
            json!({ "product": { "id": "1", "grade": null } }),
            &["product.grade"],
            &["grade"],
        ),
        case(
            "{ product { grade } }",
            Scopes(""),
            json!({ "product": { "grade": "A" } }),
            &[],
            &[],
        ),
        case(
            "{ vault { gold } }",
            Nobody,
            json!({ "vault": null }),
            &["vault"],
            &["vault"],
        ),
        case(
            "{ vault { __typename } }",
            Nobody,
            json!({ "vault": null }),
            &["vault"],
            &["vault"],
        ),
        // Fragments.
        case(
            "{ product { id ...F } } fragment F on Product { cost ... { supplier } }",
            Nobody,
            json!({ "product": { "id": "1", "cost": null, "supplier": null } }),
            &["product.cost", "product.supplier"],
            &["cost", "supplier"],
        ),
        case(
            "{ ...R } fragment R on Query { account }",
            Nobody,
            json!({ "account": null }),
            &["account"],
            &["account"],
        ),
        // Interfaces: a field that one implementation guards is guarded through the interface.
        case(
            "{ items { label code } }",
            Nobody,
            json!({ "items": [{ "label": "book", "code": null }, { "label": "sword", "code": null }] }),
            &["items.code"],
            &["code"],
        ),
        case(
            "{ items { label ... on Book { code } } }",
            Nobody,
            json!({ "items": [{ "label": "book", "code": "book-code" }, { "label": "sword" }] }),
            &[],
            &[],
        ),
        case(
            "{ items { label ... on Weapon { code } } }",
            Nobody,
            json!({ "items": [{ "label": "book" }, { "label": "sword", "code": null }] }),
            &["items.code"],
            &["code"],
        ),
        case(
            "{ items { ... on Book { ... on Item { code } } label } }",
            Nobody,
            json!({ "items": [{ "code": "book-code", "label": "book" }, { "label": "sword" }] }),
            &[],
            &[],
        ),
        case(
            "{ items { label code } }",
            Scopes(""),
            json!({ "items": [{ "label": "book", "code": "book-code" }, { "label": "sword", "code": "sword-code" }] }),
            &[],
            &[],
        ),
        // What is fetched as a key or for `@requires` is not shown to whom it is not for.
        case(
            "{ parcel { id fee } }",
            Nobody,
            json!({ "parcel": { "id": null, "fee": 12 } }),
            &["parcel.id"],
            &[],
        ),
        case(
            "{ parcel { fee weight } }",
            Nobody,
            json!({ "parcel": { "fee": 12, "weight": null } }),
            &["parcel.weight"],
            &[],
        ),
        case(
            "{ parcel { fee ...All } } fragment All on Parcel { id weight __typename }",
            Scopes("other"),
            json!({ "parcel": { "fee": 12, "id": "parcel-1", "weight": null, "__typename": "Parcel" } }),
            &["parcel.weight"],
            &[],
        ),
        case(
            "{ parcel { id weight } }",
            Nobody,
            json!({ "parcel": { "id": null, "weight": null } }),
            &["parcel.id", "parcel.weight"],
            &["id", "weight"],
        ),
        case(
            "{ parcel { key: id fee id: fee } }",
            Nobody,
            json!({ "parcel": { "key": null, "fee": 12, "id": 12 } }),
            &["parcel.key"],
            &[],
        ),
        case(
            "{ parcel { id weight fee } }",
            Scopes("ship"),
            json!({ "parcel": { "id": "parcel-1", "weight": 4, "fee": 12 } }),
            &[],
            &[],
        ),
        // A denied field that requires another does not have that other fetched.
        case(
            "{ parcel { note } }",
            Scopes("ship"),
            json!({ "parcel": { "note": null } }),
            &["parcel.note"],
            &["note", "weight"],
        ),
        // The name of a type is not guarded.
        case(
            "{ items { __typename } }",
            Nobody,
            json!({ "items": [{ "__typename": "Book" }, { "__typename": "Weapon" }] }),
            &[],
            &[],
        ),
        // Conditions: what was not asked for is not reported.
        case(
            "query($no: Boolean = false) { product { id cost @include(if: $no) } }",
            Nobody,
            json!({ "product": { "id": "1" } }),
            &[],
            &["cost"],
        ),
        case(
            "query($no: Boolean = false) { product { id cost @skip(if: $no) } }",
            Nobody,
            json!({ "product": { "id": "1", "cost": null } }),
            &["product.cost"],
            &["cost"],
        ),
        // Mutations: the denied one does not run, the other does.
        case(
            "mutation { erase rename(name: \"x\") { name } }",
            Nobody,
            json!({ "erase": null, "rename": { "name": "x" } }),
            &["erase"],
            &["erase"],
        ),
        case(
            "mutation { erase }",
            Scopes("root"),
            json!({ "erase": true }),
            &[],
            &[],
        ),
    ]
}

#[tokio::test]
async fn filtered_answers() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let client = Client::new(&issuer.config());
    for case in cases() {
        let bearer = match case.who {
            As::Nobody => None,
            As::Scopes(scopes) => Some(format!("Bearer {}", key.token(json!({ "scope": scopes })))),
        };
        let headers: Vec<_> = bearer
            .iter()
            .map(|bearer| ("authorization", bearer.as_str()))
            .collect();
        // Twice: the second time from the plan cache.
        for _ in 0..2 {
            let answer = client.query(case.query, &headers).await;
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
                    !case.unasked.iter().any(|word| call.body.contains(word)),
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
