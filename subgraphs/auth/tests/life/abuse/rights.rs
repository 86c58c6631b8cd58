//! Rights one does not have: every administrator's field, by everybody else; and ways to come by the role.

use fondaco_chassis::{Caller, testing};
use serde_json::{Value, json};

use super::{Rows, World, row};
use crate::support::{PASSWORD, error_code, mutation, random_email};

pub fn rows(world: &World) -> Rows<'_> {
    let mut rows = Rows::new();
    for name in ["grantRole", "revokeRole", "grantScope", "revokeScope"] {
        for (who, caller) in strangers(world) {
            let field = if name.ends_with("Role") { "role" } else { "scope" };
            let value = if field == "role" { "ADMIN" } else { "account:admin" };
            let input = json!({ "input": { "userId": world.attacker.id, field: value } });
            rows.push(row(
                format!("{name} by {who}"),
                refused(world, caller, mutation(name), input),
            ));
        }
    }
    for query in [
        "{ securityEvents { id } }",
        "{ userByEmail(email: \"ada@example.com\") { id } }",
    ] {
        for (who, caller) in strangers(world) {
            rows.push(row(
                format!("{query} by {who}"),
                refused(world, caller, query.to_owned(), Value::Null),
            ));
        }
    }
    rows.push(row(
        "a token that claims the scope, without the role in the database",
        claimed(world),
    ));
    rows.push(row(
        "roles and scopes as input of signUp",
        smuggled(world, "signUp"),
    ));
    rows.push(row(
        "roles and scopes as input of updateProfile",
        smuggled(world, "updateProfile"),
    ));
    rows.push(row(
        "the whole account of another by a fragment on the payload",
        fragment(world),
    ));
    rows
}

fn strangers(world: &World) -> Vec<(&'static str, Caller)> {
    vec![
        ("nobody", Caller::Anonymous),
        ("a customer", world.attacker.caller.clone()),
        ("a merchant", world.merchant.caller.clone()),
        ("another service", testing::service("order")),
    ]
}

async fn refused(world: &World, caller: Caller, query: String, variables: Value) {
    let answer = world.auth.ask(&caller, &query, variables).await;
    let expected = if matches!(caller, Caller::User { .. }) {
        "FORBIDDEN"
    } else {
        "UNAUTHENTICATED"
    };
    assert_eq!(error_code(&answer), expected, "{answer}");
    assert!(no_data(&answer), "{answer}");
}

fn no_data(answer: &Value) -> bool {
    let data = &answer["data"];
    data.is_null()
        || data
            .as_object()
            .is_some_and(|fields| fields.values().all(Value::is_null))
}

async fn claimed(world: &World) {
    let mut caller = world.attacker.caller.clone();
    if let Caller::User { roles, scopes, .. } = &mut caller {
        roles.push("admin".to_owned());
        scopes.push("account:admin".to_owned());
    }
    let input = json!({ "input": { "userId": world.attacker.id, "role": "ADMIN" } });
    let answer = world.auth.ask(&caller, &mutation("grantRole"), input).await;
    assert_eq!(error_code(&answer), "FORBIDDEN", "{answer}");
}

async fn smuggled(world: &World, name: &str) {
    let mut input = json!({ "name": "Ada", "roles": ["ADMIN"], "scopes": ["account:admin"] });
    if name == "signUp" {
        input["email"] = json!(random_email());
        input["password"] = json!(PASSWORD);
    }
    let answer = world.auth.try_mutate(&world.attacker.caller, name, input).await;
    assert_eq!(error_code(&answer), "BAD_USER_INPUT", "{answer}");
}

async fn fragment(world: &World) {
    let query =
        "mutation($input: RoleInput!) { ...G } fragment G on Mutation { grantRole(input: $input) { ...P } }
                 fragment P on AccountPayload { user { ...U } } fragment U on User { email scopes }";
    let input = json!({ "input": { "userId": world.victim.id, "role": "CUSTOMER" } });
    let answer = world.auth.ask(&world.attacker.caller, query, input).await;
    assert_eq!(error_code(&answer), "FORBIDDEN", "{answer}");
    assert!(
        no_data(&answer) && !answer.to_string().contains(&world.victim.email),
        "{answer}"
    );
}
